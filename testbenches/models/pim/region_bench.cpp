// SPDX-License-Identifier: Apache-2.0
// Random row blocks, naive sums and the netlists of the benches.
#include "testbenches/models/pim/region_bench.h"

#include <algorithm>

namespace mho::testbenches {

RegionData random_region(unsigned seed, int rows, int filters, int first_crossbar, int columns_per_crossbar) {
  constexpr int kSlices = 4, kBias = 128;
  std::mt19937 random(seed);
  RegionData region;
  region.rows = rows;
  region.filters = filters;
  for (int i = 0; i < rows * filters; ++i) region.weights.push_back(int(random() % 256) - kBias);
  for (int row = 0; row < rows; ++row)
    for (int filter = 0; filter < filters; ++filter)
      for (int k = 0; k < kSlices; ++k) {
        const int stored = region.weights[std::size_t(filter * rows + row)] + kBias;
        region.levels.push_back(std::uint8_t(stored / (k == 0 ? 64 : k == 1 ? 16 : k == 2 ? 4 : 1) % 4));
      }
  region.setup.first_crossbar = first_crossbar;
  region.setup.crossbars = (filters * kSlices + columns_per_crossbar - 1) / columns_per_crossbar;
  region.setup.rows = rows;
  region.setup.filters = filters;
  region.setup.cell_bits = 2;
  region.setup.columns_per_crossbar = columns_per_crossbar;
  region.setup.content = seed;
  region.setup.recombination.columns_per_filter = kSlices;
  for (int filter = 0; filter < filters; ++filter) {
    for (const int place : {64, 16, 4, 1}) region.setup.recombination.coefficient.push_back(place);
    region.setup.recombination.unit_coefficient.push_back(-kBias);
  }
  return region;
}

std::vector<std::uint8_t> random_codes(unsigned seed, int count, int rows) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> codes;
  for (int i = 0; i < count * rows; ++i) codes.push_back(std::uint8_t(random()));
  return codes;
}

std::int32_t dot(const RegionData& region, const std::uint8_t* codes, int filter) {
  std::int32_t sum = 0;
  for (int row = 0; row < region.rows; ++row) {
    const int code = region.setup.stream.is_signed ? int(std::int8_t(codes[row])) : int(codes[row]);
    sum += region.weights[std::size_t(filter * region.rows + row)] * code;
  }
  return sum;
}

int column_sum(const RegionData& region, const std::uint8_t* codes, int column, int slice) {
  int sum = 0;
  for (int row = 0; row < region.rows; ++row)
    sum += ((codes[row] >> (7 - slice)) & 1) * (column == region.columns() ? 1 : int(region.level(row, column)));
  return sum;
}

BatchOfCodes::BatchOfCodes(const RegionData& region, const std::vector<std::uint8_t>& codes, bool exact) {
  batch.form = pim::Batch::Form::kCodes;
  batch.exact = exact;
  batch.count = int(codes.size()) / region.rows;
  batch.rows = region.rows;
  batch.filters = batch.layer_filters = region.filters;
  bytes.resize(pim::lay_out(batch, arithmetic::count_cycles(region.setup.stream), region.columns()));
  std::copy(codes.begin(), codes.end(), bytes.begin() + std::ptrdiff_t(batch.codes_at));
}

std::int32_t BatchOfCodes::psum(int window, int filter) const {
  const std::size_t at = std::size_t(window * batch.filters + filter) * 4;
  return std::int32_t(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | std::uint32_t(bytes[at + 3]) << 24);
}

mapping::CrossbarTileConfig small_crossbars() {
  mapping::CrossbarTileConfig config;
  config.crossbars = 4;
  config.rows = 16;
  config.columns = 8;
  config.cell_bits = 2;
  return config;
}

TileBench::TileBench(const mapping::CrossbarTileConfig& given)
    : config(given), tile("tile", config, ledger, store), input("input"), setup("setup"), sink("sink"), cells("cells") {
  ledger.resize(4);
  input.out.bind(tile.input);
  setup.out.bind(tile.setup);
  tile.sums.bind(sink.in);
  cells.socket.bind(tile.cells);
}

std::uint64_t TileBench::cell_address(int crossbar, int row, int column) const {
  return std::uint64_t((crossbar * config.rows + row) * config.columns + column);
}

tlm::tlm_response_status TileBench::program(RegionData& region) {
  std::vector<std::uint8_t> none(1);
  const tlm::tlm_response_status answer = setup.send(0, none, &region.setup);
  if (answer != tlm::TLM_OK_RESPONSE) return answer;
  const int per_crossbar = region.setup.columns_per_crossbar;
  for (int row = 0; row < region.rows; ++row)
    for (int column = 0; column < region.columns(); column += per_crossbar) {
      const int crossbar = region.setup.first_crossbar + column / per_crossbar;
      std::uint8_t* const levels = region.levels.data() + row * region.columns() + column;
      cells.send(tlm::TLM_WRITE_COMMAND, cell_address(crossbar, row, 0), levels,
                 unsigned(std::min(per_crossbar, region.columns() - column)));
    }
  return answer;
}

GroupBench::GroupBench(const mapping::AdcConfig& adc_config, const mapping::WriterConfig& writer_config,
                       const mapping::CrossbarTileConfig& given)
    : config(given),
      tile("tile", config, ledger, store),
      adc("adc", adc_config, config.crossbars, ledger),
      shift_add("shift_add", config.crossbars, ledger),
      writer("writer", writer_config, config, programming),
      input("input"),
      programmer("programmer"),
      sink("sink") {
  ledger.resize(4);
  programming.resize(4);
  input.out.bind(tile.input);
  tile.sums.bind(adc.sums);
  adc.codes.bind(shift_add.codes);
  shift_add.psums.bind(sink.in);
  programmer.out.bind(writer.program);
  writer.setup.bind(tile.setup);
  writer.cells.bind(tile.cells);
}

tlm::tlm_response_status GroupBench::program(RegionData& region, pim::Pipeline* pipeline) {
  return programmer.send(0, region.levels, &region.setup, pipeline);
}

std::uint8_t GroupBench::level(std::uint64_t address) {
  std::uint8_t level = 0xff;
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(address);
  payload.set_data_ptr(&level);
  payload.set_data_length(1);
  writer.cells->transport_dbg(payload);
  return level;
}

void GroupBench::set_level(std::uint64_t address, std::uint8_t level) {
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_address(address);
  payload.set_data_ptr(&level);
  payload.set_data_length(1);
  writer.cells->transport_dbg(payload);
}

}  // namespace mho::testbenches
