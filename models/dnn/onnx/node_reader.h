// SPDX-License-Identifier: Apache-2.0
// One ONNX node as its operator function sees it: attributes that must all be asked for, inputs by meaning, and
// messages that name the node.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "models/dnn/onnx/model_reader.h"

namespace mho::dnn {

/// Outputs that a node may have.
enum class Outputs : std::uint8_t {
  kOne,           ///< exactly one
  kUnreadExtras,  ///< more, which nothing may read
  kMany,
};

class NodeReader {
 public:
  NodeReader(ModelReader& model, const onnx::NodeProto& node);

  [[noreturn]] void refuse(const std::string& problem, const std::string& allowed) const;
  ModelReader& model() const { return model_; }
  /// Name for the node of the graph: the ONNX node's, else its output's.
  const std::string& name() const { return node_.name().empty() ? node_.output(0) : node_.name(); }
  const std::string& output_name() const { return node_.output(0); }
  const std::string& input_name(int i) const { return node_.input(i); }
  int inputs() const { return node_.input_size(); }
  bool has(int i) const { return i < node_.input_size() && !node_.input(i).empty(); }
  void require_inputs(int least, int most) const;
  /// Refuses results that no tensor can be.
  void check_size(const Shape& shape) const;
  void check_axes(const View& view) const;

  const std::string& op_type() const { return node_.op_type(); }
  /// Input `i` of any kind, which nothing is done to.
  const Value& value_of_any(int i) const;
  /// Input `i` of any kind. An open result has this node as its only reader; where there are more, it is closed here,
  /// unless all of them choose from it.
  const Value& value(int i) const;
  /// Input `i`, an activation in real values: of a tensor (kReal) or the result of an open node (kPending).
  Value activation(int i) const;
  /// `value` as the real values (or codes) of a tensor; an open node is closed.
  Value closed(Value value) const;
  /// Input `i`, the real values of a tensor; an open node is closed.
  Value real(int i) const;
  /// Input `i`, codes as stored.
  const Value& codes(int i) const;
  bool is_constant(int i) const;
  /// A constant as stored, or codes behind a DequantizeLinear with their scales.
  ScaledConstant weights(int i) const;
  OnnxTensor constant(int i) const;
  /// A constant of integers, at most one axis.
  std::vector<std::int64_t> integers(int i) const;
  /// A tensor of the file as it is stored; refuses what is wrong with it.
  OnnxTensor decoded(const onnx::TensorProto& stored) const;
  /// One finite number.
  double constant_number(int i) const;
  /// Positive scales, one or more.
  std::vector<double> scales(int i) const;
  /// Type, scale and zero point of an activation from the constants `scale` and `zero_point` (which may be missing).
  CodeFormat format(int scale, int zero_point) const;

  /// Attributes; each that is present must be asked for.
  std::int64_t integer(const char* name, std::int64_t otherwise);
  double number(const char* name, double otherwise);
  std::string text(const char* name, const char* otherwise);
  std::vector<std::int64_t> list(const char* name);
  const onnx::TensorProto* tensor(const char* name);
  bool has_attribute(const char* name) const;
  /// Refuses attributes that nobody asked for: they would change the meaning.
  void require_all_read() const;

  int outputs() const { return node_.output_size(); }
  /// True where output `i` has a name and a reader.
  bool is_read(int i) const { return model_.readers(node_.output(i)) > 0; }
  /// Refuses outputs beyond what the operator gives.
  void check_outputs(Outputs allowed) const;
  void result(Value value);
  void result(std::shared_ptr<PendingNode> pending, const View& view, int which = 0);

 private:
  const onnx::AttributeProto* find(const char* name, int type);

  ModelReader& model_;
  const onnx::NodeProto& node_;
  std::set<std::string> read_;
};

}  // namespace mho::dnn
