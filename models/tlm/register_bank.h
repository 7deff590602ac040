// SPDX-License-Identifier: Apache-2.0
// The registers of a device behind one socket. A table decides which access is refused; the device hangs
// small callbacks on the registers that do something. Left out: latching of 64-bit values read in halves.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "models/tlm/checked_target.h"
#include "models/tlm/register_table.h"

namespace mho::tlm_kit {

/// What a write did. A 64-bit register may be written in halves: bits outside the half are kept.
struct RegisterWrite {
  std::uint64_t before = 0;   ///< value of the register before
  std::uint64_t after = 0;    ///< value now, write-one-to-clear applied
  std::uint64_t written = 0;  ///< the bits as software sent them, zero outside the half
};

/// A live register. Devices keep references to it; the bank owns it.
class Register {
 public:
  /// Called after the value changed; may set registers and add to the delay, must not wait.
  using OnWrite = std::function<void(const RegisterWrite& write, sc_core::sc_time& delay)>;
  /// Called after a read other than debug, with the value that was read: clear on read, pop a queue.
  /// Reading a 64-bit register in halves calls it twice.
  using OnRead = std::function<void(std::uint64_t value, sc_core::sc_time& delay)>;
  /// Computes the value whenever it is looked at, by debug too: must have no side effect.
  using Source = std::function<std::uint64_t()>;

  /// @param description checked by check_registers() before.
  explicit Register(RegisterDescription description);

  const RegisterDescription& description() const { return description_; }
  /// The value at full width, for write-only registers what was written last.
  std::uint64_t value() const { return source_ ? source_() & description_.mask() : stored_; }
  /// The device's own store: any kind of access, no callback; bits beyond the width are dropped.
  void set(std::uint64_t value) { stored_ = value & description_.mask(); }
  /// The field, shifted down to bit 0. @throw std::out_of_range when there is no such field.
  std::uint64_t field(const std::string& name) const;
  /// Stores `value` in the field's place, excess bits dropped, no callback. Errors as field().
  void set_field(const std::string& name, std::uint64_t value);
  /// Back to the reset value, without callbacks; the callbacks stay.
  void reset() { stored_ = description_.reset_value; }

  void on_write(OnWrite callback) { on_write_ = std::move(callback); }
  void on_read(OnRead callback) { on_read_ = std::move(callback); }
  void value_from(Source source) { source_ = std::move(source); }

 private:
  friend class RegisterBank;
  const RegisterField& find_field(const std::string& name) const;

  RegisterDescription description_;
  std::uint64_t stored_ = 0;
  OnWrite on_write_;
  OnRead on_read_;
  Source source_;
};

/// Accepts 4-byte accesses at multiples of 4 and 8-byte accesses to a 64-bit register; other sizes get
/// BURST, misaligned or unmapped ones ADDRESS, the wrong direction COMMAND. Byte enables are refused: part
/// of a register's word has no meaning. A changing 64-bit value is read high, low, high. Little endian.
class RegisterBank : public TargetDevice {
 public:
  /// Errors as check_registers(). @param latency added to the delay of each access.
  explicit RegisterBank(const RegisterTable& table, sc_core::sc_time latency = sc_core::SC_ZERO_TIME);
  RegisterBank(const RegisterBank&) = delete;
  RegisterBank& operator=(const RegisterBank&) = delete;

  /// @throw std::out_of_range with the name when there is no such register.
  Register& operator[](const std::string& name);
  const Register& operator[](const std::string& name) const;
  /// In order of offset.
  const std::vector<Register>& registers() const { return registers_; }
  /// Bytes from offset 0 to the end of the last register.
  std::uint64_t span_bytes() const;
  /// Every register to its reset value, without callbacks.
  void reset();

  tlm::tlm_response_status admits(tlm::tlm_command command, std::uint64_t address, std::uint64_t length) const override;
  void read(std::uint64_t address, ByteSpan bytes, sc_core::sc_time& delay) override;
  void write(std::uint64_t address, ConstByteSpan bytes, sc_core::sc_time& delay) override;
  /// Sees write-only registers too; stops at the first hole.
  std::size_t debug_read(std::uint64_t address, ByteSpan bytes) const override;
  /// Pokes kReadWrite registers without their callbacks; stops at the first hole or other register.
  std::size_t debug_write(std::uint64_t address, ConstByteSpan bytes) override;

 private:
  const Register* find(std::uint64_t address) const;
  Register* find(std::uint64_t address);

  std::vector<Register> registers_;
  const sc_core::sc_time latency_;
};

}  // namespace mho::tlm_kit
