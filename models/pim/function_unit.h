// SPDX-License-Identifier: Apache-2.0
// The digital end of a tile: psums of the tile's crossbars meet in its output register, are requantised and written as
// rows of codes into the buffers of the tiles that consume them; all nodes without weights run row by row on what lies
// in the own buffer (ISAAC: cycles 20 to 22 of a tile's pipeline, sigmoid and max-pool units). Products of two
// activations have a rate of their own, everything else takes the time of reading its inputs; ISAAC has neither
// softmax nor normalisation, and how many cycles of such a unit they would take is not modelled.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/peq_with_get.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <map>
#include <memory>
#include <systemc>
#include <vector>

#include "models/dnn/operators.h"
#include "models/mapping/machine.h"
#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"
#include "models/tlm/checked_target.h"
#include "models/tlm/phases.h"

namespace mho::pim {

/// A row of a tensor in the buffer of one tile.
struct RowPlace {
  int tile = 0;
  std::uint64_t offset = 0;
  bool spilled = false;
};

/// What the scheduler asks of a function unit.
struct FunctionJob : tlm::tlm_extension<FunctionJob> {
  enum class Kind : std::uint8_t {
    kRequantise,  ///< accumulated psums[windows][filters] -> codes from pixel x_first of the destinations' row on
    kForward,     ///< accumulated psums go to the accumulators of `home_tile`
    kRow,         ///< output row y of a node that is not a convolution
    kCollect,     ///< non-blocking only: BEGIN_RESP when `windows` parts of the Pipeline's window have been added up
    kStore,       ///< codes in the payload go to the destinations' row from pixel x_first on
    kDiscard,     ///< the Pipeline's window is given up
  };
  Kind kind = Kind::kRow;
  const dnn::Graph* graph = nullptr;
  const dnn::Node* node = nullptr;
  const dnn::Requantiser* requantiser = nullptr;
  int x_first = 0, windows = 0;
  int first_filter = 0, filters = 0;  ///< of the layer's: those whose codes this tile makes of each pixel
  int expansion = 1;  ///< pixels of one window: accumulated psums are [windows][expansion][filters], cropped to the row
  int home_tile = 0;
  int y = 0;
  std::vector<RingView> sources;       ///< of the node's inputs, in the own buffer
  std::vector<RowPlace> destinations;  ///< none: kRequantise and kRow put their codes into the payload

  tlm::tlm_extension_base* clone() const override { return new FunctionJob(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const FunctionJob&>(other); }
};

class FunctionUnit : public sc_core::sc_module, public observe::Instrument, private tlm_kit::TargetDevice {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  FunctionUnit(sc_core::sc_module_name name, int tile, const mapping::FunctionUnitConfig& config,
               observe::Ledger& ledger, observe::Recorder* recorder = nullptr);

  /// Psums of the tile's own shift_add_units.
  tlm_utils::multi_passthrough_target_socket<FunctionUnit, 32, BatchProtocol> psums;
  /// Psums of other tiles: 32-bit little endian at (window * filters + filter) * 4; a write adds.
  tlm_utils::simple_target_socket<FunctionUnit> remote_psums;
  tlm_utils::simple_target_socket<FunctionUnit, 32, BatchProtocol> jobs;
  tlm_utils::simple_initiator_socket<FunctionUnit> buffer;
  tlm_utils::simple_initiator_socket<FunctionUnit> network;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

 private:
  /// Psums of one window in the approximately timed mode.
  struct OpenWindow {
    std::vector<std::int32_t> psums;
    int parts = 0;                                  ///< added up so far
    tlm::tlm_generic_payload* collector = nullptr;  ///< kCollect that waits for them
  };
  void accumulate(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void remote_access(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void serve(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive_psums(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                   sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive_job(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  /// Psums whose additions have ended.
  void finish_additions();
  void respond_if_complete(OpenWindow& window);
  static bool holds_psums(const tlm::tlm_generic_payload& payload);
  /// Adds psums[count][filters] of a batch to accumulators[count][layer_filters], which are made where `fresh`.
  void add(const tlm::tlm_generic_payload& payload, const Pipeline& pipeline, bool fresh,
           std::vector<std::int32_t>& accumulators);
  /// Where psums of a window are added up: of the batch in flight in the loosely timed mode, window 0.
  std::vector<std::int32_t>& accumulators_of(std::uint64_t window) {
    return window == 0 ? accumulators_ : open_windows_[window].psums;
  }
  void forget(std::uint64_t window);
  /// A part of codes_.
  struct Codes {
    std::size_t first = 0, length = 0;
  };
  /// Codes of a job to where they belong: what lies at codes_[0] to the destinations' row at byte `at`, or the payload.
  bool deliver(const FunctionJob& job, std::size_t at, const Codes& codes, tlm::tlm_generic_payload& payload,
               Pipeline& pipeline, sc_core::sc_time& delay);
  /// Requantised codes, `outputs` of them in all, through the function stage and on; items are of equal length.
  bool pass_on(const FunctionJob& job, const Codes& codes, std::size_t outputs, tlm::tlm_generic_payload& payload,
               Pipeline& pipeline, sc_core::sc_time& delay);
  /// Bytes of a job's codes from the first to the last where they lie in their row; enables_ says which of these.
  std::size_t spread(const FunctionJob& job, std::size_t pixels);
  bool requantise(const FunctionJob& job, tlm::tlm_generic_payload& payload, Pipeline& pipeline,
                  sc_core::sc_time& delay);
  bool forward(const FunctionJob& job, Pipeline& pipeline, sc_core::sc_time& delay);
  bool compute_row(const FunctionJob& job, tlm::tlm_generic_payload& payload, Pipeline& pipeline,
                   sc_core::sc_time& delay);
  bool store(const FunctionJob& job, tlm::tlm_generic_payload& payload, Pipeline& pipeline, sc_core::sc_time& delay);
  bool read_sources(const FunctionJob& job, Pipeline& pipeline, std::uint64_t& codes, sc_core::sc_time& delay);
  /// Writes bytes at offset `at` of every destination; `delay` becomes that of the last to arrive.
  bool write(const FunctionJob& job, std::size_t at, std::uint8_t* bytes, std::size_t length, Pipeline& pipeline,
             sc_core::sc_time& delay);
  /// Moves all bytes, or of those written the enabled ones where `enables` are given.
  bool access(bool local, tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, std::size_t length,
              Pipeline& pipeline, sc_core::sc_time& delay, std::vector<std::uint8_t>* enables = nullptr);

  unsigned int debug(tlm::tlm_generic_payload& payload) { return rules_.transport_dbg(payload); }
  tlm::tlm_response_status admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const override;
  void read(std::uint64_t address, tlm_kit::ByteSpan bytes, sc_core::sc_time& delay) override;
  void write(std::uint64_t address, tlm_kit::ConstByteSpan bytes, sc_core::sc_time& delay) override;
  std::size_t debug_read(std::uint64_t address, tlm_kit::ByteSpan bytes) const override;
  std::size_t debug_write(std::uint64_t address, tlm_kit::ConstByteSpan bytes) override;

  const int tile_;
  const mapping::FunctionUnitConfig config_;
  observe::Ledger& ledger_;
  SharedStage function_;
  tlm_kit::CheckedTarget rules_;
  int node_ = -1;                           ///< that remote psums are counted for
  std::uint64_t window_ = 0;                ///< that remote psums belong to
  std::vector<std::int32_t> accumulators_;  ///< [windows][filters] of the operation in flight
  std::uint64_t operation_ = 0;             ///< that operation
  std::vector<std::uint8_t> codes_;
  std::uint64_t moved_ = 0;                            ///< bytes of the last access
  std::uint64_t multicasts_ = 0;                       ///< written so far
  std::vector<std::uint8_t> enables_;                  ///< of the codes of one pixel, where other tiles make the others
  std::vector<std::vector<std::uint8_t>> row_copies_;  ///< rows read for the job in hand
  std::vector<std::vector<int>> row_slots_;            ///< [input][row] -> row_copies_, -1 where not read

  std::map<std::uint64_t, OpenWindow> open_windows_;
  tlm_utils::peq_with_get<tlm::tlm_generic_payload> adding_;  ///< psums, by the time they are added up
  std::vector<std::unique_ptr<tlm_kit::ResponseLink>> psums_back_;
  tlm_kit::ResponseLink jobs_back_;
  std::uint32_t open_ = 0, most_open_ = 0;
};

}  // namespace mho::pim
