// SPDX-License-Identifier: Apache-2.0
// Ranges of a machine's keys and the rules that tie them together. The rules are those of the arithmetic (sums are
// 16 bit, slices are at most 8 bits wide) and of the mapper (a filter does not straddle two crossbars).
#include "models/mapping/machine.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>

#include "models/arithmetic/input_stream.h"

namespace mho::mapping {
namespace {

constexpr int kMaxCount = 65536;
constexpr std::int64_t kMaxTiles = 1 << 24;

void check_int(const char* key, std::int64_t value, std::int64_t lowest, std::int64_t highest) {
  if (value < lowest || value > highest)
    throw std::invalid_argument(std::string(key) + " is " + std::to_string(value) + " (" + std::to_string(lowest) +
                                " to " + std::to_string(highest) + ")");
}

void check_time(const char* key, double seconds) {
  if (!std::isfinite(seconds) || seconds < 0.0)
    throw std::invalid_argument(std::string(key) + " is " + std::to_string(seconds) + " s (0 or more, finite)");
}

void check_rate(const char* key, double per_s) {
  if (!std::isfinite(per_s) || per_s <= 0.0)
    throw std::invalid_argument(std::string(key) + " is " + std::to_string(per_s) + " (more than 0, finite)");
}

void check_counts(const Machine& m) {
  check_int("chips", m.chips, 0, kMaxCount);
  check_int("tiles_per_chip", m.tiles_per_chip, 1, kMaxCount);
  check_int("crossbar_tiles_per_tile", m.crossbar_tiles_per_tile, 1, kMaxCount);
  check_int("crossbar.crossbars", m.crossbar.crossbars, 1, kMaxCount);
  check_int("crossbar.rows", m.crossbar.rows, 1, 32767);
  check_int("crossbar.columns", m.crossbar.columns, 1, kMaxCount);
  check_int("crossbar.cell_bits", m.crossbar.cell_bits, 1, 8);
  check_int("adc.bits", m.adc.bits, 1, 16);
  check_int("adc.converters", m.adc.converters, 1, kMaxCount);
  check_int("adc.queue", m.adc.queue, 1, kMaxCount);
  check_int("bus.queue", m.bus.queue, 1, kMaxCount);
  check_int("writer.drivers", m.writer.drivers, 0, kMaxCount);
  check_int("data_bits", m.data_bits, 8, 16);
  check_int("dac_bits", m.dac_bits, 1, 8);
  check_int("edram.bytes", m.edram.bytes, 1, INT32_MAX);
  check_int("edram.line_bytes", m.edram.line_bytes, 1, m.edram.bytes);
  check_int("router.tiles_per_router", m.router.tiles_per_router, 1, kMaxCount);
  check_int("hypertransport.links", m.hypertransport.links, 1, kMaxCount);
  const std::int64_t per_chip = std::int64_t(m.tiles_per_chip) * m.crossbar_tiles_per_tile;
  check_int("tiles_per_chip times crossbar_tiles_per_tile", per_chip, 1, INT32_MAX / m.crossbar.crossbars);
  check_int("tiles of all chips", std::int64_t(std::max(m.chips, 1)) * m.tiles_per_chip, 1, kMaxTiles);
}

void check_times(const Machine& m) {
  check_time("crossbar.cycle", m.crossbar.cycle_s);
  check_time("edram.line", m.edram.line_s);
  check_time("bus.latency", m.bus.latency_s);
  check_time("router.hop", m.router.hop_s);
  check_time("hypertransport.latency", m.hypertransport.latency_s);
  check_time("function.shift_add", m.function.shift_add_s);
  check_time("function.function", m.function.function_s);
  check_time("function.write", m.function.write_s);
  check_time("writer.setup", m.writer.setup_s);
  check_time("writer.pulse", m.writer.pulse_s);
  check_rate("adc.rate", m.adc.rate_hz);
  check_rate("bus.bytes_per_s", m.bus.bytes_per_s);
  check_rate("router.bytes_per_s", m.router.bytes_per_s);
  check_rate("hypertransport.bytes_per_s", m.hypertransport.bytes_per_s);
  check_rate("function.outputs_per_s", m.function.outputs_per_s);
  check_rate("function.pooled_per_s", m.function.pooled_per_s);
  check_rate("function.products_per_s", m.function.products_per_s);
}

/// Widths of 1 to `widest` that cover the data.
void check_widths(const Machine& m, const char* key, const std::vector<int>& widths, int widest) {
  std::int64_t bits = 0;
  for (const int width : widths) {
    check_int((std::string("a slice of ") + key).c_str(), width, 1, widest);
    bits += width;
  }
  if (bits != m.data_bits)
    throw std::invalid_argument(std::string(key) + " covers " + std::to_string(bits) +
                                " bits (data_bits: " + std::to_string(m.data_bits) + " must be covered)");
}

void check_weight_slicing(const Machine& m, const std::vector<int>& widths) {
  check_widths(m, "weight_slicing", widths, m.crossbar.cell_bits);
  if (int(widths.size()) > m.crossbar.columns)
    throw std::invalid_argument("weight_slicing has " + std::to_string(widths.size()) +
                                " slices and crossbar.columns is " + std::to_string(m.crossbar.columns) +
                                " (a filter must fit a crossbar)");
}

void check_slicing(const Machine& m) {
  check_weight_slicing(m, m.weight_slicing);
  for (const auto& layer : m.layer_slicings) check_weight_slicing(m, layer.second);
  if (!m.input_slicing.empty()) check_widths(m, "input_slicing", m.input_slicing, m.dac_bits);
  if (m.speculation.empty()) return;
  check_widths(m, "speculation", m.speculation, m.dac_bits);
  arithmetic::InputStream stream;
  stream.slicing = m.input_slicing.empty() ? arithmetic::Slicing::uniform(m.data_bits, m.dac_bits)
                                           : arithmetic::Slicing(m.input_slicing);
  stream.speculation = m.speculation;
  try {
    stream.cycles();
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument("speculation has a slice that slices of input_slicing do not fill");
  }
}

void check_fit(const Machine& m) {
  const bool paired = m.crossbar.cell == CellKind::k2T2R;
  if (paired && m.input_sum != InputSum::kDigital)
    throw std::invalid_argument("input_sum is unit_column and crossbar.cell is 2t2r (digital, pairs have none)");
  if ((paired || !m.speculation.empty()) && !(m.adc.bits <= 15))
    throw std::invalid_argument("adc.bits is 16 (15 or less where cells are pairs or inputs speculate)");
  const std::int64_t largest =
      std::int64_t(m.crossbar.rows) * ((1 << m.dac_bits) - 1) * ((1 << m.crossbar.cell_bits) - 1);
  if (largest > 32767 && !paired)
    throw std::invalid_argument("crossbar.rows, dac_bits and crossbar.cell_bits give column sums up to " +
                                std::to_string(largest) + " (32767 or less, sums are 16 bit)");
  std::vector<int> widths = m.input_slicing.empty() ? std::vector<int>{m.dac_bits} : m.input_slicing;
  widths.insert(widths.end(), m.speculation.begin(), m.speculation.end());
  const int widest = *std::max_element(widths.begin(), widths.end());
  const std::int64_t inputs = std::int64_t(m.crossbar.rows) * ((1 << widest) - 1);
  if (inputs > 32767 && paired)
    throw std::invalid_argument("crossbar.rows and input slices of " + std::to_string(widest) +
                                " bits give sums of inputs up to " + std::to_string(inputs) +
                                " (32767 or less, sums are 16 bit)");
  const std::int64_t vector_bytes = std::int64_t(m.crossbar.rows) * ((m.data_bits + 7) / 8);
  if (m.crossbar.input_register_bytes < vector_bytes)
    throw std::invalid_argument("crossbar.input_register_bytes is " + std::to_string(m.crossbar.input_register_bytes) +
                                " (one input vector has " + std::to_string(vector_bytes) + ")");
}

}  // namespace

void validate(const Machine& machine) {
  check_counts(machine);
  check_times(machine);
  check_slicing(machine);
  check_fit(machine);
}

}  // namespace mho::mapping
