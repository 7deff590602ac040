// SPDX-License-Identifier: Apache-2.0
// Self-timed execution of row dependencies.
#include "testbenches/models/mapping/timed_execution.h"

#include <algorithm>

namespace mho::mapping {
namespace {

constexpr int kImages = 12;

class TimedExecution {
 public:
  TimedExecution(const dnn::Graph& graph, const std::vector<RowBuffer>& buffers)
      : graph_(graph), buffers_(buffers), producer_(graph.tensors.size(), -1), finished_(graph.tensors.size()) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) producer_[std::size_t(graph.nodes[i].output)] = int(i);
  }

  double interval() {
    for (bool progress = true; progress;) {
      progress = false;
      for (int tensor = 0; tensor < int(graph_.tensors.size()); ++tensor)
        while (advance(tensor)) progress = true;
    }
    const auto& rows = finished_[std::size_t(graph_.outputs[0])];
    const auto height = std::size_t(graph_.tensors[std::size_t(graph_.outputs[0])].shape.height);
    if (rows.size() < height * kImages) return 0.0;
    return (rows.back() - rows[height * kImages / 2 - 1]) / (kImages / 2);
  }

 private:
  int height(int tensor) const { return graph_.tensors[std::size_t(tensor)].shape.height; }

  double duration(int tensor) const { return height(tensor) == 1 ? 0.02 : 1.0 / height(tensor); }

  /// Computes the next row of a tensor; false while something it waits for has no time yet.
  bool advance(int tensor) {
    auto& rows = finished_[std::size_t(tensor)];
    if (rows.size() == std::size_t(kImages * height(tensor))) return false;
    double start = rows.empty() ? 0.0 : rows.back();
    if (!wait_for_inputs(tensor, int(rows.size()), start) || !wait_for_space(tensor, int(rows.size()), start))
      return false;
    rows.push_back(start + duration(tensor));
    return true;
  }

  bool wait_for(int tensor, int row, double& start) const {
    const auto& rows = finished_[std::size_t(tensor)];
    if (rows.size() <= std::size_t(row)) return false;
    start = std::max(start, rows[std::size_t(row)]);
    return true;
  }

  bool wait_for_inputs(int tensor, int row, double& start) const {
    if (producer_[std::size_t(tensor)] < 0) return true;
    const dnn::Node& node = graph_.nodes[std::size_t(producer_[std::size_t(tensor)])];
    const int image = row / height(tensor);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const int needed = dnn::last_input_row(graph_, node, row % height(tensor), i);
      if (!wait_for(node.inputs[i], image * height(node.inputs[i]) + needed, start)) return false;
    }
    return true;
  }

  bool wait_for_space(int tensor, int row, double& start) const {
    for (const RowBuffer& buffer : buffers_) {
      const int freed = row - buffer.rows;  // this row must be gone
      if (buffer.tensor != tensor || buffer.consumer < 0 || freed < 0) continue;
      const dnn::Node& consumer = graph_.nodes[std::size_t(buffer.consumer)];
      const int last = height(consumer.output) - 1;
      int y = 0;
      for (std::size_t i = 0; i < consumer.inputs.size(); ++i)
        while (consumer.inputs[i] == tensor && y < last &&
               dnn::first_input_row(graph_, consumer, y + 1, i) <= freed % height(tensor))
          ++y;
      if (!wait_for(consumer.output, freed / height(tensor) * (last + 1) + y, start)) return false;
    }
    return true;
  }

  const dnn::Graph& graph_;
  const std::vector<RowBuffer>& buffers_;
  std::vector<int> producer_;
  std::vector<std::vector<double>> finished_;  ///< [tensor][row]: when
};

}  // namespace

double steady_interval(const dnn::Graph& graph, const std::vector<RowBuffer>& buffers) {
  return TimedExecution(graph, buffers).interval();
}

}  // namespace mho::mapping
