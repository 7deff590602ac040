// SPDX-License-Identifier: Apache-2.0
// Tensors and nodes in the order in which they come into being. A real range becomes bounds on codes here: quantisation
// is monotonic, so bounding the real value and bounding the code are the same.
#include "models/dnn/onnx/network_builder.h"

#include <algorithm>
#include <cmath>

namespace mho::dnn {

namespace {

bool same(const CodeFormat& a, const CodeFormat& b) {
  return a.type == b.type && a.scale == b.scale && a.zero_point == b.zero_point;
}

int bound_code(double bound, const CodeFormat& format) {
  const double code = std::nearbyint(bound / format.scale) + format.zero_point;
  return int(std::clamp(code, double(lowest_code(format.type)), double(highest_code(format.type))));
}

void bound_codes(PendingNode& pending, const CodeFormat& format) {
  pending.node.lower = bound_code(pending.range.lower, format);
  pending.node.upper = bound_code(pending.range.upper, format);
}

/// True where every result is a value of the input, or zero: its codes say it without a rounding.
bool keeps_format(const PendingNode& pending) {
  const bool at_zero = !pending.is_bounded() || (pending.range.lower == 0.0 && std::isinf(pending.range.upper));
  switch (pending.node.op) {
    case Operator::kMaxPool:
    case Operator::kSelect:
    case Operator::kPad:
    case Operator::kRequantise:
      return at_zero;
    default:
      return false;
  }
}

}  // namespace

std::string NetworkBuilder::unique(Names& names, const std::string& name, const std::set<std::string>& foreign) {
  if (names.used.insert(name).second) return name;
  int& number = names.next.emplace(name, 1).first->second;
  for (;;) {
    std::string numbered = name + "#" + std::to_string(++number);
    if (foreign.count(numbered) == 0 && names.used.insert(numbered).second) return numbered;
  }
}

int NetworkBuilder::add_tensor(const std::string& name, const Shape& shape, const CodeFormat& format) {
  const int index = int(network_.graph.tensors.size());
  network_.graph.tensors.push_back(
      {unique(tensor_names_, name, names_), shape, format.type, format.scale, format.zero_point, false});
  origin_.push_back(index);
  format_known_.push_back(true);
  real_.push_back(false);
  writer_.push_back(-1);
  return index;
}

int NetworkBuilder::add_tensor_like(const std::string& name, const Shape& shape, int origin) {
  const int index = add_tensor(name, shape, format(origin));
  origin_.back() = origin_[std::size_t(origin)];
  return index;
}

int NetworkBuilder::add_real_tensor(const std::string& name, const Shape& shape) {
  CodeFormat none;
  none.type = CodeType::kInt8;  // what validate checks until the tensor is quantised
  const int index = add_tensor(name, shape, none);
  real_.back() = true;
  return index;
}

int NetworkBuilder::quantise_input(const std::string& name, const Shape& shape, const CodeFormat& format) {
  const int known = quantised_input(name);
  if (known >= 0) return same(this->format(known), format) ? known : -1;
  return quantised_inputs_[name] = add_tensor(name, shape, format);
}

int NetworkBuilder::quantised_input(const std::string& name) const {
  const auto known = quantised_inputs_.find(name);
  return known == quantised_inputs_.end() ? -1 : known->second;
}

CodeFormat NetworkBuilder::format(int tensor) const {
  const Tensor& origin = this->tensor(origin_[std::size_t(tensor)]);
  return {origin.type, origin.scale, origin.zero_point};
}

bool NetworkBuilder::agree_on_format(int tensor, const CodeFormat& format) {
  const auto origin = std::size_t(origin_[std::size_t(tensor)]);
  if (real_[origin]) return false;
  Tensor& t = network_.graph.tensors[origin];
  if (!format_known_[origin] && t.type == format.type) {
    t.scale = format.scale;
    t.zero_point = format.zero_point;
    format_known_[origin] = true;
  }
  return same(this->format(tensor), format);
}

void NetworkBuilder::add_node(PendingNode& pending) {
  pending.node.output = pending.tensor;
  writer_[std::size_t(pending.tensor)] = int(network_.graph.nodes.size());
  tensor(pending.tensor).sequence = pending.sequence;
  pending.node.name = unique(node_names_, pending.node.name, {});
  network_.graph.nodes.push_back(std::move(pending.node));
  network_.real_weights.push_back(std::move(pending.real));
  network_.range.push_back(pending.range);
}

int NetworkBuilder::finish(PendingNode& pending, const std::string& name, const CodeFormat& format) {
  pending.tensor = add_tensor(name, pending.shape, format);
  bound_codes(pending, format);
  add_node(pending);
  return pending.tensor;
}

int NetworkBuilder::settle(PendingNode& pending) {
  if (!pending.is_open()) return pending.tensor;
  if (keeps_format(pending))
    pending.tensor = add_tensor_like(pending.name, pending.shape, pending.node.inputs[0]);
  else
    pending.tensor = add_real_tensor(pending.name, pending.shape);
  bound_codes(pending, is_real(pending.tensor) ? CodeFormat{CodeType::kInt8, 1.0, 0} : format(pending.tensor));
  if (is_real(pending.tensor)) {
    pending.node.lower = lowest_code(CodeType::kInt8);
    pending.node.upper = highest_code(CodeType::kInt8);
  }
  add_node(pending);
  return pending.tensor;
}

RealWeights* NetworkBuilder::real_product(int tensor) {
  const int writer = writer_[std::size_t(tensor)];
  if (writer < 0 || network_.real_weights[std::size_t(writer)].values.empty()) return nullptr;
  const RealRange& range = network_.range[std::size_t(writer)];
  if (!std::isinf(range.lower) || !std::isinf(range.upper) || !is_real(tensor)) return nullptr;
  return &network_.real_weights[std::size_t(writer)];
}

FloatNetwork& NetworkBuilder::close() {
  Graph& graph = network_.graph;
  network_.quantised.clear();
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    const CodeFormat known = format(int(i));
    graph.tensors[i].scale = known.scale;
    graph.tensors[i].zero_point = known.zero_point;
    network_.quantised.push_back(!is_real(int(i)));
  }
  return network_;
}

}  // namespace mho::dnn
