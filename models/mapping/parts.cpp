// SPDX-License-Identifier: Apache-2.0
// Parts are made of slivers: the filters of one crossbar, in all row blocks that they need.
#include "models/mapping/parts.h"

#include <algorithm>
#include <cstdint>

namespace mho::mapping {
namespace {

struct Sliver {
  int first_filter = 0, filters = 0;
  std::int64_t crossbars = 0;  ///< one for each row block
};

std::vector<Sliver> slivers_of(const BlockLayout& layout, int per_crossbar) {
  std::vector<Sliver> slivers;
  for (std::int64_t block = 0; block < layout.count();) {
    const BlockShape shape = layout.at(block);
    std::int64_t end = block + 1;  // of the row blocks with the same filters
    while (end < layout.count() && layout.at(end).filter_first == shape.filter_first) ++end;
    for (int first = 0; first < shape.filters; first += per_crossbar)
      slivers.push_back({shape.filter_first + first, std::min(per_crossbar, shape.filters - first), end - block});
    block = end;
  }
  return slivers;
}

/// As many slivers in each part as `limit` crossbars hold, at least one.
std::vector<arithmetic::FilterRange> cut(const std::vector<Sliver>& slivers, std::int64_t limit) {
  std::vector<arithmetic::FilterRange> parts;
  std::int64_t crossbars = 0;  // of the last part
  for (const Sliver& sliver : slivers) {
    if (parts.empty() || crossbars + sliver.crossbars > limit) {
      parts.push_back({sliver.first_filter, 0});
      crossbars = 0;
    }
    parts.back().count += sliver.filters;
    crossbars += sliver.crossbars;
  }
  return parts;
}

}  // namespace

std::vector<arithmetic::FilterRange> parts_of(const BlockLayout& layout, int slices, const Machine& machine) {
  const std::vector<Sliver> slivers = slivers_of(layout, machine.filters_per_crossbar(slices));
  std::int64_t enough = machine.crossbars_per_tile(), too_few = 0;
  const std::size_t fewest = cut(slivers, enough).size();
  while (enough - too_few > 1) {
    const std::int64_t middle = (enough + too_few) / 2;
    (cut(slivers, middle).size() == fewest ? enough : too_few) = middle;
  }
  return cut(slivers, enough);
}

arithmetic::FilterRange filters_in_block(const arithmetic::FilterRange& part, int filter_first, int filters) {
  const int first = std::max(part.first - filter_first, 0);
  const int end = std::min(part.first + part.count - filter_first, filters);
  return {first, std::max(0, end - first)};
}

}  // namespace mho::mapping
