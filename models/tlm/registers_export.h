// SPDX-License-Identifier: Apache-2.0
// Text generated from a register table: documentation, a C header for firmware, and a description for
// debuggers (CMSIS-SVD 1.3.9 schema). The table is the only source, so none of them can disagree with
// the model.
#pragma once

#include <cstdint>
#include <string>

#include "models/tlm/register_table.h"

namespace mho::tlm_kit {

/// What an SVD file says about the device and its one peripheral.
struct SvdDevice {
  std::string name;         ///< an identifier, also of the peripheral
  std::string version;      ///< "1.0"
  std::string description;  ///< one line
  std::uint64_t base = 0;   ///< address of the first register
};

/// A GitHub-flavoured table, one row a register in order of offset, fields as `[msb:lsb] NAME` below.
std::string markdown_table(const RegisterTable& table);

/// Macros PREFIX_REGISTER_OFFSET, _RESET, and per field _SHIFT and _MASK; C90 except for 64-bit constants.
/// @param prefix an identifier in capitals, for example MHO_PIM.
std::string c_header(const RegisterTable& table, const std::string& prefix);

/// A complete CMSIS-SVD document of a little-endian 32-bit device.
std::string svd(const RegisterTable& table, const SvdDevice& device);

}  // namespace mho::tlm_kit
