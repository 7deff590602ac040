// SPDX-License-Identifier: Apache-2.0
// The converters of one crossbar_tile: sums are clipped to the range in place, conversions counted, and the time they
// take becomes the pipeline's interval where converters are slow or shared. Consecutive crossbars share a converter
// where there are fewer converters than crossbars. The unit column is a conversion more that costs energy but no time
// (ISAAC: 128 columns fill the 100 ns cycle).
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <list>
#include <map>
#include <systemc>
#include <vector>

#include "models/arithmetic/adc_transfer.h"
#include "models/mapping/machine.h"
#include "models/observe/column_sums.h"
#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/pim/arbiter.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"
#include "models/pim/settling.h"
#include "models/tlm/phases.h"

namespace mho::pim {

class SharedAdc : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  /// `crossbars` that are served; converters divide them, or the other way round. `column_sums` sees what is sampled.
  SharedAdc(sc_core::sc_module_name name, const mapping::AdcConfig& config, int crossbars, observe::Ledger& ledger,
            observe::Recorder* recorder = nullptr, observe::ColumnSumRecorder* column_sums = nullptr);

  /// Batches of sums. Non-blocking: slices; END_REQ when there is a place in the queue, BEGIN_RESP when converted, so
  /// that sample and hold is free. Codes go on at the end of the crossbar's cycle after the one that was sampled.
  tlm_utils::simple_target_socket<SharedAdc, 32, BatchProtocol> sums;
  tlm_utils::simple_initiator_socket<SharedAdc, 32, BatchProtocol> codes;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

 private:
  void convert(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool accepts(const tlm::tlm_generic_payload& payload, const Batch& batch) const;
  /// Exact psums that this converter could have changed.
  bool loses(const Batch& batch) const;
  void count(const Batch& batch, const Pipeline& pipeline, int slices, std::uint64_t saturations);
  /// Clips `slices` slices of each vector, the first of them `first_slice`; returns how many sums lay outside.
  std::uint64_t clip(const Batch& batch, int node, std::int16_t* first_sum, int vectors, int slices, int first_slice);
  /// What one converter has to do for one input slice.
  struct Share {
    sc_core::sc_time slice_time;
    std::uint64_t conversions = 0;  ///< unit columns included
  };
  /// For a batch on crossbars from `first`.
  Share share_of(const Batch& batch, int first, int converter) const;

  /// A slice that is being converted, or waits for it.
  struct Conversion {
    tlm::tlm_generic_payload* payload = nullptr;
    sc_core::sc_time arrival;
    int unfinished = 0;  ///< converters that have not done their share
    bool begun = false;
  };
  struct Converter {
    SharedStage stage;
    Arbiter arbiter;
    std::vector<Conversion*> waiting;
    std::vector<Request> requests;  ///< of those that wait, same order
    Conversion* current = nullptr;
    sc_core::sc_time until;
  };
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive_back(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void enqueue(tlm::tlm_generic_payload& payload);
  /// Gives free converters their next slices.
  void grant();
  void begin(int index, Converter& converter);
  /// Takes what has ended from the converters, and sends on the codes whose time has come.
  void finish();
  void complete(Conversion& conversion);
  void notify_finish();

  const mapping::AdcConfig config_;
  const arithmetic::AdcRange range_;
  const int crossbars_, crossbars_per_converter_, converters_per_crossbar_;
  observe::Ledger& ledger_;
  observe::ColumnSumRecorder* const column_sums_;
  std::vector<Converter> converters_;  ///< one a group of crossbars
  std::uint64_t conversions_ = 0, saturations_ = 0;

  std::list<Conversion> conversions_in_flight_;
  std::multimap<sc_core::sc_time, tlm::tlm_generic_payload*> leaving_;  ///< converted, by the time they go on
  tlm::tlm_generic_payload* held_back_ = nullptr;                       ///< came when the queue was full
  tlm_kit::RequestLink onward_;
  tlm_kit::ResponseLink back_;
  Settling requests_settle_;
  sc_core::sc_event finish_event_;
  sc_core::sc_time waited_;
  std::uint32_t busy_ = 0, queue_ = 0, longest_queue_ = 0;
};

}  // namespace mho::pim
