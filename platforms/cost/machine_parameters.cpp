// SPDX-License-Identifier: Apache-2.0
// The table of parameters. Times of digital stages are missing on purpose: no published figure depends on them.
#include "platforms/cost/machine_parameters.h"

namespace mho {

using config::Quantity;
using mapping::Machine;

const std::vector<MachineParameter>& machine_parameters() {
  static const std::vector<MachineParameter> parameters{
      {"chip.tiles", {}, [](const Machine& m) { return double(m.tiles_per_chip); }},
      {"tile.crossbar_tiles", {}, [](const Machine& m) { return double(m.crossbar_tiles_per_tile); }},
      {"crossbars", {}, [](const Machine& m) { return double(m.crossbar.crossbars); }},
      {"crossbar.cell",  // devices
       {},
       [](const Machine& m) { return m.crossbar.cell == mapping::CellKind::k2T2R ? 2.0 : 1.0; },
       {"1t1r", "2t2r"}},
      {"crossbar.rows", {}, [](const Machine& m) { return double(m.crossbar.rows); }},
      {"crossbar.columns", {}, [](const Machine& m) { return double(m.crossbar.columns); }},
      {"crossbar.cell_bits", {}, [](const Machine& m) { return double(m.crossbar.cell_bits); }},
      {"crossbar.cycle", Quantity::time, [](const Machine& m) { return m.crossbar.cycle_s; }},
      {"crossbar.input_register", Quantity::bytes,
       [](const Machine& m) { return double(m.crossbar.input_register_bytes); }},
      {"data_bits", {}, [](const Machine& m) { return double(m.data_bits); }},
      {"dac.bits", {}, [](const Machine& m) { return double(m.dac_bits); }},
      {"adc.bits", {}, [](const Machine& m) { return double(m.adc.bits); }},
      {"adc.rate", Quantity::sample_rate, [](const Machine& m) { return m.adc.rate_hz; }},
      {"adc.converters", {}, [](const Machine& m) { return double(m.adc.converters); }},
      {"edram.size", Quantity::bytes, [](const Machine& m) { return double(m.edram.bytes); }},
      {"edram.line", Quantity::bytes, [](const Machine& m) { return double(m.edram.line_bytes); }},
      {"bus.bandwidth", Quantity::bandwidth, [](const Machine& m) { return m.bus.bytes_per_s; }},
      {"router.tiles", {}, [](const Machine& m) { return double(m.router.tiles_per_router); }},
      {"router.bandwidth", Quantity::bandwidth, [](const Machine& m) { return m.router.bytes_per_s; }},
      {"hypertransport.links", {}, [](const Machine& m) { return double(m.hypertransport.links); }},
      {"hypertransport.bandwidth", Quantity::bandwidth, [](const Machine& m) { return m.hypertransport.bytes_per_s; }},
      {"function_unit.rate", Quantity::sample_rate, [](const Machine& m) { return m.function.outputs_per_s; }},
      {"function_unit.pool_rate", Quantity::sample_rate, [](const Machine& m) { return m.function.pooled_per_s; }},
      {"function_unit.product_rate", Quantity::sample_rate, [](const Machine& m) { return m.function.products_per_s; }},
  };
  return parameters;
}

const MachineParameter* find_parameter(const std::string& key) {
  for (const MachineParameter& parameter : machine_parameters())
    if (key == parameter.key) return &parameter;
  return nullptr;
}

std::string format_parameter(const MachineParameter& parameter, double value) {
  if (!parameter.words.empty()) return parameter.words.at(std::size_t(value) - 1);
  return parameter.quantity ? config::format_quantity(value, *parameter.quantity) : config::format_real(value);
}

}  // namespace mho
