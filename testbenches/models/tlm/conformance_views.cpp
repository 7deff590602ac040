// SPDX-License-Identifier: Apache-2.0
// The two other views of a target in the conformance suite: debug transport and direct memory access.
#include <algorithm>
#include <limits>
#include <sstream>

#include "testbenches/models/tlm/conformance_run.h"

namespace mho::testbenches {
namespace {

std::uint64_t last(const ConformanceRange& range) { return range.base + (range.size - 1); }

std::string place(const char* what, std::uint64_t address) {
  std::ostringstream out;
  out << what << " at 0x" << std::hex << address;
  return out.str();
}

bool overlaps_direct_memory(const TargetDescription& description, const tlm::tlm_dmi& dmi) {
  return std::any_of(description.ranges.begin(), description.ranges.end(), [&dmi](const ConformanceRange& range) {
    return range.direct_memory && dmi.get_start_address() <= last(range) && dmi.get_end_address() >= range.base;
  });
}

}  // namespace

ConformanceRun::DebugAnswer ConformanceRun::debug(tlm::tlm_command command, std::uint64_t address, const Bytes& data) {
  DebugAnswer answer;
  answer.data = data;
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(answer.data.data());
  payload.set_data_length(static_cast<unsigned int>(data.size()));
  payload.set_streaming_width(static_cast<unsigned int>(data.size()));
  const sc_core::sc_time time = sc_core::sc_time_stamp();
  const sc_dt::uint64 delta = sc_core::sc_delta_count();
  answer.count = target_.transport_dbg(payload);
  expect(sc_core::sc_time_stamp() == time && sc_core::sc_delta_count() == delta, kRuleDebugTime,
         place("debug access", address));
  const bool kept = payload.get_command() == command && payload.get_address() == address &&
                    payload.get_data_ptr() == answer.data.data() && payload.get_data_length() == data.size();
  expect(kept, kRuleAttributes, place("debug access", address));
  return answer;
}

void ConformanceRun::check_debug_range(const ConformanceRange& range) {
  const auto length = static_cast<unsigned int>(std::min<std::uint64_t>(range.size, 4096));
  const Bytes before = reported();
  const DebugAnswer answer = debug(tlm::TLM_READ_COMMAND, range.base, fresh_bytes(length));
  expect(answer.count == length, kRuleDebugCount, place("debug read", range.base));
  expect(reported() == before, kRuleDebugState, place("debug read", range.base));
  // Reading twice gives the same: a view that consumed something would not.
  expect(answer.data == peek(range.base, length), kRuleDebugState, place("second debug read", range.base));
}

void ConformanceRun::check_debug_end(const ConformanceRange& range) {
  constexpr unsigned int kBeyond = 4;
  const std::vector<std::uint64_t> free = unmapped_addresses(description_, kBeyond);
  if (std::find(free.begin(), free.end(), last(range) + 1) == free.end()) return;
  const auto inside = static_cast<unsigned int>(std::min<std::uint64_t>(range.size, 3));
  const std::uint64_t address = last(range) - (inside - 1);
  const Bytes sent = fresh_bytes(inside + kBeyond);
  const DebugAnswer answer = debug(tlm::TLM_READ_COMMAND, address, sent);
  expect(answer.count == inside, kRuleDebugCount, place("debug read across the end", address));
  expect(std::equal(sent.begin() + inside, sent.end(), answer.data.begin() + inside), kRuleDebugData,
         place("debug read across the end", address));
}

void ConformanceRun::check_debug_write(const ConformanceRange& range) {
  const std::vector<unsigned int> lengths = fitting_lengths(range);
  if (!range.storage || !range.writable || !range.readable || lengths.empty()) return;
  const unsigned int length = lengths.back();
  const Bytes before = reported();
  const Bytes original = peek(range.base, length);
  const Bytes sent = fresh_bytes(length);
  const DebugAnswer answer = debug(tlm::TLM_WRITE_COMMAND, range.base, sent);
  expect(answer.count == length, kRuleDebugCount, place("debug write", range.base));
  expect(answer.data == sent, kRuleDebugData, place("debug write", range.base));
  expect(peek(range.base, length) == sent, kRuleDebugData, place("debug write", range.base));
  debug(tlm::TLM_WRITE_COMMAND, range.base, original);
  expect(reported() == before, kRuleDebugState, place("debug write that was undone", range.base));

  // Both views are of the same bytes: a debug write must show in an ordinary read.
  debug(tlm::TLM_WRITE_COMMAND, range.base, sent);
  Transfer read;
  read.rule = kRuleMapped;
  read.address = range.base;
  read.length = read.streaming_width = length;
  read.storage = true;
  read.hint = range.direct_memory;
  carry_out(read);
  debug(tlm::TLM_WRITE_COMMAND, range.base, original);
}

void ConformanceRun::check_debug_nothing(tlm::tlm_command command, std::uint64_t address) {
  const Bytes before = reported();
  const Bytes sent = fresh_bytes(4);
  const DebugAnswer answer = debug(command, address, sent);
  // What an ignored command counts is left to extensions; without one nothing has moved either.
  expect(answer.count == 0, kRuleDebugCount, place("debug access to nothing", address));
  expect(answer.data == sent, kRuleDebugData, place("debug access to nothing", address));
  expect(reported() == before, kRuleDebugState, place("debug access to nothing", address));
}

void ConformanceRun::check_debug_transport() {
  for (const ConformanceRange& range : description_.ranges) {
    check_debug_range(range);
    check_debug_end(range);
    check_debug_write(range);
    check_debug_nothing(tlm::TLM_IGNORE_COMMAND, range.base);
  }
  for (const std::uint64_t address : unmapped_addresses(description_, 4)) {
    check_debug_nothing(tlm::TLM_READ_COMMAND, address);
    check_debug_nothing(tlm::TLM_WRITE_COMMAND, address);
  }
}

void ConformanceRun::check_dmi_pointer(std::uint64_t address, const tlm::tlm_dmi& dmi, const std::string& detail) {
  unsigned char* const byte = dmi.get_dmi_ptr() + (address - dmi.get_start_address());
  const unsigned char original = *byte;
  expect(peek(address, 1)[0] == original, kRuleDmiData, detail);
  if (!dmi.is_write_allowed()) return;
  *byte = static_cast<unsigned char>(~original);
  expect(peek(address, 1)[0] == *byte, kRuleDmiData, detail);
  *byte = original;
}

void ConformanceRun::check_dmi_at(tlm::tlm_command command, std::uint64_t address, const ConformanceRange* range) {
  const std::string detail = place(command == tlm::TLM_READ_COMMAND ? "DMI to read" : "DMI to write", address);
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  tlm::tlm_dmi dmi;
  const bool granted = target_.get_direct_mem_ptr(payload, dmi);
  expect(granted == (range && range->direct_memory), kRuleDmiGrant, detail);
  expect(payload.get_command() == command && payload.get_address() == address, kRuleAttributes, detail);
  const bool holds = dmi.get_start_address() <= address && address <= dmi.get_end_address();
  expect(holds, kRuleDmiBounds, detail);
  if (!granted) {
    expect(!overlaps_direct_memory(description_, dmi), kRuleDmiBounds, detail);
    return;
  }
  const bool allowed = command == tlm::TLM_READ_COMMAND ? dmi.is_read_allowed() : dmi.is_write_allowed();
  expect(allowed && dmi.get_dmi_ptr(), kRuleDmiGrant, detail);
  const bool inside = range && dmi.get_start_address() >= range->base && dmi.get_end_address() <= last(*range);
  expect(inside, kRuleDmiBounds, detail);
  if (!holds || !inside || !dmi.get_dmi_ptr()) return;
  check_dmi_pointer(dmi.get_start_address(), dmi, detail);
  check_dmi_pointer(address, dmi, detail);
  check_dmi_pointer(dmi.get_end_address(), dmi, detail);
}

void ConformanceRun::check_direct_memory() {
  for (const ConformanceRange& range : description_.ranges) {
    for (const std::uint64_t address : {range.base, last(range)}) {
      if (range.readable) check_dmi_at(tlm::TLM_READ_COMMAND, address, &range);
      if (range.writable) check_dmi_at(tlm::TLM_WRITE_COMMAND, address, &range);
    }
  }
  for (const std::uint64_t address : unmapped_addresses(description_, 1)) {
    check_dmi_at(tlm::TLM_READ_COMMAND, address, nullptr);
    check_dmi_at(tlm::TLM_WRITE_COMMAND, address, nullptr);
  }
}

}  // namespace mho::testbenches
