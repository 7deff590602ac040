// SPDX-License-Identifier: Apache-2.0
// Turns a graph into the nodes of an ONNX model. Every tensor is written as codes and opened once by a
// DequantizeLinear; each node stands between that and a QuantizeLinear. What an operator becomes is in the files
// *_writers.cpp.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/dnn/graph.h"
#include "models/dnn/onnx/onnx_proto.h"

namespace mho::dnn {

class GraphWriter {
 public:
  /// Writes a valid graph that holds its weight values and outlives this object.
  explicit GraphWriter(const Graph& graph);
  const onnx::ModelProto& model() const { return model_; }

 private:
  using Dims = std::vector<std::int64_t>;
  /// Axes of a tensor in the file.
  enum class Form {
    kMap,       ///< [N, C, H, W]
    kVector,    ///< [N, C]: outputs of fully connected layers that only such layers read
    kSequence,  ///< [N, positions, C]
    kHeads,     ///< [N, heads, positions, positions]: scores between two operators of attention
  };

  // graph_writer.cpp
  void declare(int tensor, onnx::ValueInfoProto& info) const;
  void write(const Node& node);
  std::string write_clip(const Node& node, const std::string& name, const std::string& value);
  onnx::NodeProto& add(const char* op, const std::vector<std::string>& inputs, const std::string& output);
  std::string constant(const std::string& name, int type, const Dims& dims, const void* bytes, std::size_t length);
  std::string number(const std::string& name, double value);
  std::string numbers(const std::string& name, const Dims& dims, const std::vector<double>& values);
  std::string integers(const std::string& name, const Dims& values);
  std::string reshaped(const std::string& value, const std::string& name, const Dims& dims);
  std::string transposed(const std::string& value, const std::string& name, const Dims& axes);
  std::string scale_of(int tensor);
  std::string zero_of(int tensor);
  void need_opset(int version);

  /// A result and its form.
  struct Result {
    std::string value;
    Form form;
  };
  /// Gives the node's name to that ONNX node, of those written from number `first` on, after which readers call it.
  void keep_name(const Node& node, int first);
  /// The real values of the node from operators named after `name`.
  Result write_operator(const Node& node, const std::string& name);

  // tensor_forms.cpp
  void find_forms();
  bool is_classifier_layer(const Node& node) const;
  bool stays_in_heads(const Node& node) const;
  std::string real(int tensor);
  std::string real_as(int tensor, Form form);
  std::string converted(const std::string& value, int tensor, Form from, Form to, const std::string& name);

  // product_writers.cpp
  Result write_product(const Node& node, const std::string& name);
  std::string weights_of(const Node& node, const std::string& name, bool columns_first);
  std::string bias_of(const Node& node, const std::string& name);
  void add_weights(const std::string& name, const Dims& dims, int axis, const std::vector<std::int8_t>& codes,
                   const std::vector<double>& scales);

  // channel_writers.cpp
  Result write_pool(const Node& node, const std::string& name);
  Result write_element_wise(const Node& node, const std::string& name);
  Result write_concat(const Node& node, const std::string& name);
  Result write_select(const Node& node, const std::string& name);
  Result write_pad(const Node& node, const std::string& name);
  Result write_affine(const Node& node, const std::string& name);
  Result write_function(const Node& node, const std::string& name);
  std::string write_gelu(const std::string& value, const std::string& name);

  // attention_writers.cpp
  Result write_softmax(const Node& node, const std::string& name);
  Result write_layer_norm(const Node& node, const std::string& name);
  Result write_matmul(const Node& node, const std::string& name);
  std::string in_heads(int tensor, int heads, bool transposed_heads, const std::string& name);

  const Tensor& tensor(int index) const { return graph_.tensors[std::size_t(index)]; }
  Form form_of(int tensor) const { return forms_[std::size_t(tensor)]; }
  /// The form of what a node writes, where its operator has a choice.
  Form own_form(const Node& node) const { return form_of(node.output); }
  /// The axis of channels; maps and vectors have it behind N.
  static int channel_axis(Form form) { return form == Form::kSequence ? 2 : 1; }

  const Graph& graph_;
  onnx::ModelProto model_;
  std::map<std::pair<int, Form>, std::string> opened_;  ///< names of the real values of a tensor, in each form
  std::vector<Form> forms_;                             ///< one a tensor
};

/// Attributes of ONNX nodes.
void set_list(onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values);
void set_integer(onnx::NodeProto& node, const char* name, std::int64_t value);
void set_number(onnx::NodeProto& node, const char* name, double value);
void set_window(onnx::NodeProto& node, const Window& window, bool dilations);

}  // namespace mho::dnn
