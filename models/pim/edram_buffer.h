// SPDX-License-Identifier: Apache-2.0
// The buffer of one tile: rows of feature maps lie in it, and batches of windows are gathered out of it for the
// crossbars. One port serves reads and writes, line by line. Codes are stored one byte each; lines are counted at the
// machine's data width. Left out: refresh.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <vector>

#include "models/mapping/machine.h"
#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"
#include "models/tlm/checked_target.h"
#include "models/tlm/phases.h"

namespace mho::pim {

class EdramBuffer : public sc_core::sc_module, public observe::Instrument, private tlm_kit::TargetDevice {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  EdramBuffer(sc_core::sc_module_name name, const mapping::EdramConfig& config, int value_bytes,
              observe::Ledger& ledger, observe::Recorder* recorder = nullptr);

  /// Rows in and out, generic payloads with or without a Pipeline; byte enables are honoured.
  tlm_utils::simple_target_socket<EdramBuffer> port;
  /// Empty batches: their windows are gathered and sent on with the same address. Non-blocking: END_REQ when a vector
  /// has been read and the bus has taken it, BEGIN_RESP when the crossbars' input register is free for another.
  tlm_utils::simple_target_socket<EdramBuffer, 32, BatchProtocol> windows;
  tlm_utils::simple_initiator_socket<EdramBuffer, 32, BatchProtocol> bus;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

  /// Bytes that can be addressed: the buffer's own, and what neighbours lend it.
  std::uint64_t bytes() const { return storage_.size(); }
  /// Makes addresses below `end` reachable; those past the own bytes lie in a neighbour's buffer.
  void reach(std::uint64_t end) {
    if (end > bytes()) storage_.resize(std::size_t(end));
  }

 private:
  /// True where the windows lie in the buffer and the codes in the payload.
  bool can_gather(const Batch& batch, std::size_t payload_bytes) const;
  void gather(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// Moves the codes and counts; returns the lines of one vector.
  std::uint64_t copy_windows(tlm::tlm_generic_payload& payload, Batch& batch, const Pipeline& pipeline);
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive_back(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void finish_read();
  void access(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void occupy(std::uint64_t codes, observe::Action counted, sc_core::sc_time& delay);
  unsigned int debug(tlm::tlm_generic_payload& payload) { return rules_.transport_dbg(payload); }
  tlm::tlm_response_status admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const override;
  void read(std::uint64_t address, tlm_kit::ByteSpan bytes, sc_core::sc_time& delay) override;
  void write(std::uint64_t address, tlm_kit::ConstByteSpan bytes, sc_core::sc_time& delay) override;
  std::size_t debug_read(std::uint64_t address, tlm_kit::ByteSpan bytes) const override;
  std::size_t debug_write(std::uint64_t address, tlm_kit::ConstByteSpan bytes) override;
  /// Lines of `values` codes, and the time that they occupy the port.
  std::uint64_t lines(std::uint64_t values) const;
  sc_core::sc_time line_time(std::uint64_t lines) const;

  const mapping::EdramConfig config_;
  const int value_bytes_;
  observe::Ledger& ledger_;
  SharedStage stage_;
  tlm_kit::CheckedTarget rules_;
  Pipeline* pipeline_ = nullptr;  ///< of the access being served
  std::uint64_t codes_ = 0;       ///< that it moves: bytes that are not enabled cost no line
  std::vector<std::uint8_t> storage_;

  // Approximately timed: the vector being read.
  tlm::tlm_generic_payload* read_ = nullptr;
  tlm_kit::RequestLink onward_;
  tlm_kit::ResponseLink back_;
  sc_core::sc_event read_event_;
  sc_core::sc_time waited_;
  std::uint32_t busy_ = 0;
};

}  // namespace mho::pim
