// SPDX-License-Identifier: Apache-2.0
// Netlist of a tile.
#include "models/pim/pim_tile.h"

#include "models/pim/addresses.h"

namespace mho::pim {
namespace {

int value_bytes(const mapping::Machine& machine) { return (machine.data_bits + 7) / 8; }

tlm_kit::RouterConfig tile_addresses() {
  tlm_kit::RouterConfig config;
  config.initiators = 2;
  config.targets = 2;
  config.regions = {{"buffer", 0, kPsumWindow, 0, 0}, {"psums", kPsumWindow, kPsumWindowBytes, 1, 0}};
  return config;
}

}  // namespace

CrossbarGroup::CrossbarGroup(sc_core::sc_module_name module_name, const mapping::Machine& machine,
                             const Observation& observation)
    : sc_module(module_name),
      crossbars("crossbars", machine.crossbar, observation.ledger, observation.store, observation.recorder),
      adc("adc", machine.adc, machine.crossbar.crossbars, observation.ledger, observation.recorder,
          observation.column_sums),
      shift_add("shift_add", machine.crossbar.crossbars, observation.ledger, observation.recorder),
      writer("writer", machine.writer, machine.crossbar, observation.programming, observation.recorder) {
  crossbars.sums.bind(adc.sums);
  adc.codes.bind(shift_add.codes);
  writer.setup.bind(crossbars.setup);
  writer.cells.bind(crossbars.cells);
}

PimTile::PimTile(sc_core::sc_module_name module_name, const mapping::Machine& machine, int tile, int group_count,
                 const Observation& observation)
    : sc_module(module_name),
      buffer("buffer", machine.edram, value_bytes(machine), observation.ledger, observation.recorder),
      bus("bus", machine.bus, group_count, value_bytes(machine), observation.ledger, observation.recorder),
      function("function", tile, machine.function, observation.ledger, observation.recorder),
      decoder("decoder", tile_addresses()) {
  buffer.bus.bind(bus.from_buffer);
  for (int i = 0; i < group_count; ++i) {
    const std::string group_name = "group_" + std::to_string(i);
    groups.push_back(std::make_unique<CrossbarGroup>(group_name.c_str(), machine, observation));
    bus.to_crossbar_tile[std::size_t(i)].bind(groups.back()->crossbars.input);
    groups.back()->shift_add.psums.bind(function.psums);
  }
  function.buffer.bind(decoder.from_initiator[1]);
  decoder.to_target[0].bind(buffer.port);
  decoder.to_target[1].bind(function.remote_psums);
}

}  // namespace mho::pim
