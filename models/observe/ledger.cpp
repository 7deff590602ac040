// SPDX-License-Identifier: Apache-2.0
// Names, meanings and units of the counted actions; sums of counts.
#include "models/observe/ledger.h"

namespace mho::observe {
namespace {

constexpr std::array<ActionDescription, kActions> kDescriptions{{
    {"vectors", "input vectors driven into a row block of one crossbar_tile", "vectors"},
    {"array_cycles", "crossbar cycles: input slices times crossbars that took part", "cycles"},
    {"row_drives", "rows offered to their DAC, one an input slice and crossbar", "drives"},
    {"row_pulses", "values of the slices driven, in 1-bit-equivalent pulses", "pulses"},
    {"current_level_pulses", "levels on driven rows, summed over pulses: cell current", "level pulses"},
    {"adc_conversions", "conversions of columns that hold weights", "conversions"},
    {"adc_unit_conversions", "conversions of unit columns", "conversions"},
    {"adc_saturations", "conversions whose column sum lay outside the range", "conversions"},
    {"shift_adds", "converted codes added up behind the converters", "additions"},
    {"edram_lines_read", "lines read from a tile's buffer", "lines"},
    {"edram_lines_written", "lines written to a tile's buffer", "lines"},
    {"bus_bits", "bits carried from a tile's buffer to its crossbar_tiles", "bits"},
    {"router_flits", "flits passed on by routers, counted at every router", "flits"},
    {"hypertransport_bits", "bits carried between chips", "bits"},
    {"tile_shift_adds", "psums added up in a tile's output register", "additions"},
    {"function_outputs", "codes put out by function units", "codes"},
    {"pool_inputs", "codes read by pooling and element-wise operators", "codes"},
    {"function_products", "products of two activations, added up by function units", "products"},
    {"memory_bytes_read", "bytes read from main memory", "bytes"},
    {"memory_bytes_written", "bytes written to main memory", "bytes"},
    {"cell_write_steps", "level steps of cells, up and down", "steps"},
    {"cells_written", "cells whose level changed", "cells"},
    {"rows_written", "crossbar rows programmed and verified", "rows"},
    {"spilled_bytes", "bytes buffered in a neighbouring tile because the own buffer was full", "bytes"},
}};

}  // namespace

const ActionDescription& describe(Action action) { return kDescriptions[std::size_t(action)]; }

Counts& Counts::operator+=(const Counts& other) {
  for (std::size_t i = 0; i < kActions; ++i) values[i] += other.values[i];
  return *this;
}

Counts Ledger::total() const {
  Counts sum;
  for (const Counts& row : rows_) sum += row;
  return sum;
}

}  // namespace mho::observe
