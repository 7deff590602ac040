// SPDX-License-Identifier: Apache-2.0
// Walks an ONNX graph once, in its order, and builds the quantised graph: names to values, values to tensors. What an
// operator means is in operator_readers.h; this class knows only names, tensors and what is allowed of a model.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "models/dnn/onnx/value.h"

namespace mho::dnn {

/// Four times the largest file.
inline constexpr std::uint64_t kMaxDecodedBytes = std::uint64_t(1) << 32;

/// Scale and zero point of an activation.
struct CodeFormat {
  CodeType type = CodeType::kUint8;
  double scale = 1.0;
  int zero_point = 0;
};

class ModelReader {
 public:
  ModelReader(const onnx::ModelProto& model, std::string path);
  /// The validated graph. Throws mho::InputError.
  Graph read();

  /// Refuses the model as a whole.
  [[noreturn]] void refuse(const std::string& problem, const std::string& allowed) const;
  int opset() const { return opset_; }
  /// True where the model fixes one inference per run, so that a constant 1 can stand for the leading axis.
  bool single_batch() const { return single_batch_; }
  /// Null where nothing before has written `name`.
  const Value* find(const std::string& name) const;
  void define(const std::string& name, Value value);
  /// Nodes and graph outputs that read `name`.
  int readers(const std::string& name) const;
  /// Keeps a constant that stands in no initialiser.
  const onnx::TensorProto* keep(onnx::TensorProto constant);

  /// Counts bytes copied out of constants: a small file may read one of them many times.
  void charge(std::size_t bytes);

  const Tensor& tensor(int index) const { return graph_.tensors[std::size_t(index)]; }
  /// A tensor of known format, to be written by `add_node`.
  int add_tensor(const std::string& name, const Shape& shape, const CodeFormat& format);
  /// A tensor whose codes mean what those of `origin` mean.
  int add_tensor_like(const std::string& name, const Shape& shape, int origin);
  /// The tensor that stands for float graph input `name` from its QuantizeLinear on, under the input's name; -1 where
  /// it has been quantised in another format before.
  int quantise_input(const std::string& name, const Shape& shape, const CodeFormat& format);
  CodeFormat format(int tensor) const;
  /// A graph input of codes gets the format of its first reader; false where a tensor has another one.
  bool agree_on_format(int tensor, const CodeFormat& format);
  /// Names of nodes are made unique.
  void add_node(Node node);

 private:
  void check_model();
  void read_initialisers();
  void read_inputs();
  void read_input(const onnx::ValueInfoProto& info);
  Shape read_shape(const onnx::ValueInfoProto& info, int& rank);
  void count_readers();
  void read_nodes();
  void finish_inputs();
  void finish_formats();
  void read_outputs();
  void check_output(const onnx::ValueInfoProto& info, const Value& value) const;

  const onnx::ModelProto& model_;
  std::string path_;
  int opset_ = 0;
  bool single_batch_ = true;
  Graph graph_;
  std::map<std::string, Value> values_;
  std::map<std::string, int> readers_;
  std::set<std::string> node_names_;
  std::deque<onnx::TensorProto> kept_;
  std::uint64_t decoded_bytes_ = 0;
  std::vector<int> origin_;                      ///< of every tensor: the tensor that defines its format
  std::vector<bool> format_known_;               ///< of every tensor that is its own origin
  std::map<std::string, int> quantised_inputs_;  ///< float graph inputs already quantised
};

}  // namespace mho::dnn
