// SPDX-License-Identifier: Apache-2.0
// Channel-first elements of files to channel-last real numbers.
#include "platforms/program/import_samples.h"

#include <utility>

#include "models/input_error.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using Type = dnn::OnnxTensor::Type;

constexpr const char* kOption = "--samples";

/// Place of `NAME=` in the names of graph inputs, or their number.
std::size_t input_named(const dnn::Graph& graph, const std::string& name) {
  std::size_t i = 0;
  while (i < graph.inputs.size() && graph.tensors[std::size_t(graph.inputs[i])].name != name) ++i;
  return i;
}

/// Paths in the order of graph inputs.
std::vector<std::string> paths_of(const dnn::Graph& graph, const std::vector<std::string>& written) {
  std::vector<std::string> paths(graph.inputs.size());
  std::string names;
  for (const int input : graph.inputs)
    names += (names.empty() ? "" : ", ") + printable(graph.tensors[std::size_t(input)].name, 60);
  for (const std::string& text : written) {
    const std::size_t equals = text.find('=');
    std::size_t input = equals == std::string::npos ? paths.size() : input_named(graph, text.substr(0, equals));
    const bool named = input < paths.size();
    if (!named && paths.size() == 1) input = 0;
    if (input == paths.size())
      throw InputError(kOption, 0, 0, excerpt(text) + " names no input of the model",
                       "NAME=FILE, NAME one of " + names);
    if (!paths[input].empty())
      throw InputError(kOption, 0, 0,
                       "two files for input " + excerpt(graph.tensors[std::size_t(graph.inputs[input])].name),
                       "one file for each input");
    paths[input] = named ? text.substr(equals + 1) : text;
  }
  for (const std::string& path : paths)
    if (path.empty())
      throw InputError(kOption, 0, 0, count_of(written.size(), "file") + " for " + count_of(paths.size(), "input"),
                       "NAME=FILE for each of " + names);
  return paths;
}

}  // namespace

ImportSamples::ImportSamples(const dnn::FloatNetwork& network, const std::vector<std::string>& written, double step) {
  const dnn::Graph& graph = network.graph;
  const std::vector<std::string> paths = paths_of(graph, written);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto index = std::size_t(graph.inputs[i]);
    Input input{paths[i], graph.tensors[index], dnn::read_tensor(paths[i]), false};
    if (!network.quantised[index]) {
      input.coded = input.stored.type != Type::kFloat;
      input.tensor.type = input.stored.type == Type::kInt8 ? dnn::CodeType::kInt8 : dnn::CodeType::kUint8;
      input.tensor.scale = double(float(step));
      input.tensor.zero_point = 0;
    }
    check(input);
    const auto count = std::size_t(input.stored.dims.front());
    if (i == 0) count_ = count;
    if (count != count_)
      throw InputError(input.path, 0, 0, count_of(count, "sample") + ", another input has " + std::to_string(count_),
                       "as many in every file");
    inputs_.push_back(std::move(input));
  }
}

void ImportSamples::check(const Input& input) const {
  const dnn::OnnxTensor& stored = input.stored;
  const std::string& name = input.tensor.name;
  if (!dnn::hold_inferences(stored.dims, input.tensor)) {
    std::vector<std::int64_t> wanted = dnn::dims_of(input.tensor);
    wanted.insert(wanted.begin(), stored.dims.empty() ? 1 : stored.dims.front());
    throw InputError(input.path, 0, 0, "has dimensions " + dnn::text_of(stored.dims) + " for input " + excerpt(name),
                     dnn::text_of(wanted) + ", the first of any length");
  }
  const Type codes = input.tensor.type == dnn::CodeType::kInt8 ? Type::kInt8 : Type::kUint8;
  if (stored.type != Type::kFloat && stored.type != codes)
    throw InputError(input.path, 0, 0, "holds other numbers than input " + excerpt(name) + " takes",
                     input.coded            ? "float, uint8 or int8"
                     : codes == Type::kInt8 ? "int8 or float"
                                            : "uint8 or float");
  if (stored.raw.size() != std::size_t(stored.elements()) * (stored.type == Type::kFloat ? sizeof(float) : 1))
    throw InputError(input.path, 0, 0, "holds " + std::to_string(stored.raw.size()) + " bytes", "one per element");
}

std::vector<dnn::Reals> ImportSamples::operator()(std::size_t index) const {
  std::vector<dnn::Reals> sample;
  for (const Input& input : inputs_) sample.push_back(dnn::to_reals(input.stored, input.tensor, index));
  return sample;
}

void ImportSamples::state_codes(dnn::FloatNetwork& network) const {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].coded) continue;
    const auto index = std::size_t(network.graph.inputs[i]);
    network.graph.tensors[index] = inputs_[i].tensor;
    network.quantised[index] = true;
  }
}

std::vector<std::string> ImportSamples::paths() const {
  std::vector<std::string> paths;
  for (const Input& input : inputs_) paths.push_back(input.path);
  return paths;
}

}  // namespace mho
