// SPDX-License-Identifier: Apache-2.0
// The transfers of the conformance suite as data: what is sent, what must come back and which rule is
// broken otherwise. Running them is conformance.cpp's part.
#pragma once

#include <cstdint>
#include <string>
#include <tlm>
#include <vector>

#include "testbenches/models/tlm/conformance.h"
#include "testbenches/models/tlm/conformance_rules.h"

namespace mho::testbenches {

/// One access and what is expected of it.
struct Transfer {
  const char* rule = kRuleMapped;
  tlm::tlm_command command = tlm::TLM_READ_COMMAND;
  std::uint64_t address = 0;
  unsigned int length = 0;
  unsigned int streaming_width = 0;
  std::vector<unsigned char> enables;  ///< empty: no byte enables
  bool moves = true;                   ///< data moves, else nothing may change
  bool storage = false;                ///< the data can be compared with what debug sees
  bool hint = false;                   ///< the DMI hint is due
  std::vector<tlm::tlm_response_status> responses{tlm::TLM_OK_RESPONSE};  ///< those that are right
};

/// Every transfer that the description calls for.
std::vector<Transfer> transfers(const TargetDescription& description);

/// Addresses outside of all ranges, next to them and far away, with at least `room` unmapped bytes.
std::vector<std::uint64_t> unmapped_addresses(const TargetDescription& description, unsigned int room);

/// The lengths that the range accepts and that fit into it; examples when it accepts any.
std::vector<unsigned int> fitting_lengths(const ConformanceRange& range);

/// "write of 4 bytes at 0x10, streaming width 4" for messages.
std::string text(const Transfer& transfer);

}  // namespace mho::testbenches
