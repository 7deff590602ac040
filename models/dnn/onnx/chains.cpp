// SPDX-License-Identifier: Apache-2.0
// Each chain is walked from the one node that is rare (Sqrt, Erf, Clip, HardSigmoid) to both ends.
#include "models/dnn/onnx/chains.h"

#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

using onnx::NodeProto;

bool near(double a, double b) { return std::abs(a - b) <= 1e-4 * std::abs(b); }

const onnx::AttributeProto* attribute(const NodeProto& node, const char* name) {
  for (const onnx::AttributeProto& a : node.attribute())
    if (a.name() == name) return &a;
  return nullptr;
}

class ChainFinder {
 public:
  explicit ChainFinder(const onnx::GraphProto& graph) : graph_(graph), gone_(std::size_t(graph.node_size()), false) {
    for (const onnx::TensorProto& t : graph.initializer()) constants_[t.name()] = &t;
    for (int i = 0; i < graph.node_size(); ++i) index(i);
    for (const onnx::ValueInfoProto& output : graph.output()) ++reads_[output.name()];
  }
  std::vector<const NodeProto*> run(std::deque<NodeProto>& made);

 private:
  using Chain = std::set<int>;

  void index(int i);
  /// The node that writes `value`, if it is `op`; -1 otherwise.
  int writer(const std::string& value, const char* op) const;
  /// The only reader of the node's output, if it is `op`.
  int sole_reader(int node, const char* op) const;
  const NodeProto& at(int i) const { return graph_.node(i); }
  const std::string& in(int node, int i) const;
  /// The other operand of a node that reads `value`; empty where it does not.
  std::string other(int node, const std::string& value) const;
  bool is_constant(const std::string& value) const { return constants_.count(value) > 0; }
  /// A constant of one element.
  std::optional<double> number(const std::string& value) const;
  bool is_number(const std::string& value, double expected) const;
  /// The other operand is `expected`.
  bool with_number(int node, const std::string& value, double expected) const;
  /// True where `node` divides `value` by `divisor` or multiplies it by its inverse.
  bool divides(int node, const std::string& value, double divisor) const;
  bool is_closed(const Chain& chain, int last) const;
  bool replace(const Chain& chain, int last, const char* op, const std::vector<std::string>& inputs,
               std::deque<NodeProto>& made);

  bool layer_norm(int sqrt, std::deque<NodeProto>& made);
  bool gelu(int erf, std::deque<NodeProto>& made);
  bool hard_swish(int start, std::deque<NodeProto>& made);
  int centred(const std::string& value, std::string& x, Chain& chain) const;
  bool is_last_axis_mean(int node) const;

  const onnx::GraphProto& graph_;
  std::map<std::string, int> writers_;
  std::map<std::string, std::vector<int>> readers_;
  std::map<std::string, int> reads_;
  std::map<std::string, const onnx::TensorProto*> constants_;
  std::vector<bool> gone_;
  std::map<int, const NodeProto*> made_at_;
};

void ChainFinder::index(int i) {
  const NodeProto& node = at(i);
  for (const std::string& input : node.input()) {
    ++reads_[input];
    readers_[input].push_back(i);
  }
  for (const std::string& output : node.output()) writers_.emplace(output, i);
  if (node.output_size() != 1) return;
  if (node.op_type() == "Constant" && attribute(node, "value") != nullptr)
    constants_[node.output(0)] = &attribute(node, "value")->t();
  if (node.op_type() == "Identity" && node.input_size() == 1 && is_constant(node.input(0)))
    constants_[node.output(0)] = constants_[node.input(0)];
}

int ChainFinder::writer(const std::string& value, const char* op) const {
  const auto found = writers_.find(value);
  if (found == writers_.end() || gone_[std::size_t(found->second)]) return -1;
  const NodeProto& node = at(found->second);
  return node.op_type() == op && node.domain().empty() && node.output_size() == 1 ? found->second : -1;
}

int ChainFinder::sole_reader(int node, const char* op) const {
  const auto found = readers_.find(at(node).output(0));
  if (found == readers_.end() || reads_.at(at(node).output(0)) != 1) return -1;
  const int reader = found->second[0];
  return at(reader).op_type() == op && at(reader).output_size() == 1 && !gone_[std::size_t(reader)] ? reader : -1;
}

const std::string& ChainFinder::in(int node, int i) const {
  static const std::string none;
  return node >= 0 && i < at(node).input_size() ? at(node).input(i) : none;
}

std::string ChainFinder::other(int node, const std::string& value) const {
  if (node < 0 || at(node).input_size() != 2) return {};
  return in(node, 0) == value ? in(node, 1) : in(node, 1) == value ? in(node, 0) : std::string();
}

std::optional<double> ChainFinder::number(const std::string& value) const {
  const auto found = constants_.find(value);
  if (found == constants_.end()) return std::nullopt;
  for (const std::int64_t extent : found->second->dims())
    if (extent != 1) return std::nullopt;
  try {
    return numbers(decode(*found->second)).at(0);
  } catch (const TensorFault&) {
    return std::nullopt;
  }
}

bool ChainFinder::is_number(const std::string& value, double expected) const {
  const std::optional<double> found = number(value);
  return found && near(*found, expected);
}

bool ChainFinder::with_number(int node, const std::string& value, double expected) const {
  return is_number(other(node, value), expected);
}

bool ChainFinder::divides(int node, const std::string& value, double divisor) const {
  if (node < 0 || in(node, 0) != value)
    return node >= 0 && at(node).op_type() == "Mul" && with_number(node, value, 1 / divisor);
  return with_number(node, value, at(node).op_type() == "Div" ? divisor : 1 / divisor);
}

/// Nobody outside reads what the chain computes on its way.
bool ChainFinder::is_closed(const Chain& chain, int last) const {
  for (const int node : chain) {
    if (node == last) continue;
    if (reads_.at(at(node).output(0)) > 2 * int(chain.size())) return false;
    int inside = 0;
    for (const int reader : readers_.at(at(node).output(0))) inside += int(chain.count(reader));
    if (inside != reads_.at(at(node).output(0))) return false;
  }
  return true;
}

bool ChainFinder::replace(const Chain& chain, int last, const char* op, const std::vector<std::string>& inputs,
                          std::deque<NodeProto>& made) {
  if (!is_closed(chain, last)) return false;
  NodeProto node;
  node.set_name(at(last).name());
  node.set_op_type(op);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(at(last).output(0));
  made.push_back(std::move(node));
  made_at_[last] = &made.back();
  for (const int i : chain) gone_[std::size_t(i)] = true;
  return true;
}

bool ChainFinder::is_last_axis_mean(int node) const {
  if (node < 0) return false;
  const onnx::AttributeProto* axes = attribute(at(node), "axes");
  const onnx::AttributeProto* keeps = attribute(at(node), "keepdims");
  if (axes != nullptr && (axes->ints_size() != 1 || axes->ints(0) != -1)) return false;
  if (axes == nullptr && !is_number(in(node, 1), -1)) return false;
  return keeps == nullptr || keeps->i() == 1;
}

/// `value` is x - mean(x): the Sub, with its nodes in `chain`.
int ChainFinder::centred(const std::string& value, std::string& x, Chain& chain) const {
  const int sub = writer(value, "Sub");
  const int mean = writer(in(sub, 1), "ReduceMean");
  if (sub < 0 || !is_last_axis_mean(mean) || in(mean, 0) != in(sub, 0)) return -1;
  if (!x.empty() && x != in(sub, 0)) return -1;
  x = in(sub, 0);
  chain.insert(sub);
  chain.insert(mean);
  return sub;
}

/// (x - mean) / sqrt(mean((x - mean)^2) + epsilon) [* gain [+ offset]]
bool ChainFinder::layer_norm(int sqrt, std::deque<NodeProto>& made) {
  const int div = sole_reader(sqrt, "Div"), add = writer(in(sqrt, 0), "Add");
  int variance = writer(in(add, 0), "ReduceMean");
  const std::string epsilon = in(add, variance < 0 ? 0 : 1);
  if (variance < 0) variance = writer(in(add, 1), "ReduceMean");
  if (div < 0 || in(div, 1) != at(sqrt).output(0) || !is_last_axis_mean(variance) || !is_constant(epsilon))
    return false;
  int square = writer(in(variance, 0), "Pow");
  if (square >= 0 ? !is_number(in(square, 1), 2)
                  : (square = writer(in(variance, 0), "Mul")) < 0 || in(square, 0) != in(square, 1))
    return false;
  Chain chain = {sqrt, div, add, variance, square};
  std::string x;
  if (centred(in(square, 0), x, chain) < 0 || centred(in(div, 0), x, chain) < 0) return false;
  std::vector<std::string> inputs = {x};
  int last = div;
  const int gain = sole_reader(div, "Mul");
  if (gain >= 0 && is_constant(other(gain, at(div).output(0)))) {
    inputs.push_back(other(gain, at(div).output(0)));
    chain.insert(last = gain);
    const int offset = sole_reader(gain, "Add");
    if (offset >= 0 && is_constant(other(offset, at(gain).output(0)))) {
      inputs.push_back(other(offset, at(gain).output(0)));
      chain.insert(last = offset);
    }
  }
  const std::optional<double> value = number(epsilon);
  if (!value || !replace(chain, last, "LayerNormalization", inputs, made)) return false;
  onnx::AttributeProto& a = *made.back().add_attribute();
  a.set_name("epsilon");
  a.set_type(onnx::AttributeProto::FLOAT);
  a.set_f(float(*value));
  return true;
}

/// x / 2 * (1 + erf(x / sqrt 2)), with the half at any of three places.
bool ChainFinder::gelu(int erf, std::deque<NodeProto>& made) {
  int inner = writer(in(erf, 0), "Div");
  if (inner < 0) inner = writer(in(erf, 0), "Mul");
  if (inner < 0) return false;
  const std::string x = is_constant(in(inner, 0)) ? in(inner, 1) : in(inner, 0);
  const int add = sole_reader(erf, "Add");
  if (!divides(inner, x, std::sqrt(2.0)) || add < 0 || !with_number(add, at(erf).output(0), 1)) return false;
  const int first = sole_reader(add, "Mul");
  if (first < 0) return false;
  const std::string factor = other(first, at(add).output(0));
  Chain chain = {inner, erf, add, first};
  const int half = writer(factor, "Mul");
  if (half >= 0 && with_number(half, x, 0.5)) {  // (x / 2) * (1 + erf)
    chain.insert(half);
    if (replace(chain, first, "Gelu", {x}, made)) return true;
  }
  const int second = sole_reader(first, "Mul");
  if (second < 0) return false;
  chain = {inner, erf, add, first, second};
  const std::string last = other(second, at(first).output(0));
  const bool fits = factor == x ? is_number(last, 0.5) : is_number(factor, 0.5) && last == x;
  return fits && replace(chain, second, "Gelu", {x}, made);
}

/// x * HardSigmoid(x) of slope 1/6, or x * Clip(x + 3, 0, 6) / 6 in either order.
bool ChainFinder::hard_swish(int start, std::deque<NodeProto>& made) {
  if (at(start).op_type() == "HardSigmoid") {
    const onnx::AttributeProto* alpha = attribute(at(start), "alpha");
    const int mul = sole_reader(start, "Mul");
    if (alpha == nullptr || !near(alpha->f(), 1.0 / 6) || other(mul, at(start).output(0)) != in(start, 0)) return false;
    const onnx::AttributeProto* beta = attribute(at(start), "beta");
    if (beta != nullptr && beta->f() != 0.5f) return false;
    return replace({start, mul}, mul, "HardSwish", {in(start, 0)}, made);
  }
  const int add = writer(in(start, 0), "Add");
  if (add < 0 || at(start).input_size() != 3 || !is_number(in(start, 1), 0) || !is_number(in(start, 2), 6))
    return false;
  const std::string x = is_constant(in(add, 0)) ? in(add, 1) : in(add, 0);
  if (!with_number(add, x, 3)) return false;
  int first = sole_reader(start, "Div");
  if (first < 0) first = sole_reader(start, "Mul");
  if (first < 0) return false;
  int second = sole_reader(first, "Mul");
  if (second < 0) second = sole_reader(first, "Div");
  if (second < 0) return false;
  const std::string middle = at(first).output(0);
  const bool scaled_first = divides(first, at(start).output(0), 6) && other(second, middle) == x;
  const bool scaled_last = other(first, at(start).output(0)) == x && divides(second, middle, 6);
  return (scaled_first || scaled_last) && replace({add, start, first, second}, second, "HardSwish", {x}, made);
}

std::vector<const NodeProto*> ChainFinder::run(std::deque<NodeProto>& made) {
  for (int i = 0; i < graph_.node_size(); ++i) {
    const std::string& op = at(i).op_type();
    if (gone_[std::size_t(i)] || at(i).output_size() != 1 || at(i).input_size() < 1) continue;
    if (op == "Sqrt") layer_norm(i, made);
    if (op == "Erf") gelu(i, made);
    if (op == "HardSigmoid" || op == "Clip") hard_swish(i, made);
  }
  std::vector<const NodeProto*> nodes;
  for (int i = 0; i < graph_.node_size(); ++i) {
    const auto found = made_at_.find(i);
    if (found != made_at_.end())
      nodes.push_back(found->second);
    else if (!gone_[std::size_t(i)])
      nodes.push_back(&at(i));
  }
  return nodes;
}

}  // namespace

std::vector<const NodeProto*> fused_nodes(const onnx::GraphProto& graph, std::deque<NodeProto>& made) {
  return ChainFinder(graph).run(made);
}

}  // namespace mho::dnn
