// SPDX-License-Identifier: Apache-2.0
// Moves bytes between main memory and the chip, one request after the other, in one thread: the only part of the
// accelerator that touches the outside, and only inside the windows that the driver opened. Rows come from memory into
// the buffers of tiles, output rows are collected from the network and go to memory. Needs only b_transport from its
// peer, which may wait. Direct memory access is not used: it would take the contention at main memory out of the
// result.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <cstdint>
#include <deque>
#include <functional>
#include <systemc>
#include <tlm>
#include <vector>

#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/observe/recorder.h"
#include "models/pim/function_unit.h"
#include "models/tlm/checked_target.h"

namespace mho::pim {

/// Addresses of main memory that the accelerator may touch: base .. base + bytes - 1.
struct DmaWindow {
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;
};

/// One transfer of one row, or of any block.
struct DmaRequest {
  enum class Kind : std::uint8_t { kLoadRow, kStoreRow };
  Kind kind = Kind::kLoadRow;
  std::uint64_t address = 0;  ///< in main memory
  std::size_t bytes = 0;
  std::vector<RowPlace> places;  ///< kLoadRow: where the row goes
  std::uint64_t staged_at = 0;   ///< kStoreRow: offset in the staging buffer
  int node = -1;                 ///< that the bytes are counted for
  int tensor = 0;                ///< given back with the completion
  std::uint64_t row = 0;
};

/// The bus width of the memory socket is the accelerator's; everything else is here.
class Dma : public sc_core::sc_module, public observe::Instrument, private tlm_kit::TargetDevice {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  Dma(sc_core::sc_module_name name, observe::Ledger& ledger, observe::Recorder* recorder = nullptr);

  /// Output rows on their way to memory wait here.
  tlm_kit::CheckedTargetSocket<32> staging;
  tlm_utils::simple_initiator_socket<Dma> network;

  /// How a payload reaches main memory; set by the accelerator to its `memory` socket.
  std::function<void(tlm::tlm_generic_payload&, sc_core::sc_time&)> transport;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

  void open(std::vector<DmaWindow> windows) { windows_ = std::move(windows); }
  void resize_staging(std::uint64_t bytes) { staging_bytes_.assign(std::size_t(bytes), 0); }
  /// A response TLM_INCOMPLETE_RESPONSE counts as success unless strict: some memories never set one.
  void set_strict(bool strict) { strict_ = strict; }

  void post(DmaRequest request);
  std::size_t pending() const { return queue_.size(); }
  /// A request is being served.
  bool busy() const { return busy_; }
  /// Completed requests, oldest first; `done` is notified for each.
  std::deque<DmaRequest> completed;
  sc_core::sc_event done;
  /// Set by a request that was refused or lay outside every window; those behind it are dropped.
  bool faulted() const { return faulted_; }
  /// First address that was not moved, of the last request or transfer that failed.
  std::uint64_t fault_address() const { return fault_address_; }
  /// Forgets requests, completions and faults.
  void clear();

  /// A block between main memory and host-side bytes, for the calling thread: descriptor and image. Waits for the time
  /// it takes; false on a fault.
  bool transfer(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, std::size_t length);

 private:
  void run();
  /// All bytes lie within one window.
  bool reaches(std::uint64_t address, std::uint64_t length) const;
  bool serve(DmaRequest& request, sc_core::sc_time& delay);
  bool access(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, std::size_t length, int node,
              sc_core::sc_time& delay);
  void note(int node, std::size_t bytes, const sc_core::sc_time& begin, const sc_core::sc_time& end);

  tlm::tlm_response_status admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const override;
  void read(std::uint64_t address, tlm_kit::ByteSpan bytes, sc_core::sc_time& delay) override;
  void write(std::uint64_t address, tlm_kit::ConstByteSpan bytes, sc_core::sc_time& delay) override;
  std::size_t debug_read(std::uint64_t address, tlm_kit::ByteSpan bytes) const override;
  std::size_t debug_write(std::uint64_t address, tlm_kit::ConstByteSpan bytes) override;

  observe::Ledger& ledger_;
  observe::Recorder* const recorder_;
  std::uint64_t record_ = 0;      ///< id of the last access
  std::uint64_t multicasts_ = 0;  ///< rows sent to tiles so far
  sc_core::sc_time busy_time_;
  std::uint64_t bytes_ = 0;
  std::vector<DmaWindow> windows_;
  std::deque<DmaRequest> queue_;
  DmaRequest served_;  ///< not on the thread's stack, which is not unwound where a simulation ends
  sc_core::sc_event posted_;
  std::vector<std::uint8_t> staging_bytes_, row_;
  bool strict_ = false, faulted_ = false, busy_ = false;
  std::uint64_t fault_address_ = 0;
  std::uint64_t generation_ = 0;  ///< counts clear(): a transfer of an earlier job completes for nobody
};

}  // namespace mho::pim
