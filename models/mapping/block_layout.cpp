// SPDX-License-Identifier: Apache-2.0
// Arithmetic of row blocks: which rows and filters block number i holds.
#include "models/mapping/block_layout.h"

#include <algorithm>

namespace mho::mapping {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

BlockLayout::BlockLayout(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine)
    : rows_(machine.crossbar.rows),
      filters_per_crossbar_(machine.filters_per_crossbar()),
      groups_(node.weights.groups),
      dot_length_(dnn::dot_length(graph, node)),
      filters_per_group_(dnn::filters_of(graph, node) / node.weights.groups) {
  if (dot_length_ <= rows_) {
    groups_per_block_ = std::min(groups_, rows_ / dot_length_);
    count_ = ceil_div(groups_, groups_per_block_);
  } else {
    blocks_per_group_ = int(ceil_div(dot_length_, rows_));
    count_ = std::int64_t(groups_) * blocks_per_group_;
  }
}

BlockShape BlockLayout::at(std::int64_t index) const {
  if (groups_per_block_ > 0) {
    const int group = int(index) * groups_per_block_;
    const int packed = std::min(groups_per_block_, groups_ - group);
    return {group * dot_length_, group * filters_per_group_, packed * dot_length_, packed * filters_per_group_};
  }
  const int group = int(index / blocks_per_group_);
  const int first = int(index % blocks_per_group_) * rows_;
  return {group * dot_length_ + first, group * filters_per_group_, std::min(rows_, dot_length_ - first),
          filters_per_group_};
}

std::int64_t BlockLayout::crossbars_of(std::int64_t filters) const { return ceil_div(filters, filters_per_crossbar_); }

std::int64_t BlockLayout::crossbars() const {
  return (count_ - 1) * crossbars_of(at(0).filters) + crossbars_of(at(count_ - 1).filters);
}

int crossbars_for(int filters, const Machine& machine) {
  return int(ceil_div(filters, machine.filters_per_crossbar()));
}

}  // namespace mho::mapping
