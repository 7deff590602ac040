// SPDX-License-Identifier: Apache-2.0
// Recombines converted slices into psums: shifts by the place values of input and weight slices, undoes the encoding
// with the unit column, and hands the psums on (ISAAC: S+A units and output register of an IMA, one cycle). It does no
// arithmetic of its own on psums that arrive exact, but counts the additions.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <vector>

#include "models/observe/ledger.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"

namespace mho::pim {

class ShiftAddUnit : public sc_core::sc_module {
 public:
  /// `regions`: regions that can be in flight at once, one a crossbar.
  ShiftAddUnit(sc_core::sc_module_name name, int regions, observe::Ledger& ledger,
               observe::Recorder* recorder = nullptr);

  tlm_utils::simple_target_socket<ShiftAddUnit, 32, BatchProtocol> codes;
  tlm_utils::simple_initiator_socket<ShiftAddUnit, 32, BatchProtocol> psums;

 private:
  void add_up(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  observe::Ledger& ledger_;
  std::vector<PipelineStage> stages_;
};

}  // namespace mho::pim
