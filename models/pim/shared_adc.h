// SPDX-License-Identifier: Apache-2.0
// The converters of one crossbar_tile: sums are clipped to the range in place, conversions counted, and the time they
// take becomes the pipeline's interval where converters are slow or shared. Consecutive crossbars share a converter
// where there are fewer converters than crossbars. The unit column is a conversion more that costs energy but no time
// (ISAAC: 128 columns fill the 100 ns cycle).
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <vector>

#include "models/arithmetic/adc_transfer.h"
#include "models/mapping/machine.h"
#include "models/observe/ledger.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"

namespace mho::pim {

class SharedAdc : public sc_core::sc_module {
 public:
  /// `crossbars` that are served; converters divide them, or the other way round.
  SharedAdc(sc_core::sc_module_name name, const mapping::AdcConfig& config, int crossbars, observe::Ledger& ledger,
            observe::Recorder* recorder = nullptr);

  tlm_utils::simple_target_socket<SharedAdc, 32, BatchProtocol> sums;
  tlm_utils::simple_initiator_socket<SharedAdc, 32, BatchProtocol> codes;

 private:
  void convert(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool accepts(const tlm::tlm_generic_payload& payload, const Batch& batch) const;
  void count(const Batch& batch, const Pipeline& pipeline, std::uint64_t saturations);
  /// What one converter has to do for one input slice.
  struct Share {
    sc_core::sc_time slice_time;
    std::uint64_t conversions = 0;  ///< unit columns included
  };
  /// For a batch on crossbars from `first`.
  Share share_of(const Batch& batch, int first, int converter) const;

  const mapping::AdcConfig config_;
  const arithmetic::AdcRange range_;
  const int crossbars_, crossbars_per_converter_, converters_per_crossbar_;
  observe::Ledger& ledger_;
  std::vector<SharedStage> converters_;  ///< one a group of crossbars
};

}  // namespace mho::pim
