// SPDX-License-Identifier: Apache-2.0
// Checks of a register table. What is refused here would otherwise show up as a firmware header that does
// not compile or as two registers at one address.
#include "models/tlm/register_table.h"

#include <cctype>
#include <set>
#include <sstream>
#include <stdexcept>

namespace mho::tlm_kit {
namespace {

std::uint64_t low_bits(unsigned int count) { return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1; }

bool is_identifier(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (const char letter : name) {
    if (letter != '_' && !std::isalnum(static_cast<unsigned char>(letter))) return false;
  }
  return true;
}

[[noreturn]] void refuse(const RegisterDescription& entry, const std::string& what) {
  throw std::invalid_argument("register '" + entry.name + "' " + what);
}

void check_fields(const RegisterDescription& entry) {
  std::set<std::string> names;
  std::uint64_t taken = 0;
  for (const RegisterField& field : entry.fields) {
    if (!is_identifier(field.name)) refuse(entry, "has a field '" + field.name + "' that is no identifier");
    if (!names.insert(field.name).second) refuse(entry, "has two fields '" + field.name + "'");
    // Each operand is compared alone first, so that huge ones cannot wrap around.
    if (field.width == 0 || field.width > entry.width_bits || field.lsb > entry.width_bits - field.width) {
      refuse(entry, "is too narrow for its field '" + field.name + "'");
    }
    if (taken & field.mask()) refuse(entry, "has a field '" + field.name + "' that overlaps another");
    taken |= field.mask();
  }
}

void check_entry(const RegisterDescription& entry) {
  if (!is_identifier(entry.name)) refuse(entry, "has no identifier as its name");
  if (entry.width_bits != 32 && entry.width_bits != 64) refuse(entry, "is neither 32 nor 64 bits wide");
  if (entry.offset % entry.width_bytes() != 0) refuse(entry, "has an offset that is no multiple of its size");
  if (entry.offset > ~std::uint64_t{0} - entry.width_bytes()) refuse(entry, "has an offset beyond the address space");
  if (entry.reset_value & ~entry.mask()) refuse(entry, "has a reset value wider than itself");
  check_fields(entry);
}

}  // namespace

std::uint64_t RegisterField::mask() const { return low_bits(width) << lsb; }

std::uint64_t RegisterDescription::mask() const { return low_bits(width_bits); }

void check_registers(const RegisterTable& table) {
  std::set<std::string> names;
  std::uint64_t next_free = 0;
  for (const RegisterDescription& entry : table) {
    check_entry(entry);
    if (!names.insert(entry.name).second) refuse(entry, "is in the table twice");
    if (entry.offset < next_free) {
      std::ostringstream what;
      what << "at offset 0x" << std::hex << entry.offset << " overlaps or precedes the one before it, which ends at 0x"
           << next_free;
      refuse(entry, what.str());
    }
    next_free = entry.offset + entry.width_bytes();
  }
}

}  // namespace mho::tlm_kit
