// SPDX-License-Identifier: Apache-2.0
// What cells store, when a converter is proved to lose nothing, and what the fidelity asked for makes of it.
#include "models/mapping/encode_blocks.h"

#include <array>
#include <catch2/catch.hpp>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/mapping/program.h"
#include "testbenches/models/mapping/small_networks.h"

using namespace mho;
using namespace mho::mapping;

namespace {

/// A block of `expansion` windows of a 2 x 4 kernel, 3 channels, 2 filters: filter f of window p has in row (ky, x, c)
/// the weight w[f][ky][x - p stride][c]; no weight is 0.
void check_wide(const Block& block, const std::vector<std::int8_t>& w, int stride, int expansion) {
  const arithmetic::EncodedBlock& encoded = block.encoded;
  REQUIRE(encoded.filters == 2 * expansion);
  for (int row = 0; row < encoded.rows; ++row)
    for (int f = 0; f < encoded.filters; ++f) {
      const int width = 4 + (expansion - 1) * stride, k = block.row_first + row;
      const int c = k % 3, x = k / 3 % width, ky = k / 3 / width, kx = x - f / 2 * stride;
      const bool reaches = kx >= 0 && kx < 4;
      CHECK(stored_weight(encoded, row, f) == (reaches ? w[std::size_t(((f % 2 * 2 + ky) * 4 + kx) * 3 + c)] : 0));
      if (expansion == 1) continue;
      const arithmetic::FilterRange range = encoded.weighted[std::size_t(row)];
      CHECK((f >= range.first && f < range.first + range.count) == reaches);
    }
}

}  // namespace

TEST_CASE("columns are flipped where their all-ones response sets the top bit of the lossless code") {
  // 128 rows of 2-bit cells, 1-bit DACs: 9 bits, so a column flips at a sum of 256. -128 + 128 = 0 is stored as levels
  // 0000, 127 as 3333, 42 = 170 - 128 as 2222. 128 rows of 42 sum to 256: flipped to 1111. 85 rows of 127 and 43 of
  // -128 sum to 255: kept. Of 86 rows of 127, 258: flipped, 42 rows of 3 remain.
  Machine machine;
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  std::vector<std::int8_t> weights(128, 42);
  for (const int threes : {85, 86}) {
    weights.insert(weights.end(), std::size_t(threes), 127);
    weights.insert(weights.end(), std::size_t(128 - threes), -128);
  }
  const auto block = compile(one_layer(128, 3, weights), machine).layers[0].blocks[0].encoded;
  CHECK(int(block.levels[0]) == 1);
  CHECK(int(block.levels[4]) == 3);
  CHECK(int(block.levels[8]) == 0);
  CHECK(int(block.levels[127 * 12 + 4]) == 0);
  CHECK(int(block.levels[127 * 12 + 8]) == 3);
}

TEST_CASE("an expanded layer stores a filter once a window, each further right, and weight 0 elsewhere") {
  // 2 x 4 kernel on 3 channels: 6 rows a column, 24 rows. Two blocks of 22 rows hold 7 columns: four windows, two with
  // stride 2 or 3, one with stride 4. One block of 64 holds 10: seven windows; with stride 5 two and a gap between
  // them.
  const std::vector<std::array<int, 3>> cases = {{22, 1, 4}, {22, 2, 2}, {22, 3, 2},
                                                 {22, 4, 1}, {64, 1, 7}, {64, 5, 2}};
  for (const char* encoding : {"flip", "biased"})
    for (const auto& [rows, stride, expansion] : cases) {
      INFO(encoding << ", " << rows << " rows, stride " << stride);
      dnn::GraphBuilder net("wide");
      dnn::Window window = dnn::square_window(2, stride);
      window.kernel_width = 4;
      net.output(net.convolution(net.input({2, 60, 3}), 2, window));
      dnn::Graph graph = net.build();
      for (int i = 0; i < 48; ++i)
        graph.nodes[0].weights.values[std::size_t(i)] = std::int8_t(i % 2 == 0 ? 2 * i + 1 : -2 * i);
      Machine machine = small_machine();
      machine.toeplitz = true;
      machine.encoding = encoding;
      machine.crossbar.rows = rows;
      machine.crossbar.columns = 64;
      const std::vector<Block> blocks = encode_blocks(graph, graph.nodes[0], machine);
      CHECK(blocks.size() == (rows == 22 ? 2 : 1));
      for (const Block& block : blocks) check_wide(block, graph.nodes[0].weights.values, stride, expansion);
    }
}

TEST_CASE("what is stored does not depend on the ADC") {
  const dnn::Graph graph = one_layer(100, 8, random_weights(800, 5));
  Machine machine;
  const auto stored = compile(graph, machine).layers[0].blocks[0].encoded.levels;
  machine.adc.bits = 5;
  CHECK(compile(graph, machine).layers[0].blocks[0].encoded.levels == stored);
}

TEST_CASE("the proof of losslessness agrees with the programmed array's own") {
  for (const char* encoding : {"flip", "biased"})
    for (const int rows : {3, 40, 100, 128}) {
      Machine machine;
      machine.encoding = encoding;
      const Program program = compile(one_layer(rows, 5, random_weights(std::size_t(rows) * 5, 7)), machine);
      const LayerPlan& layer = program.layers[0];
      const arithmetic::ProgrammedArray array(layer.blocks[0].encoded, layer.stream);
      const ColumnBound bound = largest_column(layer.blocks, layer.stream);
      for (const bool is_signed : {false, true})
        for (int bits = 1; bits <= 12; ++bits) {
          AdcConfig adc;
          adc.bits = bits;
          adc.is_signed = is_signed;
          INFO(encoding << " " << rows << " rows, " << bits << " bits");
          CHECK(loss_of(bound, layer.blocks, layer.stream, adc).empty() ==
                !array.loss(arithmetic::AdcRange::of(bits, is_signed)).has_value());
          CHECK((bits >= bits_for(bound, adc)) == loss_of(bound, layer.blocks, layer.stream, adc).empty());
        }
    }
}

TEST_CASE("the proof agrees with the array for pairs and speculation, whatever the ADC's sign") {
  // With columns that reach -64 and 64, or 60 and -50, another column than the furthest decides; 21 * 3 is the highest
  // code of 7 bits, and a sum of 0 the lowest code of an unsigned ADC: both are failures.
  const auto agree = [](bool paired, const std::vector<int>& levels, const arithmetic::InputStream& stream) {
    Block block;
    const int columns = int(levels.size());
    block.encoded = {
        1,
        columns,
        paired ? 7 : 8,
        {},
        {1, std::vector<std::int32_t>(levels.size(), 1), std::vector<std::int32_t>(levels.size(), 0), true},
        paired,
        {}};
    for (const int level : levels) block.encoded.levels.push_back(std::uint8_t(level));
    const arithmetic::ProgrammedArray array(block.encoded, stream);
    const ColumnBound bound = largest_column({block}, stream);
    for (const bool is_signed : {false, true})
      for (int bits = 1; bits <= 12; ++bits) {
        AdcConfig adc;
        adc.bits = bits;
        adc.is_signed = is_signed;
        INFO(bits << " bits, signed " << is_signed << ", speculates " << stream.speculates());
        const std::string loss = loss_of(bound, {block}, stream, adc);
        CHECK(loss.empty() == !array.loss(arithmetic::AdcRange::of(bits, is_signed)).has_value());
      }
  };
  const arithmetic::InputStream plain{arithmetic::Slicing({1, 1, 1, 1})};
  arithmetic::InputStream speculative = plain;
  speculative.speculation = {2, 2};  // drives up to 3
  agree(true, {-64, 64}, plain);
  agree(true, {60, -50}, plain);
  agree(false, {60, 3}, plain);
  agree(true, {-21, 21}, speculative);
  agree(true, {20, -10}, speculative);
  agree(true, {20, 3}, speculative);
  agree(false, {85, 1}, speculative);
}

TEST_CASE("columns of pairs are bounded by their levels of one sign") {
  // Levels 3, -4, 5 reach 8 above and 4 below; -1, -9, 2 reach 2 above and 10 below; slices drive up to 15.
  Block block;
  block.encoded.rows = 3;
  block.encoded.filters = 2;
  block.encoded.cell_bits = 4;
  block.encoded.paired = true;
  for (const int level : {3, -1, -4, -9, 5, 2}) block.encoded.levels.push_back(std::uint8_t(level));
  block.encoded.recombination = {1, {1, 1}, {0, 0}, true};
  const arithmetic::InputStream stream{arithmetic::Slicing({4, 4})};
  const ColumnBound bound = largest_column({block}, stream);
  CHECK(bound.column == 1);
  CHECK(bound.bound == 2 * 15);
  CHECK(bound.lowest == -10 * 15);
}

TEST_CASE("flip encoding makes ISAAC's 8-bit ADC lossless, plain biased weights do not") {
  const dnn::Graph graph = one_layer(128, 1, std::vector<std::int8_t>(128, 127));
  Machine machine;
  CHECK(compile(graph, machine).layers[0].lossless);
  machine.encoding = "biased";
  const LayerPlan layer = compile(graph, machine).layers[0];
  CHECK_FALSE(layer.lossless);
  // 127 + 2^15 = 0x807f: slices 2 0 0 0 1 3 3 3; the first column of 3s is number 5, 128 x 3 = 384.
  CHECK(layer.loss == "column 5 of block 0 may sum to 384, the 8-bit ADC ends at 255");
}

TEST_CASE("a column that just reaches the ADC's last code is lossless, one level more is not") {
  // 85 rows of 127 and 43 of -128: levels 3 and 0, 85 x 3 = 255.
  Machine machine;
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  machine.encoding = "biased";
  std::vector<std::int8_t> weights(85, 127);
  weights.resize(128, -128);
  CHECK(compile(one_layer(128, 1, weights), machine).layers[0].lossless);
  weights[85] = -127;  // levels 0001
  CHECK(compile(one_layer(128, 1, weights), machine).layers[0].loss ==
        "column 3 of block 0 may sum to 256, the 8-bit ADC ends at 255");
}

TEST_CASE("fidelity sliced leaves no layer to exact products") {
  Machine machine = small_machine();
  machine.fidelity = Fidelity::kSliced;
  for (const LayerPlan& layer : compile(every_node(), machine).layers) {
    CHECK_FALSE(layer.lossless);
    CHECK(layer.loss == "fidelity: sliced was asked for");
  }
}

TEST_CASE("fidelity exact is refused where a converter could lose something, with two remedies") {
  Machine machine;
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  machine.encoding = "biased";
  machine.adc.bits = 5;
  machine.fidelity = Fidelity::kExact;
  CHECK(refusal(one_layer(128, 1, std::vector<std::int8_t>(128, 127)), machine) ==
        "one_layer: layer conv1: column 0 of block 0 may sum to 384, the 5-bit ADC ends at 31 "
        "(use fidelity: auto or sliced, or adc.bits: 9)");
  machine.adc.bits = 9;
  CHECK(refusal(one_layer(128, 1, std::vector<std::int8_t>(128, 127)), machine) == "accepted");
  machine.adc.is_signed = true;
  CHECK(refusal(one_layer(128, 1, std::vector<std::int8_t>(128, 127)), machine) ==
        "one_layer: layer conv1: column 0 of block 0 may sum to 384, the 9-bit ADC ends at 255 "
        "(use fidelity: auto or sliced, or adc.bits: 10)");
}

TEST_CASE("the unit column counts where it is the largest") {
  // Weights of -128 are stored as 0: only the unit column carries anything, 128 rows of 1 on a 7-bit ADC.
  Machine machine;
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  machine.adc.bits = 7;
  const LayerPlan layer = compile(one_layer(128, 1, std::vector<std::int8_t>(128, -128)), machine).layers[0];
  CHECK(layer.loss == "the unit column of block 0 may sum to 128, the 7-bit ADC ends at 127");
}

TEST_CASE("signed inputs whose sign bit shares a slice are refused, unsigned ones are not") {
  Machine machine = small_machine();
  machine.dac_bits = 2;
  const std::vector<std::int8_t> weights(32, 1);
  CHECK(refusal(one_layer(32, 1, weights), machine) == "accepted");
  const std::string problem = refusal(one_layer(32, 1, weights, dnn::CodeType::kInt8), machine);
  CHECK(problem.find("one_layer: layer conv1: the sign bit shares a slice of 2 bits") == 0);
  CHECK(problem.find("signed_inputs: two_passes") != std::string::npos);
  machine.data_bits = 9;
  machine.weight_slicing = {1, 2, 2, 2, 2};
  CHECK(refusal(one_layer(32, 1, weights, dnn::CodeType::kInt8), machine) == "accepted");
}
