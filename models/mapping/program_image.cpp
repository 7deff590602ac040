// SPDX-License-Identifier: Apache-2.0
// Layout of a program image after its header: graph, chips, layers with blocks and placements, functions, buffers,
// rings, commands, totals - each list a count and its elements, in the order of the members of Program.
#include "models/mapping/program_image.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "models/mapping/image_parts.h"

namespace mho::mapping {
namespace {

/// What stands before the layers.
void write_head(ImageWriter& out, const Program& program) {
  write_graph(out, program.graph);
  out.i32(program.chips);
  out.i32(program.tiles);
  out.count(program.layers.size());
}

/// What follows them, and the header.
void complete(std::vector<std::uint8_t>& bytes, const Program& program) {
  ImageWriter out(bytes);
  write_tables(out, program);
  out.u64(program.crossbars_used);
  out.u64(program.crossbars_total);
  std::vector<std::uint8_t> header;
  ImageWriter head(header);
  head.u32(kProgramImageMagic);
  head.u32(kProgramImageVersion);
  head.u64(bytes.size());
  head.u64(image_checksum(bytes.data() + kProgramImageHeaderBytes, bytes.size() - kProgramImageHeaderBytes));
  head.u64(0);
  std::memcpy(bytes.data(), header.data(), header.size());
}

/// Reserved so that no growing vector ever holds two copies of a large image.
std::size_t expected_bytes(const Program& program) {
  std::size_t bytes = 1 << 20;
  for (const LayerPlan& layer : program.layers) {
    for (const Block& block : layer.blocks) {
      const auto columns = std::size_t(block.encoded.columns());
      bytes += packed_bytes(std::size_t(block.encoded.rows) * columns, packed_bits(block.encoded.level_bits())) +
               4 * (columns + std::size_t(block.encoded.filters)) + 64;
    }
    bytes += layer.placements.size() * (sizeof(Placement) + 9);  // and the commands that write them
  }
  return bytes;
}

}  // namespace

std::uint64_t image_checksum(const std::uint8_t* bytes, std::size_t size) {
  constexpr std::uint64_t kPrime = 0x100000001b3;  // of 64-bit FNV
  std::uint64_t sum = 0xcbf29ce484222325;
  const auto mix = [&](std::uint64_t word) {
    sum = (sum ^ word) * kPrime;
    sum ^= sum >> 32;
  };
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    for (int b = 0; b < 8; ++b) word |= std::uint64_t(bytes[i + std::size_t(b)]) << (8 * b);
    mix(word);
  }
  for (; i < size; ++i) mix(bytes[i]);
  mix(size);
  return sum;
}

std::vector<std::uint8_t> encode_image(const Program& program) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(expected_bytes(program));
  bytes.resize(kProgramImageHeaderBytes);
  ImageWriter out(bytes);
  write_head(out, program);
  for (const LayerPlan& layer : program.layers) write_layer(out, layer);
  complete(bytes, program);
  return bytes;
}

CompiledImage compile_image(Program planned, const dnn::Graph& graph, const Machine& machine) {
  CompiledImage image;
  ImageWriter out(image.bytes);
  image.program = encode(std::move(planned), graph, machine, [&](const Program& program, const LayerPlan& layer) {
    if (image.bytes.empty()) {
      image.bytes.reserve(expected_bytes(program));
      image.bytes.resize(kProgramImageHeaderBytes);
      write_head(out, program);
    }
    write_layer(out, layer);
  });
  if (image.bytes.empty()) {  // a network without layers
    image.bytes.resize(kProgramImageHeaderBytes);
    write_head(out, image.program);
  }
  complete(image.bytes, image.program);
  return image;
}

std::uint64_t image_bytes(const std::uint8_t* header) {
  ImageReader in(header, kProgramImageHeaderBytes);
  if (in.u32() != kProgramImageMagic) in.refuse("does not start with the magic number", "an image written by mho");
  const std::uint32_t version = in.u32();
  if (version != kProgramImageVersion)
    in.refuse("has format version " + std::to_string(version), std::to_string(kProgramImageVersion));
  const std::uint64_t total = in.u64();
  if (total < kProgramImageHeaderBytes)
    in.refuse("announces " + std::to_string(total) + " bytes, less than its header");
  return total;
}

Program decode_image(const std::vector<std::uint8_t>& bytes) {
  Program program = open_image(bytes);
  for (LayerPlan& layer : program.layers)
    for (Block& block : layer.blocks) block = unpacked(block);
  return program;
}

Program open_image(std::vector<std::uint8_t> given) {
  const auto image = std::make_shared<const std::vector<std::uint8_t>>(std::move(given));
  const std::vector<std::uint8_t>& bytes = *image;
  if (bytes.size() < kProgramImageHeaderBytes) ImageReader::refuse("is shorter than its header");
  const std::uint64_t total = image_bytes(bytes.data());
  if (total != bytes.size())
    ImageReader::refuse("announces " + std::to_string(total) + " bytes and has " + std::to_string(bytes.size()));
  ImageReader header(bytes.data() + 16, 16);
  ImageReader in(image);
  in.skip(kProgramImageHeaderBytes);
  if (header.u64() != image_checksum(bytes.data() + kProgramImageHeaderBytes, in.left()))
    in.refuse("has a wrong checksum", "an image as it was written");
  if (header.u64() != 0) in.refuse("has a reserved field that is not 0");
  Program program;
  program.graph = read_graph(in);
  program.chips = in.i32();
  program.tiles = in.i32();
  for (std::size_t n = in.count(kLeastLayerBytes); n > 0; --n) program.layers.push_back(read_layer(in));
  read_tables(in, program);
  program.crossbars_used = in.u64();
  program.crossbars_total = in.u64();
  if (in.left() != 0) in.refuse("has " + std::to_string(in.left()) + " bytes after its end");
  return program;
}

}  // namespace mho::mapping
