// SPDX-License-Identifier: Apache-2.0
// The naive conversion, slice by slice as RAELLA's paper describes it.
#include "testbenches/models/pim/pair_bench.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

namespace mho::testbenches {
namespace {

/// One column of one vector: magnitudes of the rows against its levels.
struct Column {
  const std::vector<int>& driven;
  const RegionData& region;
  int column;

  int sum(int shift, int width) const {
    int sum = 0;
    for (int row = 0; row < region.rows; ++row)
      sum += ((driven[std::size_t(row)] >> shift) & ((1 << width) - 1)) * int(std::int8_t(region.level(row, column)));
    return sum;
  }
};

struct Range {
  int lowest, highest;
  bool holds(int sum) const { return lowest <= sum && sum <= highest; }
  int clip(int sum) const { return std::clamp(sum, lowest, highest); }
};

int convert_plain(const Column& column, Range range, int shift, int width, NaiveConversion& out) {
  const int sum = column.sum(shift, width);
  ++out.conversions;
  ++out.shift_adds;
  out.saturations += !range.holds(sum);
  return range.clip(sum) * (1 << shift);
}

/// Bits 7 .. 4, 3 .. 2 and 1 .. 0 at once, and bit by bit where that failed.
int convert_speculated(const Column& column, Range range, std::vector<int>* failed, NaiveConversion& out) {
  const int shifts[] = {4, 2, 0}, widths[] = {4, 2, 2};
  int total = 0;
  for (int s = 0; s < 3; ++s) {
    const int sum = column.sum(shifts[s], widths[s]);
    ++out.conversions;
    ++out.speculations;
    out.out_of_range += !range.holds(sum);
    if (sum > range.lowest && sum < range.highest) {
      ++out.shift_adds;
      total += sum * (1 << shifts[s]);
      continue;
    }
    ++out.failures;
    failed[s].push_back(column.column);
    for (int bit = shifts[s] + widths[s] - 1; bit >= shifts[s]; --bit) {
      total += convert_plain(column, range, bit, 1, out);
      ++out.recoveries;
    }
  }
  return total;
}

/// Adds one pass over one vector to its psums.
void add_pass(const RegionData& region, const std::vector<int>& driven, int sign, Range range, std::int32_t* psums,
              NaiveConversion& out) {
  const pim::RegionSetup& setup = region.setup;
  const int per_filter = setup.recombination.columns_per_filter;
  std::vector<int> failed[3];
  for (int column = 0; column < region.columns(); ++column) {
    const Column of{driven, region, column};
    int total = 0;
    if (setup.stream.speculates())
      total = convert_speculated(of, range, failed, out);
    else
      for (int bit = 7; bit >= 0; --bit) {
        out.out_of_range += !range.holds(of.sum(bit, 1));
        total += convert_plain(of, range, bit, 1, out);
      }
    psums[column / per_filter] += sign * total * setup.recombination.coefficient[std::size_t(column)];
  }
  for (int filter = 0; filter < region.filters; ++filter)
    for (const int value : driven)
      psums[filter] += sign * value * setup.recombination.unit_coefficient[std::size_t(filter)];
  if (setup.stream.speculates()) out.failed.insert(out.failed.end(), failed, failed + 3);
}

}  // namespace

arithmetic::InputStream pair_stream(bool speculates, bool is_signed) {
  arithmetic::InputStream stream;
  stream.is_signed = stream.two_passes = is_signed;
  if (speculates) stream.speculation = {4, 2, 2};
  return stream;
}

mapping::CrossbarTileConfig pair_crossbars(int crossbars, int rows, int columns) {
  mapping::CrossbarTileConfig config;
  config.cell = mapping::CellKind::k2T2R;
  config.crossbars = crossbars;
  config.rows = rows;
  config.columns = columns;
  config.cell_bits = 4;
  return config;
}

RegionData pair_region(unsigned seed, int rows, int filters, int first_crossbar, int columns_per_crossbar,
                       const arithmetic::InputStream& stream) {
  std::mt19937 random(seed);
  RegionData region;
  region.rows = rows;
  region.filters = filters;
  std::vector<int> centres;
  for (int f = 0; f < filters; ++f) centres.push_back(1 + int(random() % 255));
  for (int i = 0; i < rows * filters; ++i) region.weights.push_back(int(random() % 256) - 128);
  for (int row = 0; row < rows; ++row)
    for (int f = 0; f < filters; ++f) {
      const int offset = region.weights[std::size_t(f * rows + row)] + 128 - centres[std::size_t(f)];
      const int sign = offset < 0 ? -1 : 1, magnitude = std::abs(offset);
      for (const int slice : {magnitude / 16, magnitude / 4 % 4, magnitude % 4})
        region.levels.push_back(std::uint8_t(sign * slice));
    }
  pim::RegionSetup& setup = region.setup;
  setup.first_crossbar = first_crossbar;
  setup.crossbars = (filters * 3 + columns_per_crossbar - 1) / columns_per_crossbar;
  setup.rows = rows;
  setup.filters = filters;
  setup.cell_bits = 4;
  setup.paired = true;
  setup.columns_per_crossbar = columns_per_crossbar;
  setup.stream = stream;
  setup.content = seed;
  setup.recombination.columns_per_filter = 3;
  setup.recombination.digital_unit = true;
  for (int f = 0; f < filters; ++f) {
    for (const int place : {16, 4, 1}) setup.recombination.coefficient.push_back(place);
    setup.recombination.unit_coefficient.push_back(centres[std::size_t(f)] - 128);
  }
  return region;
}

NaiveConversion convert_naively(const RegionData& region, const std::vector<std::uint8_t>& codes, int lowest,
                                int highest) {
  NaiveConversion out;
  const auto rows = std::size_t(region.rows), filters = std::size_t(region.filters);
  const bool is_signed = region.setup.stream.is_signed;
  out.psums.resize(codes.size() / rows * filters);
  for (std::size_t v = 0; v < codes.size() / rows; ++v)
    for (const int sign : {1, -1}) {
      if (sign < 0 && !is_signed) continue;
      std::vector<int> driven;
      for (std::size_t row = 0; row < rows; ++row) {
        const int code = is_signed ? int(std::int8_t(codes[v * rows + row])) : int(codes[v * rows + row]);
        driven.push_back(std::max(sign * code, 0));
      }
      add_pass(region, driven, sign, {lowest, highest}, out.psums.data() + v * filters, out);
    }
  return out;
}

void check_counts(const observe::Counts& counts, const NaiveConversion& expected) {
  using observe::Action;
  CHECK(counts[Action::kConversions] == expected.conversions);
  CHECK(counts[Action::kUnitConversions] == 0);
  CHECK(counts[Action::kSpeculations] == expected.speculations);
  CHECK(counts[Action::kSpeculationFailures] == expected.failures);
  CHECK(counts[Action::kRecoveryConversions] == expected.recoveries);
  CHECK(counts[Action::kSaturations] == expected.saturations);
  CHECK(counts[Action::kOutOfRange] == expected.out_of_range);
  CHECK(counts[Action::kShiftAdds] == expected.shift_adds);
}

mapping::AdcConfig signed_adc(int bits, int converters) {
  mapping::AdcConfig config;
  config.bits = bits;
  config.is_signed = true;
  config.converters = converters;
  return config;
}

PairChain::PairChain(sc_core::sc_module_name module_name, const mapping::AdcConfig& adc_config,
                     const mapping::CrossbarTileConfig& given, observe::ColumnSumRecorder* column_sums)
    : sc_module(module_name),
      config(given),
      crossbars("crossbars", config, ledger, store, &records),
      adc("adc", adc_config, config.crossbars, ledger, &records, column_sums),
      shift_add("shift_add", config.crossbars, ledger, &records),
      writer("writer", mapping::WriterConfig{}, config, programming),
      programmer("programmer"),
      inputs("inputs"),
      outputs("outputs", [this](const pim::Pipeline&, const std::vector<std::int32_t>& values) {
        psums.insert(psums.end(), values.begin(), values.end());
      }) {
  ledger.resize(4);
  programming.resize(4);
  programmer.out.bind(writer.program);
  writer.setup.bind(crossbars.setup);
  writer.cells.bind(crossbars.cells);
  inputs.out.bind(crossbars.input);
  crossbars.sums.bind(adc.sums);
  adc.codes.bind(shift_add.codes);
  shift_add.psums.bind(outputs.in);
}

void PairChain::program(RegionData& region) { programmer.call(programmer.levels(region.setup, region.levels)); }

std::vector<std::int32_t> PairChain::call(const RegionData& region, const std::vector<std::uint8_t>& codes,
                                          bool exact) {
  BatchOfCodes batch(region, codes, exact);
  pipeline = {};
  pipeline.node = 2;
  pipeline.count = std::uint64_t(batch.batch.count);
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_address(std::uint64_t(region.setup.first_crossbar));
  payload.set_data_ptr(batch.bytes.data());
  payload.set_data_length(unsigned(batch.bytes.size()));
  payload.set_streaming_width(unsigned(batch.bytes.size()));
  payload.set_extension(&batch.batch);
  payload.set_extension(&pipeline);
  delay = sc_core::SC_ZERO_TIME;
  std::vector<std::int32_t> before;
  before.swap(psums);
  inputs.out->b_transport(payload, delay);
  payload.clear_extension(&batch.batch);
  payload.clear_extension(&pipeline);
  response = payload.get_response_status();
  std::vector<std::int32_t> values;
  values.swap(psums);
  psums = std::move(before);
  return values;
}

std::vector<observe::Occupation> PairChain::of(observe::Kind kind, int lane) const {
  std::vector<observe::Occupation> found;
  for (const observe::Occupation& each : records.of(kind))
    if (each.lane == lane) found.push_back(each);
  return found;
}

void PairChain::send(const RegionData& region, const std::vector<std::uint8_t>& codes) {
  const auto rows = std::ptrdiff_t(region.rows);
  for (auto code = codes.begin(); code != codes.end(); code += rows)
    inputs.send(inputs.vector(region.setup, {code, code + rows}, 1));
  sc_core::sc_start();
  CHECK(inputs.under_way() == 0);
}

}  // namespace mho::testbenches
