// SPDX-License-Identifier: Apache-2.0
// Eager execution with bounded buffers.
#include "testbenches/models/mapping/eager_execution.h"

#include <algorithm>

namespace mho::mapping {

std::vector<int> rows_read(const dnn::Graph& graph, const dnn::Node& node, int y, std::size_t input) {
  const dnn::Shape& shape = graph.input_of(node, input).shape;
  if (node.op == dnn::Operator::kMatMul && input == 1) {
    std::vector<int> all;
    for (int row = 0; row < shape.height; ++row) all.push_back(row);
    return all;
  }
  if (input == 1 && shape.height == 1) return {0};
  if (node.op == dnn::Operator::kPad) {
    const int row = y - node.window.pad_top;
    return row >= 0 && row < shape.height ? std::vector<int>{row} : std::vector<int>{};
  }
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
  of_tensor_.resize(graph.tensors.size());
  of_node_.resize(graph.nodes.size());
  for (const RowBuffer& buffer : buffers) {
    of_tensor_[std::size_t(buffer.tensor)].push_back(readers_.size());
    if (buffer.consumer >= 0) of_node_[std::size_t(buffer.consumer)].push_back(readers_.size());
    readers_.push_back({buffer.tensor, buffer.consumer, buffer.rows, 0});
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const dnn::Node& node = graph.nodes[i];
    producer_[std::size_t(node.output)] = int(i);
    reads_.emplace_back();
    needed_from_.emplace_back();
    for (std::size_t input = 0; input < node.inputs.size(); ++input) {
      std::vector<std::vector<int>> reads;
      for (int y = 0; y < graph.output_of(node).shape.height; ++y) reads.push_back(rows_read(graph, node, y, input));
      std::vector<int> from(reads.size() + 1, graph.input_of(node, input).shape.height);
      for (std::size_t y = reads.size(); y-- > 0;) {
        from[y] = from[y + 1];
        for (const int row : reads[y]) from[y] = std::min(from[y], row);
      }
      reads_.back().push_back(std::move(reads));
      needed_from_.back().push_back(std::move(from));
    }
  }
}

bool EagerExecution::can_produce(int tensor) const {
  const std::int64_t row = produced_[std::size_t(tensor)];
  if (row == std::int64_t(images_) * height(tensor)) return false;
  for (const std::size_t reader : of_tensor_[std::size_t(tensor)])
    if (row - readers_[reader].released >= readers_[reader].capacity) return false;
  const int node = producer_[std::size_t(tensor)];
  if (node < 0) return true;
  const std::int64_t image = row / height(tensor);
  const std::vector<int>& inputs = graph_.nodes[std::size_t(node)].inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<int>& needed = reads_[std::size_t(node)][i][std::size_t(row % height(tensor))];
    const bool read = !needed.empty();  // rows are produced in order: the last one decides
    if (read && produced_[std::size_t(inputs[i])] <= image * height(inputs[i]) + needed.back()) return false;
  }
  return true;
}

void EagerExecution::produce(int tensor) {
  ++produced_[std::size_t(tensor)];
  for (const std::size_t reader : of_tensor_[std::size_t(tensor)])
    if (readers_[reader].consumer < 0) readers_[reader].released = produced_[std::size_t(tensor)];
  if (producer_[std::size_t(tensor)] >= 0) release_after(producer_[std::size_t(tensor)]);
  for (const std::size_t reader : of_tensor_[std::size_t(tensor)])
    if (readers_[reader].consumer >= 0) release_after(readers_[reader].consumer);
}

/// Rows before the first one that the node still reads are gone, also those that arrive after they were of use.
void EagerExecution::release_after(int node) {
  const int output = graph_.nodes[std::size_t(node)].output;
  const std::int64_t done = produced_[std::size_t(output)];
  for (const std::size_t index : of_node_[std::size_t(node)]) {
    Reader& reader = readers_[index];
    const std::int64_t image = done / height(output);
    const std::vector<int>& inputs = graph_.nodes[std::size_t(node)].inputs;
    int first = height(reader.tensor);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] == reader.tensor)
        first = std::min(first, needed_from_[std::size_t(node)][i][std::size_t(done % height(output))]);
    reader.released = std::min(image * height(reader.tensor) + first, produced_[std::size_t(reader.tensor)]);
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
