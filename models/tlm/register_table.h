// SPDX-License-Identifier: Apache-2.0
// A register file as data: name, offset, width, access, reset value, fields. Plain C++, no simulation: the
// model (register_bank.h), documentation, firmware header and SVD (registers_export.h) share the table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mho::tlm_kit {

/// What software may do with a register.
enum class RegisterAccess {
  kReadOnly,         ///< a write is refused
  kReadWrite,        ///< reads give what was written
  kWriteOneToClear,  ///< bits written as 1 become 0, bits written as 0 stay
  kWriteOnly         ///< a read is refused
};

/// Bits [lsb, lsb + width) of a register.
struct RegisterField {
  std::string name;
  unsigned int lsb = 0;
  unsigned int width = 1;
  std::string description;

  /// The field's bits within the register.
  std::uint64_t mask() const;
};

/// One line of the table.
struct RegisterDescription {
  std::string name;              ///< a C identifier
  std::uint64_t offset = 0;      ///< bytes, a multiple of the register's size
  unsigned int width_bits = 32;  ///< 32 or 64
  RegisterAccess access = RegisterAccess::kReadWrite;
  std::uint64_t reset_value = 0;
  std::string description;
  std::vector<RegisterField> fields;  ///< may be empty; bits outside of fields behave like the others

  unsigned int width_bytes() const { return width_bits / 8; }
  /// All bits that exist.
  std::uint64_t mask() const;
};

/// Registers in ascending order of offset; holes are allowed.
using RegisterTable = std::vector<RegisterDescription>;

/// @throw std::invalid_argument with the register's name when a name is no identifier or not unique, a
///   width is neither 32 nor 64, an offset is misaligned, overlaps or descends, or a reset value or a
///   field does not fit.
void check_registers(const RegisterTable& table);

}  // namespace mho::tlm_kit
