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
      filters_per_crossbar_(machine.filters_per_crossbar(int(machine.slicing_of(node.name).size()))),
      groups_(node.weights.groups),
      dot_length_(dnn::dot_length(graph, node)),
      filters_per_group_(dnn::filters_of(graph, node) / node.weights.groups),
      window_(node.window) {
  if (dot_length_ <= rows_) {
    groups_per_block_ = std::min(groups_, rows_ / dot_length_);
    count_ = ceil_div(groups_, groups_per_block_);
  } else {
    blocks_per_group_ = int(ceil_div(dot_length_, rows_));
    count_ = std::int64_t(groups_) * blocks_per_group_;
  }
  if (!machine.toeplitz) return;
  // The number of blocks stays: that is the rule.
  expansion_ = free_expansion(graph.output_of(node).shape.width, machine.crossbars_per_tile());
  dot_length_ = dot_length_ / window_.kernel_width * expanded_window(window_, expansion_).kernel_width;
  filters_per_group_ *= expansion_;
}

int BlockLayout::free_expansion(std::int64_t width, std::int64_t most_crossbars) const {
  if (groups_ > 1 || window_.dilation_x > 1 || crossbars() > most_crossbars) return 1;
  const std::int64_t kernel_width = count_ * rows_ / (dot_length_ / window_.kernel_width);  // that as many blocks hold
  const std::int64_t by_rows = 1 + (kernel_width - window_.kernel_width) / window_.stride_x;
  const std::int64_t by_columns = crossbars_of(filters_per_group_) * filters_per_crossbar_ / filters_per_group_;
  return int(std::min({width, by_rows, by_columns}));
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

arithmetic::FilterRange BlockLayout::weighted_windows(int row) const {
  const int filters = filters_per_group_ / expansion_;
  const dnn::Window wide = expanded_window(window_, expansion_);
  const int channels = dot_length_ / wide.kernel_height / wide.kernel_width;
  // Window p reaches from p stride_x to p stride_x + kernel_width - 1; between the windows of a long stride lies none.
  const int x = row / channels % wide.kernel_width;
  const int first = x < window_.kernel_width ? 0 : (x - window_.kernel_width) / window_.stride_x + 1;
  const int last = std::min(x / window_.stride_x, expansion_ - 1);
  return {first * filters, std::max(0, last - first + 1) * filters};
}

std::vector<arithmetic::FilterRange> BlockLayout::weighted(const BlockShape& shape) const {
  if (expansion_ == 1 && shape.filters == filters_per_group_) return {};
  std::vector<arithmetic::FilterRange> ranges;
  for (int row = shape.row_first; row < shape.row_first + shape.rows; ++row) {
    const int first = row / dot_length_ * filters_per_group_ - shape.filter_first;
    ranges.push_back(expansion_ > 1 ? weighted_windows(row) : arithmetic::FilterRange{first, filters_per_group_});
  }
  const bool all =
      std::all_of(ranges.begin(), ranges.end(), [&](const auto& each) { return each.count == shape.filters; });
  return all ? std::vector<arithmetic::FilterRange>{} : ranges;
}

dnn::Window expanded_window(const dnn::Window& window, int expansion) {
  dnn::Window wide = window;
  wide.kernel_width += (expansion - 1) * window.stride_x;
  wide.stride_x *= expansion;
  wide.pad_right += (expansion - 1) * window.stride_x;
  return wide;
}

int crossbars_for(int filters, int slices, const Machine& machine) {
  return int(ceil_div(filters, machine.filters_per_crossbar(slices)));
}

}  // namespace mho::mapping
