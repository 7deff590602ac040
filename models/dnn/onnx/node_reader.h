// SPDX-License-Identifier: Apache-2.0
// One ONNX node as its operator function sees it: attributes that must all be asked for, inputs by meaning, and
// messages that name the node.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "models/dnn/onnx/model_reader.h"

namespace mho::dnn {

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

  /// Input `i` of any kind. A pending result may have this node as its only reader.
  const Value& value(int i) const;
  /// Input `i`, an activation in real values, quantised or pending.
  const Value& activation(int i) const;
  /// Input `i`, the real values of a tensor.
  const Value& real(int i) const;
  /// Input `i`, codes as stored.
  const Value& codes(int i) const;
  /// Input `i` as weights or bias behind a DequantizeLinear.
  const ScaledConstant& scaled_constant(int i) const;
  OnnxTensor constant(int i) const;
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

  void result(Value value) { model_.define(output_name(), std::move(value)); }
  void result(std::shared_ptr<PendingNode> pending, const Shape& shape, int rank);

 private:
  const onnx::AttributeProto* find(const char* name, int type);

  ModelReader& model_;
  const onnx::NodeProto& node_;
  std::set<std::string> read_;
};

}  // namespace mho::dnn
