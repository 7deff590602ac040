// SPDX-License-Identifier: Apache-2.0
// The converters of one crossbar_tile: sums are clipped to the range in place, conversions counted, and the time they
// take becomes the pipeline's interval where converters are slow or shared. Consecutive crossbars share a converter
// where there are fewer converters than crossbars. The unit column, where there is one, is a conversion more that costs
// energy but no time (ISAAC: 128 columns fill the 100 ns cycle). A code of a cycle that speculates clears its column's
// success flag where it lies at a bound of the range; the cycles that recover convert only columns whose flag is
// cleared (RAELLA, ISCA 2023), so they keep the converters for less than a cycle; loosely timed, for the mean of a
// batch.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
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
#include "models/tlm/link_target_socket.h"
#include "models/tlm/phases.h"

namespace mho::pim {

struct Slice;

class SharedAdc : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  /// `crossbars` that are served; converters divide them, or the other way round. `column_sums` sees what is sampled.
  SharedAdc(sc_core::sc_module_name name, const mapping::AdcConfig& config, int crossbars, observe::Ledger& ledger,
            observe::Recorder* recorder = nullptr, observe::ColumnSumRecorder* column_sums = nullptr);

  /// Batches of sums. Non-blocking: slices; END_REQ when there is a place in the queue, BEGIN_RESP when converted, so
  /// that sample and hold is free. Codes go on at the end of the crossbar's cycle after the one that was sampled.
  tlm_kit::LinkTargetSocket<SharedAdc, 32, BatchProtocol> sums;
  tlm_utils::simple_initiator_socket<SharedAdc, 32, BatchProtocol> codes;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

 private:
  void convert(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool accepts(const tlm::tlm_generic_payload& payload, const Batch& batch) const;
  /// Exact psums that this converter could have changed.
  bool loses(const Batch& batch) const;
  /// What was converted, and how it ended.
  struct Conversions {
    std::uint64_t whole = 0, unit = 0, speculations = 0;  ///< `whole` of columns that hold weights
    std::uint64_t failures = 0, recoveries = 0, saturations = 0, out_of_range = 0;
  };
  /// The values of one vector.
  struct Sums {
    const Batch& batch;
    const std::uint8_t* codes;
    std::int16_t *whole, *recovered;
    std::uint64_t number;  ///< of the vector
  };
  void count(const Conversions& conversions, const Pipeline& pipeline);
  static Sums sums_of(const tlm::tlm_generic_payload& payload, const Batch& batch, std::size_t vector);
  /// Adds what is converted in a cycle that converts every column; nothing in one that recovers.
  static void add_whole_cycle(const Batch& batch, const arithmetic::InputCycle& cycle, std::uint64_t vectors,
                              Conversions& conversions);
  /// All vectors of a batch, all cycles; also counts recoveries by crossbar of the batch in `recovered_`.
  Conversions convert_batch(const tlm::tlm_generic_payload& payload, const Batch& batch, int node);
  void convert_vector(const Sums& vector, Conversions& conversions);
  Conversions convert_slice(const Slice& slice);
  /// Every column of `cycles` cycles that follow each other in the payload and do not speculate.
  void clip(const Batch& batch, std::int16_t* first, std::uint64_t cycles, Conversions& conversions);
  /// One cycle that speculates; what the failed columns will give when they are read again is written to its place.
  /// Returns how many have failed: the first entries of `failed_`.
  std::size_t speculate(const Sums& vector, int cycle, Conversions& conversions);
  /// One cycle that recovers, in the columns that are given.
  void recover(const Sums& vector, int cycle, std::size_t failed, Conversions& conversions);
  void show(const Batch& batch, int node, const std::int16_t* first, int vectors, int cycles, int first_cycle);
  /// What one converter has to do for one input slice that converts every column.
  struct Share {
    sc_core::sc_time slice_time;
    std::uint64_t conversions = 0;       ///< unit columns included
    int column = 0, columns = 0;         ///< of the batch
    int crossbar = 0, crossbar_end = 0;  ///< of the batch
  };
  /// For a batch on crossbars from `first`.
  Share share_of(const Batch& batch, int first, int converter) const;
  sc_core::sc_time time_of(double columns) const;
  /// What a converter has to do for one vector of a batch, loosely timed.
  struct Load {
    sc_core::sc_time service;  ///< that it converts, in the mean of the batch
    sc_core::sc_time codes;    ///< between the codes of two vectors, if no one else is converted
    std::uint64_t work = 0;    ///< conversions of the whole batch, unit columns included
  };
  Load load_of(const Batch& batch, const Share& share) const;

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
  std::uint64_t conversions_ = 0, saturations_ = 0, failures_ = 0, recoveries_ = 0;
  std::vector<std::int32_t> failed_;      ///< columns of one cycle of one vector
  std::vector<std::int16_t> of_column_;   ///< what one of them gives when it is read again
  std::vector<std::uint64_t> recovered_;  ///< [crossbar of the batch] conversions of cycles that recover

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
