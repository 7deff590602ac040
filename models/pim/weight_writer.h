// SPDX-License-Identifier: Apache-2.0
// Programs the crossbars of one crossbar_tile with program-and-verify: each row is read, one pulse a level step moves
// it (SET phase, then RESET phase), the next row follows. Crossbars are written independently of each other, rows of
// one crossbar in sequence.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <vector>

#include "models/mapping/machine.h"
#include "models/observe/ledger.h"
#include "models/pim/crossbar_tile.h"

namespace mho::pim {

class WeightWriter : public sc_core::sc_module {
 public:
  /// `ledger`: programming is counted apart from computing.
  WeightWriter(sc_core::sc_module_name name, const mapping::WriterConfig& config,
               const mapping::CrossbarTileConfig& crossbar, observe::Ledger& ledger);

  /// A write of levels[row][column] with a RegionSetup extension programs that region; `delay` grows by the time
  /// until its last row is verified.
  tlm_utils::simple_target_socket<WeightWriter, 32, BatchProtocol> program;
  tlm_utils::simple_initiator_socket<WeightWriter, 32, BatchProtocol> setup;
  tlm_utils::simple_initiator_socket<WeightWriter> cells;

 private:
  void write_region(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// Moves one row of one crossbar to `levels`; returns its duration in seconds, or a negative number on an error.
  double write_row(std::uint64_t address, const std::uint8_t* levels, int cells_in_row, int node);
  bool access(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, int length);

  const mapping::WriterConfig config_;
  const mapping::CrossbarTileConfig crossbar_;
  observe::Ledger& ledger_;
  std::vector<sc_core::sc_time> next_free_;  ///< one a crossbar
  std::vector<std::uint8_t> before_, after_;
};

}  // namespace mho::pim
