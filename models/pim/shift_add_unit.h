// SPDX-License-Identifier: Apache-2.0
// Recombines converted slices into psums: shifts by the place values of input and weight slices, undoes the encoding
// with the unit column or the digital input sum, and hands the psums on (ISAAC: S+A units and output register of an
// IMA, one cycle; RAELLA: psum buffer with success flags). A code whose flag is cleared is not added, those that
// recovered it are. It does no arithmetic of its own on psums that arrive exact, but counts the additions.
#pragma once

#include <tlm_utils/peq_with_get.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <systemc>
#include <vector>

#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"
#include "models/tlm/link_target_socket.h"
#include "models/tlm/phases.h"

namespace mho::pim {

class ShiftAddUnit : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  /// `regions`: regions that can be in flight at once, one a crossbar.
  ShiftAddUnit(sc_core::sc_module_name name, int regions, observe::Ledger& ledger,
               observe::Recorder* recorder = nullptr);

  /// Batches of converted codes. Non-blocking: slices in order, BEGIN_RESP when added up; psums go on with the last.
  tlm_kit::LinkTargetSocket<ShiftAddUnit, 32, BatchProtocol> codes;
  tlm_utils::simple_initiator_socket<ShiftAddUnit, 32, BatchProtocol> psums;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

 private:
  void add_up(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool accepts(const Batch& batch, std::uint64_t region, std::size_t payload_bytes) const;
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive_back(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  /// Of all cycles; counts flags.
  std::uint64_t codes_added(const tlm::tlm_generic_payload& payload, const Batch& batch);
  void finish();
  /// All slices of the vector are there.
  void send_psums(tlm::tlm_generic_payload& vector);

  observe::Ledger& ledger_;
  std::vector<PipelineStage> stages_;

  tlm_utils::peq_with_get<tlm::tlm_generic_payload> adding_;  ///< slices, by the time they are added up
  tlm_kit::RequestLink onward_;
  tlm_kit::ResponseLink back_;
  std::uint32_t busy_ = 0;
  std::uint64_t flags_ = 0;  ///< cleared
};

}  // namespace mho::pim
