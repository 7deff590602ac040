// SPDX-License-Identifier: Apache-2.0
// Plain memory with latency, bandwidth and one channel that transfers occupy in turn. Host memory is
// reserved but only taken when touched, so a model may be larger than the host. Left out: banks, refresh
// and row buffers; whoever needs them binds a DRAM simulator instead.
#pragma once

#include <cstdint>
#include <string>

#include "models/observe/instrument.h"
#include "models/tlm/checked_target.h"

namespace mho::tlm_kit {

/// Parameters of a memory.
struct MemoryConfig {
  std::uint64_t size_bytes = 0;
  sc_core::sc_time read_latency;     ///< from acceptance to the first byte
  sc_core::sc_time write_latency;    ///< from acceptance to the first byte
  double bandwidth_bytes_per_s = 0;  ///< of the one channel; 0 means unlimited
  bool direct_memory = true;         ///< grant DMI; DMI accesses are neither timed nor counted
};

/// Transfers served since construction; debug and DMI are not counted. Bytes include masked-out ones.
struct MemoryCounters {
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  sc_core::sc_time busy;  ///< that they occupied the channel
};

/// The storage and its timing, without a socket.
class MemoryArray : public TargetDevice {
 public:
  /// @param word_bytes width of the bus, for the latencies told with DMI (one word each).
  /// @throw std::invalid_argument for size 0 or a negative bandwidth; std::runtime_error when the host
  ///   cannot reserve the address space.
  MemoryArray(std::string name, const MemoryConfig& config, unsigned int word_bytes);
  ~MemoryArray() override;
  MemoryArray(const MemoryArray&) = delete;
  MemoryArray& operator=(const MemoryArray&) = delete;

  const MemoryConfig& config() const { return config_; }
  const MemoryCounters& counters() const { return counters_; }
  /// Byte enables and streaming are honoured, DMI as configured.
  TargetTraits traits() const { return {true, true, config_.direct_memory}; }
  /// Contents, `config().size_bytes` long, for loaders. Untouched bytes read as zero.
  ByteSpan contents() const { return {bytes_, static_cast<std::size_t>(config_.size_bytes)}; }
  /// All bytes zero, the channel free; the host gets its memory back. Counters stay.
  void clear();
  /// Whether a DMI pointer may be in use; clear_grant() after invalidation.
  bool granted() const { return granted_; }
  void clear_grant() { granted_ = false; }

  tlm::tlm_response_status admits(tlm::tlm_command command, std::uint64_t address, std::uint64_t length) const override;
  void read(std::uint64_t address, ByteSpan bytes, sc_core::sc_time& delay) override;
  void write(std::uint64_t address, ConstByteSpan bytes, sc_core::sc_time& delay) override;
  std::size_t debug_read(std::uint64_t address, ByteSpan bytes) const override;
  std::size_t debug_write(std::uint64_t address, ConstByteSpan bytes) override;
  bool direct_memory(tlm::tlm_command command, std::uint64_t address, tlm::tlm_dmi& dmi) override;

 private:
  sc_core::sc_time transfer_time(std::uint64_t bytes) const;
  void occupy(const sc_core::sc_time& latency, std::uint64_t bytes, sc_core::sc_time& delay);
  std::size_t available(std::uint64_t address, std::size_t wanted) const;

  const std::string name_;
  const MemoryConfig config_;
  const unsigned int word_bytes_;
  unsigned char* bytes_ = nullptr;
  sc_core::sc_time next_free_;
  MemoryCounters counters_;
  bool granted_ = false;
};

/// A memory with one socket, which bridges and routers share. A transfer starts at max(now + delay, end of
/// the transfer before), occupies the channel for bytes / bandwidth and ends one latency later: latencies
/// overlap, transfers do not.
template <unsigned int BUSWIDTH = 32>
class Memory : public sc_core::sc_module, public observe::Instrument {
 public:
  /// Errors as MemoryArray.
  Memory(sc_core::sc_module_name module_name, const MemoryConfig& config);

  MemoryArray& array() { return array_; }
  const MemoryArray& array() const { return array_; }
  std::vector<observe::Statistic> statistics() const override;
  /// Invalidates every DMI pointer, then clears the contents. Not during elaboration once DMI was granted.
  void reset();

 private:
  MemoryArray array_;

 public:
  CheckedTargetSocket<BUSWIDTH> socket;
};

extern template class Memory<32>;
extern template class Memory<64>;

}  // namespace mho::tlm_kit
