// SPDX-License-Identifier: Apache-2.0
// Eager execution with bounded buffers.
#include "testbenches/models/mapping/eager_execution.h"

#include <algorithm>

namespace mho::mapping {

std::vector<int> rows_read(const dnn::Graph& graph, const dnn::Node& node, int y) {
  const bool slides = node.op == dnn::Operator::kConvolution || node.op == dnn::Operator::kMaxPool ||
                      node.op == dnn::Operator::kAveragePool;
  if (!slides) return {y};
  std::vector<int> rows;
  for (int ky = 0; ky < node.window.kernel_height; ++ky) {
    const int row = y * node.window.stride_y - node.window.pad_top + ky * node.window.dilation_y;
    if (row >= 0 && row < graph.input_of(node).shape.height) rows.push_back(row);
  }
  return rows;
}

EagerExecution::EagerExecution(const dnn::Graph& graph, const std::vector<RowBuffer>& buffers, int images)
    : graph_(graph), images_(images), producer_(graph.tensors.size(), -1), produced_(graph.tensors.size(), 0) {
  for (const RowBuffer& buffer : buffers) readers_.push_back({buffer.tensor, buffer.consumer, buffer.rows, 0});
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const dnn::Node& node = graph.nodes[i];
    producer_[std::size_t(node.output)] = int(i);
    std::vector<std::vector<int>> reads;
    for (int y = 0; y < graph.output_of(node).shape.height; ++y) reads.push_back(rows_read(graph, node, y));
    std::vector<int> from(reads.size() + 1, graph.input_of(node).shape.height);
    for (std::size_t y = reads.size(); y-- > 0;) {
      from[y] = from[y + 1];
      for (const int row : reads[y]) from[y] = std::min(from[y], row);
    }
    reads_.push_back(std::move(reads));
    needed_from_.push_back(std::move(from));
  }
}

bool EagerExecution::can_produce(int tensor) const {
  const std::int64_t row = produced_[std::size_t(tensor)];
  if (row == std::int64_t(images_) * height(tensor)) return false;
  for (const Reader& reader : readers_)
    if (reader.tensor == tensor && row - reader.released >= reader.capacity) return false;
  const int node = producer_[std::size_t(tensor)];
  if (node < 0) return true;
  const std::int64_t image = row / height(tensor);
  for (const int input : graph_.nodes[std::size_t(node)].inputs)
    for (const int needed : reads_[std::size_t(node)][std::size_t(row % height(tensor))])
      if (produced_[std::size_t(input)] <= image * height(input) + needed) return false;
  return true;
}

void EagerExecution::produce(int tensor) {
  ++produced_[std::size_t(tensor)];
  for (Reader& reader : readers_)
    if (reader.tensor == tensor && reader.consumer < 0) reader.released = produced_[std::size_t(tensor)];
  if (producer_[std::size_t(tensor)] >= 0) release_after(producer_[std::size_t(tensor)]);
  for (const Reader& reader : readers_)
    if (reader.tensor == tensor && reader.consumer >= 0) release_after(reader.consumer);
}

/// Rows before the first one that the node still reads are gone, also those that arrive after they were of use.
void EagerExecution::release_after(int node) {
  const int output = graph_.nodes[std::size_t(node)].output;
  const std::int64_t done = produced_[std::size_t(output)];
  for (Reader& reader : readers_) {
    if (reader.consumer != node) continue;
    const std::int64_t image = done / height(output);
    const std::int64_t needed =
        image * height(reader.tensor) + needed_from_[std::size_t(node)][std::size_t(done % height(output))];
    reader.released = std::min(needed, produced_[std::size_t(reader.tensor)]);
  }
}

bool EagerExecution::run(std::mt19937& random, bool lifo) {
  for (;;) {
    std::vector<int> enabled;
    for (std::size_t tensor = 0; tensor < graph_.tensors.size(); ++tensor)
      if (can_produce(int(tensor))) enabled.push_back(int(tensor));
    if (enabled.empty()) break;
    produce(lifo ? enabled.back() : enabled[random() % enabled.size()]);
  }
  for (std::size_t tensor = 0; tensor < graph_.tensors.size(); ++tensor)
    if (produced_[tensor] != std::int64_t(images_) * height(int(tensor))) return false;
  return true;
}

}  // namespace mho::mapping
