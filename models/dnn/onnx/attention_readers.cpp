// SPDX-License-Identifier: Apache-2.0
// Products of two activations, as attention has them: scores of queries and keys, and sums of values, each head by
// itself. What decides is not the order of axes in the file but where the elements are stored.
#include "models/dnn/onnx/attention_readers.h"

namespace mho::dnn {

namespace {

/// The two matrices of a MatMul over the stored elements of their operands: leading axes joined, rows, columns.
struct Operand {
  Value value;
  Factors heads, rows, columns;
};

Factors run(std::int64_t extent, std::int64_t stride) { return extent > 1 ? Factors{{extent, stride}} : Factors{}; }

std::optional<Operand> operand(const Value& value, bool transposed) {
  const std::optional<View> view = split_at_pixels(value.view, value.shape.channels);
  const int rank = value.view.rank();
  if (!view || rank < 2) return std::nullopt;
  Operand out = {value, view->joined(0, rank - 2), merged(view->axes[std::size_t(rank - 2)]),
                 merged(view->axes[std::size_t(rank - 1)])};
  if (transposed) std::swap(out.rows, out.columns);
  return out;
}

/// What a kMatMul computes of two operands, or no heads where it cannot compute it.
struct Match {
  int heads = 0;
  bool transposed = false;
  int channels = 0;          ///< of the output
  std::int64_t columns = 1;  ///< of one head's result
};

Match match(const Operand& a, const Operand& b) {
  Match none;
  const std::int64_t channels_a = a.value.shape.channels, channels_b = b.value.shape.channels;
  const std::int64_t pixels_b = std::int64_t(b.value.shape.height) * b.value.shape.width;
  const std::int64_t heads = extent_of(a.heads), inner = extent_of(a.columns);
  if (extent_of(b.heads) != heads || extent_of(b.rows) != inner || channels_a % heads != 0 || channels_b % heads != 0)
    return none;
  // The channels of `a` are [head][inner], its pixels the rows.
  if (!(a.heads == run(heads, channels_a / heads)) || !(a.columns == run(inner, 1)) || inner != channels_a / heads ||
      !within_pixels(a.rows, channels_a))
    return none;
  if (!(b.heads == run(heads, channels_b / heads))) return none;
  const Factors pixels = run(pixels_b, channels_b), channels = run(channels_b / heads, 1);
  if (b.rows == channels && b.columns == pixels && channels_a == channels_b)
    return {int(heads), true, int(heads * pixels_b), pixels_b};
  if (b.rows == pixels && b.columns == channels) return {int(heads), false, int(channels_b), channels_b / heads};
  return none;
}

/// View of a product's result: the leading axes and rows of `a`, and the new columns.
View result_view(const Operand& a, const Match& found, bool swapped) {
  const std::int64_t from = a.value.shape.channels;
  View view = *split_at_pixels(a.value.view, from);
  const int rank = view.rank();
  // Heads may be several axes; each keeps its extent.
  for (int axis = 0; axis < rank - 2; ++axis)
    for (Factor& factor : view.axes[std::size_t(axis)])
      factor.stride = factor.stride / (from / found.heads) * found.columns;
  Factors rows = with_channels(a.rows, from, found.channels), columns = run(found.columns, 1);
  if (swapped) std::swap(rows, columns);
  view.axes[std::size_t(rank - 2)] = rows;
  view.axes[std::size_t(rank - 1)] = columns;
  return view;
}

}  // namespace

void read_activation_product(NodeReader& node) {
  // What is still open here has no other reader.
  const bool sole = node.value(0).kind == Value::Kind::kPending && node.value(0).pending->is_open();
  const Value a = node.real(0), b = node.real(1);
  for (const bool swapped : {false, true}) {
    // (a b)^T = b^T a^T
    const std::optional<Operand> first = operand(swapped ? b : a, swapped), second = operand(swapped ? a : b, swapped);
    const Match found = first && second ? match(*first, *second) : Match{};
    if (found.heads == 0) continue;
    if (std::int64_t(found.heads) * found.columns > kMaxExtent) node.refuse("has too many results", "fewer positions");
    const auto pending = pending_node(node, Operator::kMatMul, first->value);
    pending->node.inputs.push_back(second->value.tensor);
    pending->node.heads = found.heads;
    pending->node.transposed = found.transposed;
    pending->shape.channels = found.channels;
    if (sole && !swapped && a.tensor != b.tensor) pending->sole_product = a.tensor;
    return node.result(pending, result_view(*first, found, swapped));
  }
  node.refuse("multiplies two activations whose axes do not lie as attention has them",
              "[N, heads, S, d] x [N, heads, d, T] or [N, heads, S, T] x [N, heads, T, d] over channels [heads, d]");
}

}  // namespace mho::dnn
