// SPDX-License-Identifier: Apache-2.0
// Names, order and use of tracks.
#include "platforms/report/log_tracks.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <tuple>

namespace mho {
namespace {

constexpr std::size_t kTracksOfServer = 1000;  // numbers kept for the order of one server's tracks

/// tile_2 comes before tile_10: a run of digits compares as the number it is.
bool comes_before(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
      continue;
    }
    const auto number = [&](const std::string& text, std::size_t& at) {
      const std::size_t first = std::min(text.find_first_not_of('0', at), text.size());
      for (at = first; at < text.size() && digit(text[at]);) ++at;
      return text.substr(first, at - first);
    };
    const std::string x = number(a, i), y = number(b, j);
    if (x != y) return std::make_tuple(x.size(), x) < std::make_tuple(y.size(), y);
  }
  return std::make_tuple(a.size() - i, a) < std::make_tuple(b.size() - j, b);
}

/// Bytes, point included, of the longest path that stands before every name and is all of none.
std::size_t shared_path(const std::vector<std::string>& names) {
  if (names.empty()) return 0;
  std::string path = names.front().substr(0, names.front().rfind('.') + 1);
  for (const std::string& name : names)
    while (name.compare(0, path.size(), path) != 0)
      path.erase(path.size() < 2 ? 0 : path.rfind('.', path.size() - 2) + 1);
  return path.size();
}

}  // namespace

LogTracks::LogTracks(const observe::LogTables& tables) : tables_(tables), shared_(shared_path(tables.modules)) {
  const auto process_of = [this](const observe::LoggedServer& server) {
    const std::string rest = tables_.modules[server.module].substr(shared_);
    return rest.substr(0, rest.find('.'));
  };
  for (const observe::LoggedServer& server : tables.servers) processes_.push_back(process_of(server));
  std::sort(processes_.begin(), processes_.end(), comes_before);
  processes_.erase(std::unique(processes_.begin(), processes_.end()), processes_.end());
  std::vector<std::size_t> order(tables.servers.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const observe::LoggedServer &x = tables.servers[a], &y = tables.servers[b];
    if (x.module != y.module) return comes_before(tables.modules[x.module], tables.modules[y.module]);
    return std::tie(x.kind, x.lane, a) < std::tie(y.kind, y.lane, b);
  });
  servers_.resize(tables.servers.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    Server& server = servers_[order[rank]];
    server.rank = rank;
    server.process =
        std::size_t(std::find(processes_.begin(), processes_.end(), process_of(tables.servers[order[rank]])) -
                    processes_.begin()) +
        1;
  }
}

std::string LogTracks::name_of(std::size_t server, const LogTrack& track) const {
  const observe::LoggedServer& own = tables_.servers[server];
  std::string name = tables_.modules[own.module].substr(shared_);
  if (const std::size_t point = name.find('.'); point != std::string::npos) name.erase(0, point + 1);
  bool lanes = own.lane != 0, kinds = false;
  for (const observe::LoggedServer& other : tables_.servers) {
    if (other.module != own.module) continue;
    kinds = kinds || other.kind != own.kind;
    lanes = lanes || (other.kind == own.kind && other.lane != own.lane);
  }
  if (lanes) name += '[' + std::to_string(own.lane) + ']';
  if (kinds) name += ' ' + tables_.kinds[own.kind].name;
  return track.copy == 0 ? name : name + " (" + std::to_string(track.copy + 1) + ')';
}

LogTrack LogTracks::place(std::size_t server, std::uint64_t begin, std::uint64_t end) {
  Server& own = servers_[server];
  LogTrack track;
  // Of the tracks that are free the one that was used last: it leaves the least empty.
  auto next = own.free_from.upper_bound(begin);
  if (next == own.free_from.begin()) {
    track = {own.process, ++threads_, true, own.tracks,
             own.rank * kTracksOfServer + std::min(own.tracks, kTracksOfServer - 1)};
    ++own.tracks;
  } else {
    track = std::prev(next)->second;
    own.free_from.erase(std::prev(next));
    track.is_new = false;
  }
  own.free_from.emplace(end, track);
  return track;
}

}  // namespace mho
