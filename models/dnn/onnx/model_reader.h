// SPDX-License-Identifier: Apache-2.0
// Walks an ONNX graph once, in its order, and builds the network: names to values, values to tensors. What an operator
// means is in operator_readers.h; this class knows only names and what is allowed of a model.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "models/dnn/onnx/network_builder.h"
#include "models/dnn/onnx/value.h"

namespace mho::dnn {

/// What a model may make of its constants: some in any case, and more where its files are large.
inline constexpr std::uint64_t kLeastDecodedBytes = std::uint64_t(1) << 28;
inline constexpr std::uint64_t kMostDecodedBytes = std::uint64_t(1) << 35;
inline constexpr std::uint64_t kDecodedBytesPerByte = 64;

class ModelReader {
 public:
  ModelReader(const onnx::ModelProto& model, std::string path);
  /// The network, its shapes and weights validated. Throws mho::InputError.
  FloatNetwork read();

  /// Refuses the model as a whole.
  [[noreturn]] void refuse(const std::string& problem, const std::string& allowed) const;
  int opset() const { return opset_; }
  /// Where external data may lie.
  const std::string& folder() const { return folder_; }
  /// True where the model fixes one inference per run, so that a constant 1 can stand for the leading axis.
  bool single_batch() const { return single_batch_; }
  /// Null where nothing before has written `name`.
  const Value* find(const std::string& name) const;
  void define(const std::string& name, Value value);
  /// Nodes and graph outputs that read `name`.
  int readers(const std::string& name) const;
  /// True where all that read `name` are nodes that choose a part of it (Split, Slice, Gather).
  bool is_only_chosen_from(const std::string& name) const;
  /// Keeps a constant that stands in no initialiser.
  const onnx::TensorProto* keep(onnx::TensorProto constant);

  /// Counts bytes that are made of constants: a small file may read one of them many times, or have numbers for each
  /// of millions of channels.
  void charge(std::size_t bytes);
  /// External data of `stored` has been read: it permits more, once.
  void permit(const onnx::TensorProto& stored, std::size_t bytes);

  NetworkBuilder& network() { return network_; }

 private:
  void check_model();
  void read_initialisers();
  void read_inputs();
  void read_input(const onnx::ValueInfoProto& info);
  void read_float_input(const onnx::ValueInfoProto& info, Value& value);
  void read_shape(const onnx::ValueInfoProto& info, Value& value);
  void count_readers();
  void read_nodes();
  void read_node(const onnx::NodeProto& node);
  void finish_inputs();
  void read_outputs();
  void check_output(const onnx::ValueInfoProto& info, const Value& value);
  void check_declaration(const onnx::ValueInfoProto& info, const Value& value) const;
  void check_network(const FloatNetwork& network) const;

  const onnx::ModelProto& model_;
  std::string path_, folder_;
  int opset_ = 0;
  bool single_batch_ = true;
  NetworkBuilder network_;
  std::vector<int> inputs_, outputs_;
  std::map<std::string, Value> values_;
  std::map<std::string, int> readers_, choosers_;
  std::set<std::string> read_as_real_;  ///< values that something other than a QuantizeLinear reads
  std::deque<onnx::TensorProto> kept_;
  std::deque<onnx::NodeProto> fused_;          ///< nodes that stand for chains
  std::vector<const onnx::NodeProto*> nodes_;  ///< to be read
  std::uint64_t decoded_bytes_ = 0, permitted_bytes_ = 0;
  std::set<const onnx::TensorProto*> external_;
};

}  // namespace mho::dnn
