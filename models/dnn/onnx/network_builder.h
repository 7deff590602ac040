// SPDX-License-Identifier: Apache-2.0
// The network under construction: tensors with a code format or without, nodes with their real weights and ranges.
// Knows nothing of ONNX nodes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "models/dnn/onnx/value.h"

namespace mho::dnn {

/// Scale and zero point of an activation.
struct CodeFormat {
  CodeType type = CodeType::kUint8;
  double scale = 1.0;
  int zero_point = 0;
};

class NetworkBuilder {
 public:
  /// Names that tensors of our own must not take.
  void reserve(const std::string& name) { names_.insert(name); }
  const Tensor& tensor(int index) const { return network_.graph.tensors[std::size_t(index)]; }
  Tensor& tensor(int index) { return network_.graph.tensors[std::size_t(index)]; }
  /// A tensor of known format, to be written by `add_node`.
  int add_tensor(const std::string& name, const Shape& shape, const CodeFormat& format);
  /// A tensor whose codes mean what those of `origin` mean; without format where that has none.
  int add_tensor_like(const std::string& name, const Shape& shape, int origin);
  /// A tensor of real numbers.
  int add_real_tensor(const std::string& name, const Shape& shape);
  /// The tensor that stands for float graph input `name` from its QuantizeLinear on, under the input's name; -1 where
  /// it has been quantised in another format before.
  int quantise_input(const std::string& name, const Shape& shape, const CodeFormat& format);
  /// The tensor of float graph input `name`, -1 if it has never been quantised.
  int quantised_input(const std::string& name) const;

  CodeFormat format(int tensor) const;
  bool is_real(int tensor) const { return real_[std::size_t(origin_[std::size_t(tensor)])]; }
  /// The format of graph input `tensor` is that of its first reader.
  void forget_format(int tensor) { format_known_[std::size_t(tensor)] = false; }
  /// A graph input of codes gets the format of its first reader; false where a tensor has another one.
  bool agree_on_format(int tensor, const CodeFormat& format);

  /// Closes a node: its output is the new tensor `name`, of this format.
  int finish(PendingNode& pending, const std::string& name, const CodeFormat& format);
  /// Closes a node without a QuantizeLinear behind it. The output has the input's format where the node only moves or
  /// chooses codes, else none. Returns the tensor; that of an earlier call if there was one.
  int settle(PendingNode& pending);
  /// Adds a node whose output is there and keeps its input's format.
  void add_node(PendingNode& pending);
  /// The convolution with real weights that writes `tensor` without bounds, null if something else does.
  RealWeights* real_product(int tensor);

  /// Formats are copied from where they are known; nothing may be added after.
  FloatNetwork& close();

 private:
  /// Names in use, and where the search for the next free number begins.
  struct Names {
    std::set<std::string> used;
    std::map<std::string, int> next;
  };
  /// `name`, or `name` with a number behind it that nobody has.
  std::string unique(Names& names, const std::string& name, const std::set<std::string>& foreign);

  FloatNetwork network_;
  std::set<std::string> names_;
  Names tensor_names_, node_names_;
  std::vector<int> origin_;                      ///< of every tensor: the tensor that defines its format
  std::vector<bool> format_known_, real_;        ///< of every tensor that is its own origin
  std::map<std::string, int> quantised_inputs_;  ///< float graph inputs already quantised
  std::vector<int> writer_;                      ///< of every tensor: its node, or -1
};

}  // namespace mho::dnn
