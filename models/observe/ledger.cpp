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
    {"cell_pulses", "devices on driven rows that hold weights, summed over pulses", "pulses"},
    {"spare_cell_pulses", "devices on driven rows in cells without a weight, summed over pulses", "pulses"},
    {"spare_level_pulses", "levels of cells without a weight on driven rows, summed over pulses", "level pulses"},
    {"input_codes_read", "codes read from input registers; twice for a vector that speculates", "codes"},
    {"column_reads", "columns whose current flows in a crossbar cycle, converted or not", "columns"},
    {"adc_conversions", "conversions of columns that hold weights", "conversions"},
    {"adc_unit_conversions", "conversions of unit columns", "conversions"},
    {"speculations", "conversions of cycles that speculate, among the conversions", "conversions"},
    {"speculation_failures", "speculated codes that lay at a bound of the range", "conversions"},
    {"recovery_conversions", "conversions of cycles that recover failed columns, among the conversions", "conversions"},
    {"adc_saturations", "conversions whose column sum lay outside the range and was not read again", "conversions"},
    {"adc_out_of_range", "sums outside the range of columns that hold weights, in cycles that convert all of them",
     "conversions"},
    {"shift_adds", "converted codes added up behind the converters", "additions"},
    {"offset_corrections", "psums to which a digital input sum times their filter's offset was added", "psums"},
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
