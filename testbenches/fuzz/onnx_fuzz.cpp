// SPDX-License-Identifier: Apache-2.0
// libFuzzer's target: any bytes are either read as a network, which then computes, and as a tensor, or refused with an
// InputError of one line that begins with the file's name. Everything else - another exception, a signal, what a
// sanitizer sees, more time or memory than allowed - is a finding.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/operators.h"
#include "models/input_error.h"
#include "testbenches/fuzz/model_mutator.h"

namespace {

namespace fs = std::filesystem;
using namespace mho::dnn;

/// The model's folder, with a file of external data beside it.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("mho_fuzz_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
    std::ofstream(path_ / "weights.bin", std::ios::binary) << std::string(4096, '\1');
  }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  std::string model() const { return (path_ / "model.onnx").string(); }

 private:
  fs::path path_;
};

/// What the checks have let through must be safe to compute; networks that have become huge are left out.
void compute(const Graph& graph) {
  std::size_t bytes = 0;
  for (const Tensor& tensor : graph.tensors) bytes += tensor.shape.bytes();
  if (bytes > (std::size_t(1) << 20) || macs(graph) > 10'000'000) return;
  std::vector<std::vector<std::uint8_t>> inputs;
  for (const int input : graph.inputs) inputs.emplace_back(graph.tensors[std::size_t(input)].shape.bytes(), 0xa5);
  if (execute(graph, inputs).size() != graph.tensors.size()) std::abort();
}

/// Runs `reader`, which either succeeds or refuses as it should.
template <class Reader>
void read(const std::string& path, const Reader& reader) try {
  reader();
} catch (const mho::InputError& error) {
  const std::string line = error.what();
  if (line.find('\n') == std::string::npos && line.rfind(path, 0) == 0) return;
  std::fprintf(stderr, "a refusal must be one line that begins with the file: %s\n", line.c_str());
  std::abort();
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t capacity);

/// Two changes of three are made to the message, the others to its bytes.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t capacity,
                                               unsigned seed) {
  std::mt19937_64 random(seed);
  onnx::ModelProto model;
  if (random() % 3 == 0 || !model.ParsePartialFromArray(data, int(size))) return LLVMFuzzerMutate(data, size, capacity);
  for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes) mho::fuzz::mutate(model, random);
  const std::string bytes = model.SerializePartialAsString();
  if (bytes.empty() || bytes.size() > capacity) return LLVMFuzzerMutate(data, size, capacity);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  std::ofstream(folder.model(), std::ios::binary).write(reinterpret_cast<const char*>(data), std::streamsize(size));
  const std::string path = folder.model();
  read(path, [&] {
    const FloatNetwork network = read_network(path);
    if (is_quantised(network)) compute(network.graph);
  });
  read(path, [&] { read_tensor(path); });
  return 0;
}
