// SPDX-License-Identifier: Apache-2.0
// Writes small ONNX models for the reader's tests, in QDQ form unless a test says otherwise, and keeps them in a
// folder that disappears with the test.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "models/dnn/onnx/onnx_proto.h"
#include "models/dnn/quantisation/float_network.h"

namespace mho::dnn::testing {

using Names = std::vector<std::string>;
using Dims = std::vector<std::int64_t>;

/// An empty folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void write_bytes(const std::string& path, const std::string& bytes);
std::string read_bytes(const std::string& path);

/// Values are named by the caller; methods return the name of the value they make.
class ModelWriter {
 public:
  explicit ModelWriter(int opset = 13);

  /// A leading 0 becomes the axis name N.
  std::string input(const std::string& name, int type, const Dims& dims);
  void output(const std::string& name, int type, const Dims& dims);
  std::string floats(const std::string& name, const std::vector<float>& values, const Dims& dims = {});
  std::string integers(const std::string& name, int type, const std::vector<int>& values, const Dims& dims = {});
  onnx::NodeProto& node(const std::string& op, const Names& inputs, const std::string& output);
  /// x -> codes `name`; scale and zero point become initialisers.
  std::string quantise(const std::string& x, const std::string& name, float scale, int zero = 0,
                       int type = onnx::TensorProto::UINT8);
  /// codes -> real values `name`.
  std::string dequantise(const std::string& codes, const std::string& name, float scale, int zero = 0,
                         int type = onnx::TensorProto::UINT8);
  /// int8 weights behind a DequantizeLinear.
  std::string weights(const std::string& name, const Dims& dims, const std::vector<int>& values,
                      const std::vector<float>& scales, int axis = 0);
  std::string bias(const std::string& name, const std::vector<int>& values, const std::vector<float>& scales);
  onnx::TensorProto& initialiser(const std::string& name);
  onnx::NodeProto& node_of(const std::string& output);

  /// Writes the model and reads it back with mho::dnn::read_onnx.
  Graph load() const;
  /// The same with mho::dnn::read_network.
  FloatNetwork load_network() const;
  /// What read_onnx says about the model, without the path; "accepted" if nothing.
  std::string refusal() const;
  /// The same of read_network.
  std::string network_refusal() const;

  onnx::ModelProto model;

 private:
  onnx::ValueInfoProto& declare(onnx::ValueInfoProto& info, const std::string& name, int type, const Dims& dims);
  std::string linear(const char* op, const std::string& input, const std::string& output, float scale, int zero,
                     int type);
};

/// A list of int64.
std::string write_ints(ModelWriter& m, const std::string& name, const std::vector<int>& values);

void set_list(onnx::NodeProto& node, const std::string& name, const Dims& values);
void set_integer(onnx::NodeProto& node, const std::string& name, std::int64_t value);
void set_number(onnx::NodeProto& node, const std::string& name, float value);
void set_text(onnx::NodeProto& node, const std::string& name, const std::string& value);

/// image uint8 [N, 2, 2, 2] (scale 0.5) -> Conv 2 x 2, 2 filters with bias -> Relu -> int8 `y` (scale 2, zero point
/// -3).
ModelWriter small_convolution(int opset = 13);

}  // namespace mho::dnn::testing
