// SPDX-License-Identifier: Apache-2.0
// Program images: round trip, size, and what becomes of damaged ones.
#include "models/mapping/program_image.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <random>
#include <stdexcept>

#include "models/input_error.h"
#include "models/mapping/image_stream.h"
#include "testbenches/models/mapping/allocation_watch.h"
#include "testbenches/models/mapping/small_networks.h"

using namespace mho;
using namespace mho::mapping;

namespace {

using Bytes = std::vector<std::uint8_t>;

void put_u64(Bytes& bytes, std::size_t at, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) bytes[at + i] = std::uint8_t(value >> (8 * i));
}

/// Length and checksum that fit the bytes, so that damage reaches the reader.
void seal(Bytes& bytes) {
  if (bytes.size() < kProgramImageHeaderBytes) return;
  put_u64(bytes, 8, bytes.size());
  put_u64(bytes, 16, image_checksum(bytes.data() + kProgramImageHeaderBytes, bytes.size() - kProgramImageHeaderBytes));
}

std::string refusal(const Bytes& bytes) {
  try {
    decode_image(bytes);
  } catch (const InputError& error) {
    CHECK(error.file() == "program image");
    return error.problem();
  }
  return "accepted";
}

/// Damage as it happens (bits, bytes, pieces) and as somebody would do it (counts, extents).
void damage(Bytes& bytes, std::mt19937& random) {
  const auto somewhere = [&] {
    return kProgramImageHeaderBytes + random() % (bytes.size() - kProgramImageHeaderBytes);
  };
  static const std::uint32_t kTelling[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 1u << 24, 255};
  for (unsigned n = 1 + random() % 3; n > 0; --n) switch (random() % 6) {
      case 0:
        bytes[somewhere()] ^= std::uint8_t(1u << random() % 8);
        break;
      case 1:
        bytes[somewhere()] = std::uint8_t(random());
        break;
      case 2:
      case 3: {
        const std::uint32_t value = kTelling[random() % std::size(kTelling)];
        const std::size_t at = somewhere();
        for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i) bytes[at + i] = std::uint8_t(value >> (8 * i));
        break;
      }
      case 4:
        bytes.resize(kProgramImageHeaderBytes + 1 + random() % (bytes.size() - kProgramImageHeaderBytes));
        break;
      default: {
        const std::size_t from = somewhere(), to = somewhere();
        std::memmove(bytes.data() + to, bytes.data() + from, std::min(bytes.size() - std::max(from, to), 16ul));
      }
    }
}

}  // namespace

TEST_CASE("a program survives the way through an image") {
  Machine machine = small_machine();
  SECTION("2-bit cells") {}
  SECTION("cells of 4, 3 and 1 bits") {
    machine.weight_slicing = {4, 3, 1};
    machine.crossbar.cell_bits = 4;
  }
  SECTION("1-bit cells") {
    machine.weight_slicing = {1, 1, 1, 1, 1, 1, 1, 1};
    machine.crossbar.cell_bits = 1;
  }
  SECTION("8-bit cells") {
    machine.weight_slicing = {8};
    machine.crossbar.cell_bits = 8;
    machine.adc.bits = 14;
  }
  SECTION("rings spilled, layers with losses") {
    machine.edram.bytes = 512;
    machine.adc.bits = 4;
  }
  const Program program = compile(every_node(), machine);
  const Bytes image = encode_image(program);
  const Program decoded = decode_image(image);
  CHECK(encode_image(decoded) == image);
  CHECK_NOTHROW(validate(decoded, machine));
  REQUIRE(decoded.layers.size() == program.layers.size());
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    CHECK(decoded.layers[i].loss == program.layers[i].loss);
    CHECK(decoded.layers[i].lossless == program.layers[i].lossless);
    CHECK(decoded.layers[i].stream.is_signed == program.layers[i].stream.is_signed);
    CHECK(decoded.layers[i].home_tiles == program.layers[i].home_tiles);
    CHECK(decoded.layers[i].parts == program.layers[i].parts);
    REQUIRE(decoded.layers[i].blocks.size() == program.layers[i].blocks.size());
    for (std::size_t b = 0; b < program.layers[i].blocks.size(); ++b) {
      CHECK(decoded.layers[i].blocks[b].encoded.levels == program.layers[i].blocks[b].encoded.levels);
      CHECK(decoded.layers[i].blocks[b].row_first == program.layers[i].blocks[b].row_first);
    }
  }
  CHECK(decoded.graph.name == "every_node");
  CHECK(decoded.graph.tensors[3].scale == program.graph.tensors[3].scale);
  CHECK(decoded.crossbars_used == program.crossbars_used);
}

TEST_CASE("an image compiled layer by layer is the image of the compiled program") {
  Machine machine = small_machine();
  SECTION("2-bit cells") {}
  SECTION("cells of 4, 3 and 1 bits, layers with losses") {
    machine.weight_slicing = {4, 3, 1};
    machine.crossbar.cell_bits = 4;
    machine.adc.bits = 4;
  }
  const Program program = compile(every_node(), machine);
  const CompiledImage streamed = compile_image(plan(every_node(), machine), every_node(), machine);
  CHECK(streamed.bytes == encode_image(program));
  REQUIRE(streamed.program.layers.size() == program.layers.size());
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    CHECK(streamed.program.layers[i].lossless == program.layers[i].lossless);
    for (const Block& block : streamed.program.layers[i].blocks) CHECK(stored_levels(block) == 0);
  }
  CHECK(streamed.program.commands.size() == program.commands.size());
}

TEST_CASE("an opened image keeps levels packed and gives any part of a row") {
  Machine machine = small_machine();
  const Program program = compile(every_node(), machine);
  Program opened = open_image(encode_image(program));
  CHECK_NOTHROW(validate(opened, machine));
  CHECK(encode_image(opened) == encode_image(program));
  for (std::size_t i = 0; i < program.layers.size(); ++i)
    for (std::size_t b = 0; b < program.layers[i].blocks.size(); ++b) {
      const Block &whole = program.layers[i].blocks[b], &packed = opened.layers[i].blocks[b];
      CHECK(packed.encoded.levels.empty());
      CHECK(unpacked(packed).encoded.levels == whole.encoded.levels);
      const auto columns = std::size_t(whole.encoded.columns());
      for (std::size_t row = 0; row < std::size_t(whole.encoded.rows); ++row)
        for (std::size_t first = 0; first < columns; first += 3) {
          const std::size_t count = std::min<std::size_t>(5, columns - first);
          const auto begin = whole.encoded.levels.begin() + std::ptrdiff_t(row * columns + first);
          Bytes part(count, 255);
          copy_levels(packed, row, first, count, part.data());
          CHECK(part == Bytes(begin, begin + std::ptrdiff_t(count)));
          copy_levels(whole, row, first, count, part.data());
          CHECK(part == Bytes(begin, begin + std::ptrdiff_t(count)));
        }
    }
}

TEST_CASE("a level above its slice is found in packed levels too") {
  // Slices of 2 and 1 bits in 4-bit cells: a level of 2 in the second column of a filter cannot be meant.
  Machine machine = small_machine();
  machine.weight_slicing = {4, 3, 1};
  machine.crossbar.cell_bits = 4;
  machine.adc.bits = 14;
  Program program = compile(one_layer(3, 2, {1, 2, 3, -4, 5, -6}), machine);
  program.layers[0].blocks[0].encoded.levels[2] = 2;
  const Program opened = open_image(encode_image(program));
  CHECK_THROWS_AS(validate(opened, machine), InputError);
}

TEST_CASE("everything about operators between products survives the way through an image") {
  const Machine machine = small_machine();
  const dnn::Graph graph = every_activation();
  const Program decoded = decode_image(encode_image(compile(graph, machine)));
  CHECK_NOTHROW(validate(decoded, machine));
  for (std::size_t i = 0; i < graph.tensors.size(); ++i)
    CHECK(decoded.graph.tensors[i].sequence == graph.tensors[i].sequence);
  CHECK(decoded.graph.tensors[0].sequence);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const dnn::Node &now = decoded.graph.nodes[i], &then = graph.nodes[i];
    INFO(then.name);
    CHECK(now.op == then.op);
    CHECK(now.inputs == then.inputs);
    CHECK(now.window.pad_top == then.window.pad_top);
    CHECK(now.function == then.function);
    CHECK(now.parameter == then.parameter);
    CHECK(now.gain == then.gain);
    CHECK(now.offset == then.offset);
    CHECK(now.epsilon == then.epsilon);
    CHECK(now.channels == then.channels);
    CHECK(now.heads == then.heads);
    CHECK(now.transposed == then.transposed);
  }
}

TEST_CASE("an operator or a function that there is not is refused") {
  Program program = compile(one_layer(3, 2, {1, 2, 3, -4, 5, -6}), small_machine());
  const auto with = [&](const std::function<void(dnn::Node&)>& change) {
    Program changed = program;
    change(changed.graph.nodes[0]);
    return refusal(encode_image(changed));
  };
  CHECK(with([](dnn::Node& node) { node.op = dnn::Operator(int(dnn::kLastOperator) + 1); }) == "has no operator 14");
  CHECK(with([](dnn::Node& node) {
          node.op = dnn::Operator::kFunction;
          node.function = dnn::Function(int(dnn::kLastFunction) + 1);
        }) == "has no function 6");
}

TEST_CASE("levels are packed at the width of a cell") {
  // All blocks of the small network: cells at 2 bits, each block rounded up to bytes.
  const Program program = compile(every_node(), small_machine());
  std::size_t bits = 0;
  for (const LayerPlan& layer : program.layers)
    for (const Block& block : layer.blocks) bits += 2 * block.encoded.levels.size();
  Program empty = program;
  for (LayerPlan& layer : empty.layers)
    for (Block& block : layer.blocks) {
      block.encoded.levels.assign(1, 0);
      block.encoded.rows = 1;
      block.encoded.filters = 1;
      block.encoded.recombination.columns_per_filter = 1;
    }
  std::size_t blocks = 0;
  for (const LayerPlan& layer : program.layers) blocks += layer.blocks.size();
  const std::size_t difference = encode_image(program).size() - (encode_image(empty).size() - blocks);
  CHECK(difference >= bits / 8);
  CHECK(difference < bits / 8 + blocks);
}

TEST_CASE("any number of cells of any width is packed and read back") {
  std::mt19937 random(1);
  for (int cell_bits = 1; cell_bits <= 8; ++cell_bits)
    for (std::size_t cells = 0; cells < 20; ++cells) {
      std::vector<std::uint8_t> levels(cells);
      for (std::uint8_t& level : levels) level = std::uint8_t(random() % (1u << cell_bits));
      Bytes bytes;
      ImageWriter(bytes).levels(levels, cell_bits);
      const std::size_t width = cell_bits > 4 ? 8 : cell_bits > 2 ? 4 : std::size_t(cell_bits);
      CHECK(bytes.size() == (cells * width + 7) / 8);
      ImageReader reader(bytes.data(), bytes.size());
      CHECK(reader.levels(cells, cell_bits) == levels);
      CHECK(reader.left() == 0);
    }
}

TEST_CASE("the first cell of a byte stands in its lowest bits") {
  Bytes bytes;
  ImageWriter(bytes).levels({1, 2, 3, 0, 2}, 2);
  CHECK(bytes == Bytes{0x39, 0x02});  // 00 11 10 01, 10
}

TEST_CASE("bits after the last cell and levels above a cell's bits are refused") {
  const auto problem = [](const Bytes& bytes, std::size_t cells, int cell_bits) -> std::string {
    try {
      ImageReader(bytes.data(), bytes.size()).levels(cells, cell_bits);
    } catch (const InputError& error) {
      return error.problem();
    }
    return "accepted";
  };
  CHECK(problem({0x3f}, 3, 2) == "accepted");
  CHECK(problem({0x40}, 3, 2) == "has bits after its last cell");
  CHECK(problem({0x77}, 2, 3) == "accepted");
  CHECK(problem({0x78}, 2, 3) == "has a level above its cells' 3 bits");
  CHECK(problem({0x00}, 5, 2) == "ends in the middle of a value");
  CHECK(problem({0x00}, 1, 0) == "cells of 0 bits");
  CHECK(problem({0x00}, 1, 9) == "cells of 9 bits");
}

TEST_CASE("the header announces the image's length") {
  const Bytes image = encode_image(compile(every_node(), small_machine()));
  CHECK(image_bytes(image.data()) == image.size());
  CHECK(std::memcmp(image.data(), "mho0", 4) == 0);
}

TEST_CASE("the checksum is FNV-1a over words, folded") {
  // By hand for one byte 'a' = 0x61: h = (0xcbf29ce484222325 ^ 0x61) * 0x100000001b3 = 0xaf63dc4c8601ec8c (the
  // published FNV-1a of "a"), folded: ^ 0xaf63dc4c = 0xaf63dc4c296230c0; then the length 1 in the same way.
  std::uint64_t sum = 0xaf63dc4c296230c0;
  sum = (sum ^ 1) * 0x100000001b3;
  sum ^= sum >> 32;
  const std::uint8_t a = 'a';
  CHECK(image_checksum(&a, 1) == sum);
}

TEST_CASE("every single-bit error is detected by the checksum") {
  Bytes image = encode_image(compile(every_node(), small_machine()));
  for (std::size_t at = kProgramImageHeaderBytes; at < image.size(); at += 7) {
    image[at] ^= std::uint8_t(1u << at % 8);
    CHECK(refusal(image) == "has a wrong checksum");
    image[at] ^= std::uint8_t(1u << at % 8);
  }
}

TEST_CASE("wrong headers are refused") {
  const Bytes image = encode_image(compile(every_node(), small_machine()));
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Bytes copy = image;
    copy[at] = value;
    return refusal(copy);
  };
  CHECK(changed(0, 'M') == "does not start with the magic number");
  CHECK(changed(4, 9) == "has format version 9");
  CHECK(changed(15, 1).find("announces ") == 0);
  CHECK(changed(24, 1) == "has a reserved field that is not 0");
  CHECK(refusal(Bytes(image.begin(), image.begin() + 31)) == "is shorter than its header");
  CHECK(refusal(Bytes(image.begin(), image.end() - 1)).find("announces ") == 0);
  CHECK(refusal({}) == "is shorter than its header");
  Bytes longer = image;
  longer.push_back(0);
  seal(longer);
  CHECK(refusal(longer) == "has 1 bytes after its end");
  Bytes header(image.begin(), image.begin() + 32);
  put_u64(header, 8, 31);
  CHECK_THROWS_AS(image_bytes(header.data()), InputError);
}

TEST_CASE("every shortened image is refused") {
  const Bytes image = encode_image(compile(every_node(), small_machine()));
  for (std::size_t size = kProgramImageHeaderBytes; size < image.size(); ++size) {
    Bytes shortened(image.begin(), image.begin() + std::ptrdiff_t(size));
    seal(shortened);
    CHECK(refusal(shortened) != "accepted");
  }
}

TEST_CASE("counts that an image cannot hold are refused before memory is asked for") {
  const Bytes image = encode_image(compile(every_node(), small_machine()));
  for (std::size_t at = kProgramImageHeaderBytes; at + 4 <= image.size(); ++at) {
    Bytes bytes = image;
    std::fill_n(bytes.begin() + std::ptrdiff_t(at), 3, std::uint8_t(0xff));
    seal(bytes);
    const AllocationWatch watch;
    refusal(bytes);
    CHECK(watch.largest() <= 16 * bytes.size());
  }
}

TEST_CASE("a program that still has weights or levels too wide for its cells is not written") {
  Program program = compile(every_node(), small_machine());
  program.graph.nodes[0].weights.values = {1};
  CHECK_THROWS_AS(encode_image(program), std::invalid_argument);
  program.graph.nodes[0].weights.values.clear();
  program.layers[0].blocks[0].encoded.levels[0] = 4;
  CHECK_THROWS_AS(encode_image(program), std::invalid_argument);
  program.layers[0].blocks[0].encoded.levels.pop_back();
  CHECK_THROWS_AS(encode_image(program), std::invalid_argument);
}

TEST_CASE("a damaged image is refused or is a valid program, whatever the damage") {
  const Machine machine = small_machine();
  for (const bool activations : {false, true}) {
    const Bytes image = encode_image(compile(activations ? every_activation() : every_node(), machine));
    int accepted = 0, decoded = 0;
    for (unsigned seed = 0; seed < 5000; ++seed) {
      std::mt19937 random(seed);
      Bytes bytes = image;
      damage(bytes, random);
      seal(bytes);
      INFO((activations ? "every_activation, seed " : "every_node, seed ") << seed);
      AllocationWatch watch;
      try {
        const Program program = decode_image(bytes);
        CHECK(watch.largest() <= 16 * bytes.size());
        ++decoded;
        CHECK(encode_image(program) == bytes);  // what decodes is what encode would have written
        validate(program, machine);
        ++accepted;
      } catch (const InputError& error) {
        CHECK_FALSE(error.problem().empty());
      }
    }
    CHECK(decoded > 500);  // or the validation would hardly have been tried
    CHECK(accepted > 50);
    CHECK(accepted < decoded);
  }
}
