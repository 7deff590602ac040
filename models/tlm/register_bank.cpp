// SPDX-License-Identifier: Apache-2.0
// Decoding of register accesses and the four kinds of access. What is accepted follows from the table
// alone; see register_bank.h.
#include "models/tlm/register_bank.h"

#include <algorithm>
#include <stdexcept>

namespace mho::tlm_kit {
namespace {

/// The bits of a register that `count` bytes from byte `first` of it cover.
std::uint64_t byte_mask(std::uint64_t first, std::size_t count) {
  const std::uint64_t low = count >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * count)) - 1;
  return low << (8 * first);
}

void store(std::uint64_t value, std::uint64_t first, ByteSpan bytes) {
  value >>= 8 * first;
  for (unsigned char& byte : bytes) {
    byte = static_cast<unsigned char>(value);
    value >>= 8;
  }
}

std::uint64_t load(std::uint64_t first, ConstByteSpan bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * (first + i));
  return value;
}

/// Bytes of `wanted` that lie in the register, from `address` on.
std::size_t within(const RegisterDescription& entry, std::uint64_t address, std::size_t wanted) {
  return std::min<std::size_t>(wanted, entry.offset + entry.width_bytes() - address);
}

}  // namespace

Register::Register(RegisterDescription description)
    : description_(std::move(description)), stored_(description_.reset_value) {}

const RegisterField& Register::find_field(const std::string& name) const {
  for (const RegisterField& field : description_.fields) {
    if (field.name == name) return field;
  }
  throw std::out_of_range("register '" + description_.name + "' has no field '" + name + "'");
}

std::uint64_t Register::field(const std::string& name) const {
  const RegisterField& field = find_field(name);
  return (value() & field.mask()) >> field.lsb;
}

void Register::set_field(const std::string& name, std::uint64_t value) {
  const RegisterField& field = find_field(name);
  stored_ = (stored_ & ~field.mask()) | ((value << field.lsb) & field.mask());
}

RegisterBank::RegisterBank(const RegisterTable& table, sc_core::sc_time latency) : latency_(latency) {
  check_registers(table);
  registers_.reserve(table.size());
  for (const RegisterDescription& entry : table) registers_.emplace_back(entry);
}

const Register& RegisterBank::operator[](const std::string& name) const {
  for (const Register& candidate : registers_) {
    if (candidate.description().name == name) return candidate;
  }
  throw std::out_of_range("there is no register '" + name + "'");
}

Register& RegisterBank::operator[](const std::string& name) {
  return const_cast<Register&>(static_cast<const RegisterBank&>(*this)[name]);
}

std::uint64_t RegisterBank::span_bytes() const {
  if (registers_.empty()) return 0;
  const RegisterDescription& last = registers_.back().description();
  return last.offset + last.width_bytes();
}

void RegisterBank::reset() {
  for (Register& each : registers_) each.reset();
}

const Register* RegisterBank::find(std::uint64_t address) const {
  auto after = std::upper_bound(
      registers_.begin(), registers_.end(), address,
      [](std::uint64_t wanted, const Register& candidate) { return wanted < candidate.description().offset; });
  if (after == registers_.begin()) return nullptr;
  const Register& candidate = *--after;
  return address - candidate.description().offset < candidate.description().width_bytes() ? &candidate : nullptr;
}

Register* RegisterBank::find(std::uint64_t address) {
  return const_cast<Register*>(static_cast<const RegisterBank&>(*this).find(address));
}

tlm::tlm_response_status RegisterBank::admits(tlm::tlm_command command, std::uint64_t address,
                                              std::uint64_t length) const {
  const Register* target = find(address);
  if (!target) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (length != 4 && length != 8) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (address % 4 != 0) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  const RegisterDescription& entry = target->description();
  if (length > entry.offset + entry.width_bytes() - address) return tlm::TLM_BURST_ERROR_RESPONSE;
  const RegisterAccess forbidden =
      command == tlm::TLM_READ_COMMAND ? RegisterAccess::kWriteOnly : RegisterAccess::kReadOnly;
  return entry.access == forbidden ? tlm::TLM_COMMAND_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE;
}

void RegisterBank::read(std::uint64_t address, ByteSpan bytes, sc_core::sc_time& delay) {
  Register& target = *find(address);
  const std::uint64_t value = target.value();
  store(value, address - target.description_.offset, bytes);
  delay += latency_;
  if (target.on_read_) target.on_read_(value, delay);
}

void RegisterBank::write(std::uint64_t address, ConstByteSpan bytes, sc_core::sc_time& delay) {
  Register& target = *find(address);
  const std::uint64_t first = address - target.description_.offset;
  RegisterWrite write;
  write.before = target.value();
  write.written = load(first, bytes);
  write.after = target.description_.access == RegisterAccess::kWriteOneToClear
                    ? write.before & ~write.written
                    : (write.before & ~byte_mask(first, bytes.size())) | write.written;
  target.set(write.after);
  delay += latency_;
  if (target.on_write_) target.on_write_(write, delay);
}

std::size_t RegisterBank::debug_read(std::uint64_t address, ByteSpan bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const Register* target = find(address + done);
    if (!target) break;
    const RegisterDescription& entry = target->description();
    const std::size_t count = within(entry, address + done, bytes.size() - done);
    store(target->value(), address + done - entry.offset, bytes.part(done, count));
    done += count;
  }
  return done;
}

std::size_t RegisterBank::debug_write(std::uint64_t address, ConstByteSpan bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    Register* target = find(address + done);
    if (!target || target->description().access != RegisterAccess::kReadWrite) break;
    const RegisterDescription& entry = target->description();
    const std::size_t count = within(entry, address + done, bytes.size() - done);
    const std::uint64_t first = address + done - entry.offset;
    target->set((target->value() & ~byte_mask(first, count)) | load(first, bytes.part(done, count)));
    done += count;
  }
  return done;
}

}  // namespace mho::tlm_kit
