// SPDX-License-Identifier: Apache-2.0
// The bytes of a Program as they lie in main memory and travel by DMA: little endian, levels packed at the width of a
// cell, a header with magic number, format version, length and checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/mapping/program.h"

namespace mho::mapping {

constexpr std::uint32_t kProgramImageMagic = 0x306f686d;  ///< "mho0"
constexpr std::uint32_t kProgramImageVersion = 3;
constexpr std::size_t kProgramImageHeaderBytes = 32;  ///< magic, version, total bytes (u64), checksum (u64), reserved

/// 64-bit FNV-1a over little-endian 8-byte words (the rest byte by byte, then the length), the high half folded into
/// the low one after each step. Covers everything after the header.
std::uint64_t image_checksum(const std::uint8_t* bytes, std::size_t size);

/// Throws std::invalid_argument where the graph still has weight values or levels do not fit their cells.
std::vector<std::uint8_t> encode_image(const Program& program);

/// A network compiled straight into an image, layer by layer; its levels are nowhere else.
struct CompiledImage {
  Program program;  ///< without levels
  std::vector<std::uint8_t> bytes;
};
/// As compile() and encode_image(), from what plan() gave.
CompiledImage compile_image(Program planned, const dnn::Graph& graph, const Machine& machine);

/// Total bytes that a header announces; throws mho::InputError on a wrong magic number or version.
std::uint64_t image_bytes(const std::uint8_t* header);

/// Never reads outside `bytes`, never allocates more than a small multiple of them; throws mho::InputError on anything
/// that encode_image would not have written. The result still has to be validated against the machine.
Program decode_image(const std::vector<std::uint8_t>& bytes);
/// The same, but levels stay packed, within `bytes`, which live as long as the Program refers to them.
Program open_image(std::vector<std::uint8_t> bytes);

}  // namespace mho::mapping
