// SPDX-License-Identifier: Apache-2.0
// index.yaml of a folder of recorded layer inputs: which tensor file belongs to which layer, what its codes mean, and a
// checksum of every file. Written by `mho trace` and by scripts/trace_folder.py, edited by people.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platforms/config/node.h"
#include "platforms/config/reader.h"

namespace mho {

inline constexpr const char* kTraceIndex = "index.yaml";
inline constexpr int kTraceVersion = 1;

/// A file of the folder and its CRC-32 (IEEE 802.3, as zlib's).
struct TraceFile {
  std::string name;
  std::uint32_t crc32 = 0;
};

/// The recorded inputs of one layer.
struct TracedLayer {
  std::string name;                ///< as the recorder calls it: a node of the network, a module of PyTorch
  std::string node;                ///< of the network; the same unless the index maps it
  std::string op;                  ///< "convolution", "fully_connected", "Conv2d", ...; for people
  TraceFile tensor;                ///< [inferences, C, H, W], [inferences, C] or [inferences, positions, C]
  std::vector<std::int64_t> dims;  ///< of the tensor
  std::string type;                ///< "uint8", "int8": codes; "float": real values, quantised for the layer
  std::optional<double> scale;     ///< of codes
  std::optional<int> zero_point;   ///< of codes
  std::optional<TraceFile> sums;   ///< histograms of column sums
  std::shared_ptr<const config::Reader> written;  ///< where it was read; null where it is to be written

  /// The error for a mistake of one key. Only for layers that were read.
  InputError error(const char* key, const std::string& problem, const std::string& allowed) const;
};

struct TraceIndex {
  std::string folder;                 ///< not part of the file
  std::string network;                ///< that was traced, for people
  std::optional<std::uint64_t> seed;  ///< of its synthetic weights
  std::int64_t inferences = 1;
  std::vector<TracedLayer> layers;
  config::Position seed_at;
};

/// Reads and checks FOLDER/index.yaml; no other file is opened. Throws mho::InputError.
TraceIndex read_trace_index(const std::string& folder);

/// The file's text.
std::string to_yaml(const TraceIndex& index);

/// Checksum of a file; nothing where it cannot be read as a whole.
std::optional<std::uint32_t> crc32_of(const std::string& path);

}  // namespace mho
