// SPDX-License-Identifier: Apache-2.0
// The whole model is made in memory; files of weights beside it are not needed below protobuf's limit.
#include "models/dnn/onnx/onnx_writer.h"

#include "models/dnn/onnx/graph_writer.h"
#include "models/dnn/onnx/protobuf_file.h"
#include "models/input_error.h"

namespace mho::dnn {

void write_onnx(const std::string& path, const Graph& graph) {
  std::uint64_t weights = 0;
  for (const Node& node : graph.nodes) weights += node.weights.values.size();
  std::string bytes;
  if (weights > std::uint64_t(kMaxFileBytes) / 2 || !GraphWriter(graph).model().SerializeToString(&bytes) ||
      bytes.size() > std::size_t(kMaxFileBytes))
    throw InputError(path, 0, 0, "the model is too large for a file",
                     "at most " + std::to_string(kMaxFileBytes) + " bytes");
  write_whole_file(path, bytes);
}

}  // namespace mho::dnn
