// SPDX-License-Identifier: Apache-2.0
// One anonymous mapping of the host without reservation of swap: contiguous, so that DMI covers all of it,
// and zero until touched, so that untouched gigabytes cost nothing.
#include "models/tlm/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "models/tlm/duration.h"

namespace mho::tlm_kit {
namespace {

constexpr int kMapFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

unsigned char* reserve(const std::string& name, const MemoryConfig& config) {
  const std::string label = "memory '" + name + "': ";
  if (config.size_bytes == 0) throw std::invalid_argument(label + "the size is zero");
  if (!(config.bandwidth_bytes_per_s >= 0)) throw std::invalid_argument(label + "the bandwidth is negative");
  const std::string size = std::to_string(config.size_bytes) + " bytes";
  if (config.size_bytes > std::numeric_limits<std::size_t>::max() / 2) {
    throw std::runtime_error(label + "this host cannot address " + size);
  }
  void* mapped = mmap(nullptr, static_cast<std::size_t>(config.size_bytes), PROT_READ | PROT_WRITE, kMapFlags, -1, 0);
  if (mapped == MAP_FAILED) {
    throw std::runtime_error(label + "this host cannot reserve " + size + " (" + std::strerror(errno) + ")");
  }
  return static_cast<unsigned char*>(mapped);
}

}  // namespace

MemoryArray::MemoryArray(std::string name, const MemoryConfig& config, unsigned int word_bytes)
    : name_(std::move(name)), config_(config), word_bytes_(word_bytes), bytes_(reserve(name_, config_)) {}

MemoryArray::~MemoryArray() { munmap(bytes_, static_cast<std::size_t>(config_.size_bytes)); }

void MemoryArray::clear() {
  const auto size = static_cast<std::size_t>(config_.size_bytes);
  // A new mapping in place of the old one: the host takes its pages back and pointers keep their meaning.
  if (mmap(bytes_, size, PROT_READ | PROT_WRITE, kMapFlags | MAP_FIXED, -1, 0) == MAP_FAILED) {
    std::memset(bytes_, 0, size);
  }
  next_free_ = sc_core::SC_ZERO_TIME;
}

std::size_t MemoryArray::available(std::uint64_t address, std::size_t wanted) const {
  if (address >= config_.size_bytes) return 0;
  return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, config_.size_bytes - address));
}

tlm::tlm_response_status MemoryArray::admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const {
  const bool inside = address < config_.size_bytes && length <= config_.size_bytes - address;
  return inside ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

sc_core::sc_time MemoryArray::transfer_time(std::uint64_t bytes) const {
  if (config_.bandwidth_bytes_per_s == 0) return sc_core::SC_ZERO_TIME;
  return duration(static_cast<double>(bytes), config_.bandwidth_bytes_per_s);
}

void MemoryArray::occupy(const sc_core::sc_time& latency, std::uint64_t bytes, sc_core::sc_time& delay) {
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  const sc_core::sc_time start = std::max(now + delay, next_free_);
  const sc_core::sc_time time = transfer_time(bytes);
  next_free_ = start + time;
  counters_.busy += time;
  delay = next_free_ + latency - now;
}

void MemoryArray::read(std::uint64_t address, ByteSpan bytes, sc_core::sc_time& delay) {
  std::memcpy(bytes.data(), bytes_ + address, bytes.size());
  occupy(config_.read_latency, bytes.size(), delay);
  ++counters_.reads;
  counters_.read_bytes += bytes.size();
}

void MemoryArray::write(std::uint64_t address, ConstByteSpan bytes, sc_core::sc_time& delay) {
  std::memcpy(bytes_ + address, bytes.data(), bytes.size());
  occupy(config_.write_latency, bytes.size(), delay);
  ++counters_.writes;
  counters_.written_bytes += bytes.size();
}

std::size_t MemoryArray::debug_read(std::uint64_t address, ByteSpan bytes) const {
  const std::size_t count = available(address, bytes.size());
  if (count > 0) std::memcpy(bytes.data(), bytes_ + address, count);
  return count;
}

std::size_t MemoryArray::debug_write(std::uint64_t address, ConstByteSpan bytes) {
  const std::size_t count = available(address, bytes.size());
  if (count > 0) std::memcpy(bytes_ + address, bytes.data(), count);
  return count;
}

bool MemoryArray::direct_memory(tlm::tlm_command, std::uint64_t address, tlm::tlm_dmi& dmi) {
  const std::uint64_t last = config_.size_bytes - 1;
  if (address > last) return refuse_direct_memory(dmi, last + 1, std::numeric_limits<std::uint64_t>::max());
  const sc_core::sc_time word = transfer_time(word_bytes_);
  dmi.set_dmi_ptr(bytes_);
  dmi.set_start_address(0);
  dmi.set_end_address(last);
  dmi.set_read_latency(dmi.get_read_latency() + config_.read_latency + word);
  dmi.set_write_latency(dmi.get_write_latency() + config_.write_latency + word);
  dmi.allow_read_write();
  granted_ = true;
  return true;
}

template <unsigned int BUSWIDTH>
Memory<BUSWIDTH>::Memory(sc_core::sc_module_name module_name, const MemoryConfig& config)
    : sc_core::sc_module(module_name),
      array_(name(), config, BUSWIDTH / 8),
      socket("socket", array_, array_.traits()) {}

template <unsigned int BUSWIDTH>
std::vector<observe::Statistic> Memory<BUSWIDTH>::statistics() const {
  const MemoryCounters& counted = array_.counters();
  return {{"busy", "time transfers occupied the channel", "s", counted.busy.to_seconds()},
          {"reads", "transfers to initiators, debug and DMI left out", "transfers", double(counted.reads)},
          {"writes", "transfers from initiators, debug and DMI left out", "transfers", double(counted.writes)},
          {"bytes_read", "bytes of those reads", "bytes", double(counted.read_bytes)},
          {"bytes_written", "bytes of those writes", "bytes", double(counted.written_bytes)}};
}

template <unsigned int BUSWIDTH>
void Memory<BUSWIDTH>::reset() {
  if (array_.granted()) {
    socket->invalidate_direct_mem_ptr(0, array_.config().size_bytes - 1);
    array_.clear_grant();
  }
  array_.clear();
}

template class Memory<32>;
template class Memory<64>;

}  // namespace mho::tlm_kit
