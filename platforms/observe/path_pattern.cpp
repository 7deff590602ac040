// SPDX-License-Identifier: Apache-2.0
// Matching of components, and of texts within a component.
#include "platforms/observe/path_pattern.h"

#include <algorithm>
#include <set>
#include <utility>

#include "platforms/config/suggest.h"

namespace mho {
namespace {

constexpr std::string_view kAny = "**";

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> components;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    components.push_back(path.substr(0, dot));
    path.remove_prefix(dot + 1);
  }
  components.push_back(path);
  return components;
}

/// reached[i + 1] says whether the pattern so far names the first i + 1 items; each part of the pattern is one step,
/// so patterns with many stars take no longer than others.
template <class Part, class Items, class IsAny, class Fits>
bool match_parts(const Part& pattern, const Items& items, const IsAny& is_any, const Fits& fits) {
  std::vector<char> reached(items.size() + 1, 0);
  reached[0] = 1;
  for (const auto& part : pattern) {
    if (is_any(part)) {
      for (std::size_t i = 0; i < items.size(); ++i) reached[i + 1] = char(reached[i + 1] | reached[i]);
      continue;
    }
    for (std::size_t i = items.size(); i-- > 0;) reached[i + 1] = char(reached[i] != 0 && fits(part, items[i]));
    reached[0] = 0;
  }
  return reached.back() != 0;
}

bool matches_component(std::string_view pattern, std::string_view text) {
  return match_parts(
      pattern, text, [](char c) { return c == '*'; }, [](char c, char of_text) { return c == of_text; });
}

/// Letters to change so that the pattern names the path; what a star stands for costs nothing.
int distance(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path) {
  std::vector<int> last(path.size() + 1), row(path.size() + 1);
  for (std::size_t i = 0; i < path.size(); ++i) last[i + 1] = last[i] + int(path[i].size());
  for (const std::string_view part : pattern) {
    const bool any = part == kAny;
    row[0] = last[0] + (any ? 0 : int(part.size()));
    for (std::size_t i = 0; i < path.size(); ++i) {
      const int added = row[i] + (any ? 0 : int(path[i].size()));
      const int dropped = last[i + 1] + (any ? 0 : int(part.size()));
      const int changed = last[i] + (matches_component(part, path[i]) ? 0 : config::edit_distance(part, path[i]));
      row[i + 1] = std::min({added, dropped, changed});
    }
    last.swap(row);
  }
  return last.back();
}

}  // namespace

bool matches(std::string_view pattern, std::string_view path) {
  return match_parts(
      split(pattern), split(path), [](std::string_view part) { return part == kAny; }, matches_component);
}

std::string kind_of(std::string_view path) {
  std::string kind;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto is_digit = [&](std::size_t at) { return at < path.size() && path[at] >= '0' && path[at] <= '9'; };
    kind += path[i];
    if (path[i] != '_' || !is_digit(i + 1)) continue;
    std::size_t end = i + 1;
    while (is_digit(end)) ++end;
    if (end != path.size() && path[end] != '.') continue;
    kind += '*';
    i = end - 1;
  }
  return kind;
}

std::vector<std::string> nearest_patterns(std::string_view pattern, const std::vector<std::string>& paths,
                                          std::size_t count) {
  std::set<std::string> kinds;
  for (const std::string& path : paths) kinds.insert(kind_of(path));
  const std::string meant = kind_of(pattern);
  std::set<std::pair<int, std::string>> ranking;
  for (const std::string& kind : kinds) ranking.insert({distance(split(meant), split(kind)), kind});
  std::vector<std::string> nearest;
  for (const auto& candidate : ranking)
    if (nearest.size() < count) nearest.push_back(candidate.second);
  return nearest;
}

}  // namespace mho
