// SPDX-License-Identifier: Apache-2.0
// Samples of `mho import`: ONNX tensors of any number of inferences, read as real numbers. Codes of pictures
// become real by a step; they are then the very codes that the quantised network takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/quantisation/float_network.h"
#include "models/dnn/quantisation/float_reference.h"

namespace mho {

/// Samples of all inputs of a network.
class ImportSamples {
 public:
  /// `written`: FILE for a network with one input, else NAME=FILE for each. Throws mho::InputError where files do not
  /// fit the network or each other.
  ImportSamples(const dnn::FloatNetwork& network, const std::vector<std::string>& written, double step);

  std::size_t count() const { return count_; }
  /// Sample `index`, one map a graph input. Safe from several threads.
  std::vector<dnn::Reals> operator()(std::size_t index) const;
  /// States the codes of real inputs whose samples are codes: zero point 0, scale `step` as float.
  void state_codes(dnn::FloatNetwork& network) const;
  /// The files, in the order of graph inputs.
  std::vector<std::string> paths() const;
  /// True where the samples of a graph input are codes of a real input.
  bool coded(std::size_t input) const { return inputs_[input].coded; }

 private:
  struct Input {
    std::string path;
    dnn::Tensor tensor;  ///< with the scale and zero point by which codes become real
    dnn::OnnxTensor stored;
    bool coded = false;
  };
  void check(const Input& input) const;

  std::vector<Input> inputs_;
  std::size_t count_ = 0;
};

}  // namespace mho
