// SPDX-License-Identifier: Apache-2.0
// One tile as a netlist: buffer, bus, crossbar_tiles each with converters, shift-and-add unit and weight writer, and
// the function unit. Addresses from the network: buffer from 0, psum accumulators at kPsumWindow.
#pragma once

#include <memory>
#include <systemc>

#include "models/pim/bus.h"
#include "models/pim/crossbar_tile.h"
#include "models/pim/edram_buffer.h"
#include "models/pim/function_unit.h"
#include "models/pim/shared_adc.h"
#include "models/pim/shift_add_unit.h"
#include "models/pim/weight_writer.h"
#include "models/tlm/router.h"

namespace mho::pim {

/// Where the modules of one accelerator report to.
struct Observation {
  observe::Ledger& ledger;       ///< of computing
  observe::Ledger& programming;  ///< of writing weights
  WeightStore& store;
  observe::Recorder* recorder = nullptr;
  observe::ColumnSumRecorder* column_sums = nullptr;
};

/// A crossbar_tile and what belongs to it alone.
struct CrossbarGroup : sc_core::sc_module {
  CrossbarGroup(sc_core::sc_module_name name, const mapping::Machine& machine, const Observation& observation);

  CrossbarTile crossbars;
  SharedAdc adc;
  ShiftAddUnit shift_add;
  WeightWriter writer;
};

struct PimTile : sc_core::sc_module {
  /// `tile`: number in the network; `groups`: crossbar_tiles to build, at most the machine's.
  PimTile(sc_core::sc_module_name name, const mapping::Machine& machine, int tile, int groups,
          const Observation& observation);

  EdramBuffer buffer;
  Bus bus;
  FunctionUnit function;
  tlm_kit::Router<32> decoder;  ///< initiators: 0 the network, 1 the own function unit
  std::vector<std::unique_ptr<CrossbarGroup>> groups;
};

}  // namespace mho::pim
