// SPDX-License-Identifier: Apache-2.0
// Edit distance after Damerau and Levenshtein (optimal string alignment), and lists of words for messages.
#include "platforms/config/suggest.h"

#include <algorithm>
#include <cstdlib>

namespace mho::config {
namespace {

constexpr std::size_t kLongestWord = 64;
constexpr std::size_t kMostCandidates = 1000;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1);
  std::vector<int> last(b.size() + 1);
  std::vector<int> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int differs = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + differs});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  if (word.size() > kLongestWord) return best;
  int best_distance = std::max(1, static_cast<int>(word.size()) / 3) + 1;
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostCandidates); ++i) {
    if (candidates[i].size() > kLongestWord) continue;
    const int distance = edit_distance(word, candidates[i]);
    if (distance >= best_distance || distance >= static_cast<int>(candidates[i].size())) continue;
    best_distance = distance;
    best = candidates[i];
  }
  return best;
}

std::string alternatives(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += '`' + words[i] + '`';
  }
  return text;
}

}  // namespace mho::config
