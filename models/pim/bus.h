// SPDX-License-Identifier: Apache-2.0
// The link from a tile's buffer to its crossbar_tiles (ISAAC: 384 wires, a copy of 1 KB within one cycle together with
// the buffer's read). All crossbar_tiles share it: transfers of one operation take turns. Address = crossbar_tile
// << 16 | first crossbar.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>

#include "models/mapping/machine.h"
#include "models/observe/ledger.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"

namespace mho::pim {

constexpr int kCrossbarTileShift = 16;
constexpr std::uint64_t kFirstCrossbarMask = 0xffff;

class Bus : public sc_core::sc_module {
 public:
  /// `value_bytes`: bytes of one input value on the wires, data_bits / 8 rounded up.
  Bus(sc_core::sc_module_name name, const mapping::BusConfig& config, int crossbar_tiles, int value_bytes,
      observe::Ledger& ledger, observe::Recorder* recorder = nullptr);

  tlm_utils::simple_target_socket<Bus, 32, BatchProtocol> from_buffer;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<Bus, 32, BatchProtocol>> to_crossbar_tile;

 private:
  void carry(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  const mapping::BusConfig config_;
  const int value_bytes_;
  observe::Ledger& ledger_;
  SharedStage stage_;
};

}  // namespace mho::pim
