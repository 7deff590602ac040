// SPDX-License-Identifier: Apache-2.0
// Demand-driven schedules of one or several images, played with counters only.
#include "models/mapping/row_buffers.h"

#include <algorithm>

#include "models/input_error.h"

namespace mho::mapping {
namespace {

constexpr std::int64_t kMaxRows = std::int64_t{1} << 22;
constexpr int kStreamedImages = 8;

/// True where each of several output rows reads every row of the input: the second operand of a product of activations,
/// a vector that is added at every pixel.
bool needed_whole(const dnn::Graph& graph, const dnn::Node& node, std::size_t input) {
  const int rows = graph.output_of(node).shape.height, last = graph.input_of(node, input).shape.height - 1;
  return !slides(node) && rows > 1 && dnn::last_input_row(graph, node, 0, input) == last &&
         dnn::first_input_row(graph, node, rows - 1, input) == 0;
}

/// Rows that arrive until a consumer's next window is complete. A single output row has no next window in its image.
int rows_to_next(const dnn::Graph& graph, const dnn::Node& node) {
  return slides(node) && graph.output_of(node).shape.height > 1 ? node.window.stride_y : 1;
}

/// Rows of input `input` that should have come beyond those that output row `y` needs. Where every row needs all of
/// the input, what comes next is the next image's: as much of it as of the output is computed then, so that both are
/// complete at the same time. Of a vector made of a vector nothing: it takes hardly any time, and a whole image more
/// would have to be kept in the branch beside.
std::int64_t rows_ahead(const dnn::Graph& graph, const dnn::Node& node, int y, std::size_t input) {
  const int rows = graph.output_of(node).shape.height;
  if (rows == 1 && graph.input_of(node, input).shape.height == 1) return 0;
  if (!needed_whole(graph, node, input)) return rows_to_next(graph, node);
  return (y + std::int64_t{1}) * graph.input_of(node, input).shape.height / rows;
}

/// How a node pulls. `ahead`: before it computes a row it has the rows up to its next window brought as well. The input
/// that is brought first has no row in the making while the others are brought, so the order matters.
struct PullRule {
  int images = 1;
  bool ahead = false;
  bool last_input_first = false;
};

/// Rows produced so far of every tensor, and the most that each consumer had to keep. Rows count through all images.
class PullSchedule {
 public:
  PullSchedule(const dnn::Graph& graph, PullRule rule)
      : graph_(graph),
        rule_(rule),
        producer_(graph.tensors.size(), -1),
        produced_(graph.tensors.size(), 0),
        consumers_(graph.tensors.size()) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      producer_[std::size_t(graph.nodes[i].output)] = int(i);
      for (const int tensor : graph.nodes[i].inputs) {
        auto& of_tensor = consumers_[std::size_t(tensor)];
        if (of_tensor.empty() || of_tensor.back().consumer != int(i)) of_tensor.push_back({tensor, int(i), 0});
      }
    }
    for (const dnn::Node& node : graph.nodes) eager_.push_back(all_kept_whole(node.output));
  }

  /// Pulls the network's outputs row by row in turn, then what no output needed.
  void play() {
    std::int64_t rows = 0, tallest = 0;
    for (const dnn::Tensor& tensor : graph_.tensors) {
      rows += tensor.shape.height;
      tallest = std::max<std::int64_t>(tallest, tensor.shape.height);
    }
    if (rows > kMaxRows)
      throw InputError(graph_.name, 0, 0, "feature maps of " + std::to_string(rows) + " rows in all",
                       "at most " + std::to_string(kMaxRows));
    for (std::int64_t row = 1; row <= tallest * rule_.images; ++row)
      for (const int tensor : graph_.outputs) pull(tensor, row * height(tensor) / tallest);
    for (std::size_t tensor = 0; tensor < graph_.tensors.size(); ++tensor) pull(int(tensor), end(int(tensor)));
  }

  /// By tensor; entries of consumers in node order.
  const std::vector<std::vector<RowBuffer>>& most_alive() const { return consumers_; }

 private:
  struct Demand {
    int tensor;
    std::int64_t rows;
  };

  int height(int tensor) const { return graph_.tensors[std::size_t(tensor)].shape.height; }
  std::int64_t end(int tensor) const { return std::int64_t(rule_.images) * height(tensor); }

  /// Produces rows of `tensor` until there are `rows`; an explicit stack because networks are deep.
  void pull(int tensor, std::int64_t rows) {
    std::vector<Demand> stack{{tensor, rows}};
    while (!stack.empty()) {
      const Demand demand = stack.back();
      const std::int64_t row = produced_[std::size_t(demand.tensor)];
      if (row >= demand.rows) {
        stack.pop_back();
        continue;
      }
      const int node = producer_[std::size_t(demand.tensor)];
      if (node < 0 || !push_missing(graph_.nodes[std::size_t(node)], row, stack)) produce(demand.tensor);
    }
  }

  /// Adds the inputs that output row `row` still lacks; false where it lacks none.
  bool push_missing(const dnn::Node& node, std::int64_t row, std::vector<Demand>& stack) const {
    bool missing = false;
    const std::int64_t image = row / height(node.output);
    const int y = int(row % height(node.output));
    const std::size_t inputs = node.inputs.size();
    for (std::size_t i = 0; i < inputs; ++i) {  // what is pushed last is brought first
      const std::size_t input = rule_.last_input_first ? i : inputs - 1 - i;
      const int tensor = node.inputs[input];
      const std::int64_t last = image * height(tensor) + dnn::last_input_row(graph_, node, y, input);
      const std::int64_t ahead = rule_.ahead ? rows_ahead(graph_, node, y, input) : 0;
      const std::int64_t needed = std::min(last + 1 + ahead, end(tensor));
      if (produced_[std::size_t(tensor)] >= needed) continue;
      stack.push_back({tensor, needed});
      missing = true;
    }
    return missing;
  }

  /// One row, and what eager nodes make of it; again a stack instead of recursion.
  void produce(int tensor) {
    produce_row(tensor);
    std::vector<int> eager = eager_readers(tensor);
    while (!eager.empty()) {
      const dnn::Node& node = graph_.nodes[std::size_t(eager.back())];
      if (!is_ready(node)) {
        eager.pop_back();
        continue;
      }
      produce_row(node.output);
      for (const int reader : eager_readers(node.output)) eager.push_back(reader);
    }
  }

  std::vector<int> eager_readers(int tensor) const {
    std::vector<int> readers;
    for (const RowBuffer& buffer : consumers_[std::size_t(tensor)])
      if (eager_[std::size_t(buffer.consumer)]) readers.push_back(buffer.consumer);
    return readers;
  }

  void produce_row(int tensor) {
    const std::int64_t rows = ++produced_[std::size_t(tensor)];
    for (RowBuffer& buffer : consumers_[std::size_t(tensor)]) {
      const std::int64_t alive = rows - released_by(graph_.nodes[std::size_t(buffer.consumer)], tensor);
      buffer.rows = int(std::max<std::int64_t>(buffer.rows, alive));
    }
  }

  /// True where every reader keeps the tensor whole.
  bool all_kept_whole(int tensor) const {
    bool whole = !consumers_[std::size_t(tensor)].empty();
    for (const RowBuffer& buffer : consumers_[std::size_t(tensor)]) {
      const dnn::Node& node = graph_.nodes[std::size_t(buffer.consumer)];
      for (std::size_t i = 0; i < node.inputs.size(); ++i)
        whole = whole && (node.inputs[i] != tensor || needed_whole(graph_, node, i));
    }
    return whole;
  }

  /// True where all inputs of the node's next row have been produced.
  bool is_ready(const dnn::Node& node) const {
    const std::int64_t row = produced_[std::size_t(node.output)], image = row / height(node.output);
    if (row >= end(node.output)) return false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const int last = dnn::last_input_row(graph_, node, int(row % height(node.output)), i);
      if (produced_[std::size_t(node.inputs[i])] <= image * height(node.inputs[i]) + last) return false;
    }
    return true;
  }

  /// Rows that a consumer no longer needs; all rows of an image once its last output row of that image is computed.
  std::int64_t released_by(const dnn::Node& consumer, int tensor) const {
    const std::int64_t done = produced_[std::size_t(consumer.output)];
    const std::int64_t image = done / height(consumer.output);
    const int y = int(done % height(consumer.output));
    int first = height(tensor);
    for (std::size_t i = 0; i < consumer.inputs.size(); ++i)  // a node may read a tensor twice
      if (consumer.inputs[i] == tensor) first = std::min(first, dnn::first_input_row(graph_, consumer, y, i));
    return image * height(tensor) + first;
  }

  const dnn::Graph& graph_;
  PullRule rule_;
  std::vector<int> producer_;
  std::vector<std::int64_t> produced_;
  std::vector<std::vector<RowBuffer>> consumers_;
  std::vector<bool> eager_;  ///< by node: its rows are kept whole, so that its inputs need not wait for it
};

/// The consumer's kernel with its dilation, or what is alive for it, and the stride to the next window if there is one.
int capacity(const dnn::Graph& graph, const RowBuffer& alive) {
  if (alive.consumer < 0) return alive.rows + 1;
  const dnn::Node& node = graph.nodes[std::size_t(alive.consumer)];
  if (!slides(node)) return alive.rows + 1;
  const std::int64_t kernel = std::int64_t(node.window.kernel_height - 1) * node.window.dilation_y + 1;
  return int(std::min<std::int64_t>(std::max<std::int64_t>(alive.rows, kernel) + rows_to_next(graph, node), INT32_MAX));
}

std::vector<RowBuffer> most_alive(const dnn::Graph& graph, PullRule rule) {
  PullSchedule schedule(graph, rule);
  schedule.play();
  std::vector<RowBuffer> buffers;
  for (std::size_t tensor = 0; tensor < graph.tensors.size(); ++tensor) {
    if (std::find(graph.outputs.begin(), graph.outputs.end(), int(tensor)) != graph.outputs.end())
      buffers.push_back({int(tensor), -1, 1});
    for (const RowBuffer& alive : schedule.most_alive()[tensor])
      buffers.push_back({alive.tensor, alive.consumer, std::max(1, alive.rows)});
  }
  return buffers;
}

}  // namespace

std::vector<RowBuffer> rows_alive(const dnn::Graph& graph) { return most_alive(graph, {}); }

std::vector<RowBuffer> row_buffers(const dnn::Graph& graph) {
  std::vector<RowBuffer> buffers = most_alive(graph, {});
  for (RowBuffer& buffer : buffers) buffer.rows = capacity(graph, buffer);
  for (const bool last_input_first : {false, true}) {
    const std::vector<RowBuffer> ahead = most_alive(graph, {kStreamedImages, true, last_input_first});
    for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].rows = std::max(buffers[i].rows, ahead[i].rows);
  }
  return buffers;
}

std::int64_t pixel_granular_values(const dnn::Graph& graph, const dnn::Node& node) {
  const dnn::Shape& input = graph.input_of(node).shape;
  return (std::int64_t(input.width) * (node.window.kernel_height - 1) + node.window.kernel_width) * input.channels;
}

}  // namespace mho::mapping
