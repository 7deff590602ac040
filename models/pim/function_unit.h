// SPDX-License-Identifier: Apache-2.0
// The digital end of a tile: psums of the tile's crossbars meet in its output register, are requantised and written as
// rows of codes into the buffers of the tiles that consume them; pooling, element-wise operators and concatenation run
// row by row on what lies in the own buffer (ISAAC: cycles 20 to 22 of a tile's pipeline, sigmoid and max-pool units).
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <vector>

#include "models/dnn/operators.h"
#include "models/mapping/machine.h"
#include "models/observe/ledger.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"
#include "models/tlm/checked_target.h"

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
    kRequantise,  ///< accumulated psums[windows][filters] -> codes at pixel x_first of the destinations' row
    kForward,     ///< accumulated psums go to the accumulators of `home_tile`
    kRow,         ///< output row y of a node that is not a convolution
  };
  Kind kind = Kind::kRow;
  const dnn::Graph* graph = nullptr;
  const dnn::Node* node = nullptr;
  const dnn::Requantiser* requantiser = nullptr;
  int x_first = 0, windows = 0, filters = 0;
  int home_tile = 0;
  int y = 0;
  std::vector<RingView> sources;  ///< of the node's inputs, in the own buffer
  std::vector<RowPlace> destinations;

  tlm::tlm_extension_base* clone() const override { return new FunctionJob(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const FunctionJob&>(other); }
};

class FunctionUnit : public sc_core::sc_module, private tlm_kit::TargetDevice {
 public:
  FunctionUnit(sc_core::sc_module_name name, int tile, const mapping::FunctionUnitConfig& config,
               observe::Ledger& ledger, observe::Recorder* recorder = nullptr);

  /// Psums of the tile's own shift_add_units.
  tlm_utils::multi_passthrough_target_socket<FunctionUnit, 32, BatchProtocol> psums;
  /// Psums of other tiles: 32-bit little endian at (window * filters + filter) * 4; a write adds.
  tlm_utils::simple_target_socket<FunctionUnit> remote_psums;
  tlm_utils::simple_target_socket<FunctionUnit, 32, BatchProtocol> jobs;
  tlm_utils::simple_initiator_socket<FunctionUnit> buffer;
  tlm_utils::simple_initiator_socket<FunctionUnit> network;

 private:
  void accumulate(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void remote_access(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void serve(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool requantise(const FunctionJob& job, Pipeline& pipeline, sc_core::sc_time& delay);
  bool forward(const FunctionJob& job, Pipeline& pipeline, sc_core::sc_time& delay);
  bool compute_row(const FunctionJob& job, Pipeline& pipeline, sc_core::sc_time& delay);
  bool read_sources(const FunctionJob& job, Pipeline& pipeline, std::uint64_t& codes, sc_core::sc_time& delay);
  /// Writes bytes at pixel offset `at` of every destination; `delay` becomes that of the last to arrive.
  bool write(const FunctionJob& job, std::size_t at, std::uint8_t* bytes, std::size_t length, Pipeline& pipeline,
             sc_core::sc_time& delay);
  bool access(bool local, tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, std::size_t length,
              Pipeline& pipeline, sc_core::sc_time& delay);

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
  std::vector<std::int32_t> accumulators_;  ///< [windows][filters] of the operation in flight
  std::uint64_t operation_ = 0;             ///< that operation
  std::vector<std::uint8_t> codes_;
  std::vector<std::vector<std::uint8_t>> row_copies_;  ///< rows read for the job in hand
  std::vector<std::vector<int>> row_slots_;            ///< [input][row] -> row_copies_, -1 where not read
};

}  // namespace mho::pim
