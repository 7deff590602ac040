// SPDX-License-Identifier: Apache-2.0
// The link from a tile's buffer to its crossbar_tiles (ISAAC: 384 wires, a copy of 1 KB within one cycle together with
// the buffer's read). All crossbar_tiles share it: transfers of one operation take turns. Address = crossbar_tile
// << 16 | first crossbar.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <memory>
#include <systemc>
#include <vector>

#include "models/mapping/machine.h"
#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/pim/arbiter.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"
#include "models/pim/settling.h"
#include "models/tlm/phases.h"

namespace mho::pim {

constexpr int kCrossbarTileShift = 16;
constexpr std::uint64_t kFirstCrossbarMask = 0xffff;

class Bus : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  /// `value_bytes`: bytes of one input value on the wires, data_bits / 8 rounded up.
  Bus(sc_core::sc_module_name name, const mapping::BusConfig& config, int crossbar_tiles, int value_bytes,
      observe::Ledger& ledger, observe::Recorder* recorder = nullptr);

  tlm_utils::simple_target_socket<Bus, 32, BatchProtocol> from_buffer;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<Bus, 32, BatchProtocol>> to_crossbar_tile;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

 private:
  void carry(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive_back(int crossbar_tile, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                  sc_core::sc_time& delay);
  bool accepts(const tlm::tlm_generic_payload& payload) const;
  std::uint64_t bytes_of(const Batch& batch) const { return std::uint64_t(batch.rows) * std::uint64_t(value_bytes_); }
  /// What one vector takes; the bytes of all are counted.
  sc_core::sc_time transfer_time(const Batch& batch, const Pipeline& pipeline);
  void enqueue(tlm::tlm_generic_payload& payload);
  void grant();
  void finish();
  void passed_on();

  const mapping::BusConfig config_;
  const int value_bytes_;
  observe::Ledger& ledger_;
  SharedStage stage_;

  // Approximately timed: vectors wait for their turn; the wires are held until the crossbar_tile has taken the codes.
  Arbiter arbiter_;
  std::vector<tlm::tlm_generic_payload*> waiting_;
  std::vector<Request> requests_;                  ///< of those that wait, same order
  tlm::tlm_generic_payload* held_back_ = nullptr;  ///< came when the queue was full
  tlm::tlm_generic_payload* carried_ = nullptr;
  sc_core::sc_time carried_until_, waited_;
  std::vector<std::unique_ptr<tlm_kit::RequestLink>> onward_;  ///< one a crossbar_tile
  tlm_kit::ResponseLink back_;
  Settling requests_settle_;
  sc_core::sc_event finish_event_;
  std::uint32_t busy_ = 0, queue_ = 0, longest_queue_ = 0;
};

}  // namespace mho::pim
