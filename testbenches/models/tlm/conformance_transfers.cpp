// SPDX-License-Identifier: Apache-2.0
// Derives the transfers of the conformance suite from a description, rule by rule.
#include "testbenches/models/tlm/conformance_transfers.h"

#include <algorithm>
#include <limits>
#include <sstream>

namespace mho::testbenches {
namespace {

constexpr std::uint64_t kLastAddress = std::numeric_limits<std::uint64_t>::max();
constexpr tlm::tlm_command kBothCommands[] = {tlm::TLM_WRITE_COMMAND, tlm::TLM_READ_COMMAND};

std::uint64_t last(const ConformanceRange& range) { return range.base + (range.size - 1); }

bool mapped(const TargetDescription& description, std::uint64_t address) {
  return std::any_of(description.ranges.begin(), description.ranges.end(), [address](const ConformanceRange& range) {
    return address >= range.base && address <= last(range);
  });
}

bool allows(const ConformanceRange& range, tlm::tlm_command command) {
  return command == tlm::TLM_READ_COMMAND ? range.readable : range.writable;
}

/// Whether the suite may let this succeed: see ConformanceRange::storage.
bool harmless(const ConformanceRange& range, tlm::tlm_command command) {
  return allows(range, command) && (command == tlm::TLM_READ_COMMAND || range.storage);
}

Transfer accepted(const char* rule, const ConformanceRange& range, tlm::tlm_command command, std::uint64_t address,
                  unsigned int length) {
  Transfer transfer;
  transfer.rule = rule;
  transfer.command = command;
  transfer.address = address;
  transfer.length = length;
  transfer.streaming_width = length;
  transfer.storage = range.storage;
  transfer.hint = range.direct_memory;
  return transfer;
}

Transfer refused(const char* rule, tlm::tlm_command command, std::uint64_t address, unsigned int length,
                 std::vector<tlm::tlm_response_status> responses) {
  Transfer transfer;
  transfer.rule = rule;
  transfer.command = command;
  transfer.address = address;
  transfer.length = length;
  transfer.streaming_width = length;
  transfer.moves = false;
  transfer.responses = std::move(responses);
  return transfer;
}

/// First and last address at which an access of this length fits.
std::vector<std::uint64_t> places(const ConformanceRange& range, unsigned int length) {
  const std::uint64_t end = range.base + (range.size - length);
  const std::uint64_t at_end = range.sizes.empty() ? end : end - end % length;
  if (at_end == range.base) return {range.base};
  return {range.base, at_end};
}

void add_accepted(const ConformanceRange& range, std::vector<Transfer>& out) {
  for (const unsigned int length : fitting_lengths(range)) {
    for (const std::uint64_t address : places(range, length)) {
      for (const tlm::tlm_command command : kBothCommands) {
        if (!harmless(range, command)) continue;
        out.push_back(accepted(kRuleMapped, range, command, address, length));
        out.push_back(accepted(kRuleZeroWidth, range, command, address, length));
        out.back().streaming_width = 0;
        out.push_back(accepted(kRuleLongWidth, range, command, address, length));
        out.back().streaming_width = 2 * length + 1;
      }
    }
  }
}

void add_directions(const ConformanceRange& range, std::vector<Transfer>& out) {
  for (const unsigned int length : fitting_lengths(range)) {
    for (const tlm::tlm_command command : kBothCommands) {
      if (allows(range, command)) continue;
      out.push_back(refused(kRuleDirection, command, range.base, length, {tlm::TLM_COMMAND_ERROR_RESPONSE}));
    }
  }
}

void add_sizes(const ConformanceRange& range, std::vector<Transfer>& out) {
  if (range.sizes.empty()) return;
  const std::vector<unsigned int> fitting = fitting_lengths(range);
  for (const tlm::tlm_command command : kBothCommands) {
    if (!allows(range, command)) continue;
    for (const unsigned int length : {1u, 2u, 3u, 4u, 5u, 8u, 12u, 16u}) {
      if (std::find(range.sizes.begin(), range.sizes.end(), length) != range.sizes.end()) continue;
      out.push_back(refused(kRuleSize, command, range.base, length, {tlm::TLM_BURST_ERROR_RESPONSE}));
    }
    for (const unsigned int length : fitting) {
      if (length == 1) continue;
      out.push_back(refused(kRuleAlignment, command, range.base + 1, length,
                            {tlm::TLM_ADDRESS_ERROR_RESPONSE, tlm::TLM_BURST_ERROR_RESPONSE}));
    }
  }
}

void add_crossings(const ConformanceRange& range, std::vector<Transfer>& out) {
  for (const unsigned int length : {2u, 64u}) {
    for (const tlm::tlm_command command : kBothCommands) {
      if (!range.sizes.empty() || !allows(range, command)) continue;
      // The last byte would be the only one inside.
      out.push_back(refused(kRuleCrossing, command, last(range), length,
                            {tlm::TLM_ADDRESS_ERROR_RESPONSE, tlm::TLM_BURST_ERROR_RESPONSE}));
      out.push_back(out.back());
      out.back().streaming_width = 0;
    }
  }
}

void add_enables(const TargetDescription& description, const ConformanceRange& range, std::vector<Transfer>& out) {
  const std::vector<std::vector<unsigned char>> patterns = {{0xff, 0x00}, {0x00}, {0x00, 0xff, 0xff}};
  for (const unsigned int length : fitting_lengths(range)) {
    for (const auto& enables : patterns) {
      for (const tlm::tlm_command command : kBothCommands) {
        if (!harmless(range, command)) continue;
        if (description.byte_enables) {
          out.push_back(accepted(kRuleEnables, range, command, range.base, length));
        } else {
          out.push_back(refused(kRuleEnables, command, range.base, length, {tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE}));
        }
        out.back().enables = enables;
      }
    }
  }
}

void add_streaming(const TargetDescription& description, const ConformanceRange& range, std::vector<Transfer>& out) {
  const bool honoured = description.streaming && range.sizes.empty();
  for (const unsigned int length : fitting_lengths(range)) {
    for (const tlm::tlm_command command : kBothCommands) {
      if (length % 2 != 0 || !harmless(range, command)) continue;
      if (honoured) {
        out.push_back(accepted(kRuleStreaming, range, command, range.base, length));
      } else {
        out.push_back(refused(kRuleStreaming, command, range.base, length, {tlm::TLM_BURST_ERROR_RESPONSE}));
      }
      out.back().streaming_width = length / 2;
      // Only one beat needs room: the last ones fit although the whole length would not.
      if (honoured) {
        out.push_back(out.back());
        out.back().address = range.base + (range.size - length / 2);
      }
    }
  }
}

void add_unmapped(const TargetDescription& description, std::vector<Transfer>& out) {
  for (const unsigned int length : {1u, 4u, 8u}) {
    for (const std::uint64_t address : unmapped_addresses(description, length)) {
      for (const tlm::tlm_command command : kBothCommands) {
        out.push_back(refused(kRuleUnmapped, command, address, length, {tlm::TLM_ADDRESS_ERROR_RESPONSE}));
      }
    }
  }
  if (mapped(description, kLastAddress)) return;
  // Address + length wraps around to 0, which is often mapped.
  for (const tlm::tlm_command command : kBothCommands) {
    out.push_back(refused(kRuleUnmapped, command, kLastAddress - 3, 8, {tlm::TLM_ADDRESS_ERROR_RESPONSE}));
  }
}

void add_ignore(const ConformanceRange& range, std::vector<Transfer>& out) {
  for (const unsigned int length : fitting_lengths(range)) {
    // The standard leaves open whether doing nothing is a success.
    out.push_back(refused(kRuleIgnore, tlm::TLM_IGNORE_COMMAND, range.base, length,
                          {tlm::TLM_OK_RESPONSE, tlm::TLM_COMMAND_ERROR_RESPONSE, tlm::TLM_GENERIC_ERROR_RESPONSE}));
  }
}

}  // namespace

std::vector<unsigned int> fitting_lengths(const ConformanceRange& range) {
  const std::vector<unsigned int> candidates =
      range.sizes.empty() ? std::vector<unsigned int>{1, 2, 3, 4, 8, 16, 64} : range.sizes;
  std::vector<unsigned int> lengths;
  for (const unsigned int length : candidates) {
    if (length <= range.size) lengths.push_back(length);
  }
  return lengths;
}

std::vector<std::uint64_t> unmapped_addresses(const TargetDescription& description, unsigned int room) {
  std::vector<std::uint64_t> candidates = {0, kLastAddress - (kLastAddress % 8), std::uint64_t{1} << 63};
  for (const ConformanceRange& range : description.ranges) {
    candidates.push_back(last(range) + 1);
    candidates.push_back(range.base - room);
  }
  std::vector<std::uint64_t> found;
  for (const std::uint64_t address : candidates) {
    bool free = kLastAddress - address >= room - 1;
    for (unsigned int i = 0; free && i < room; ++i) free = !mapped(description, address + i);
    if (free && std::find(found.begin(), found.end(), address) == found.end()) found.push_back(address);
  }
  return found;
}

std::string text(const Transfer& transfer) {
  const char* const names[] = {"read", "write", "ignore"};
  std::ostringstream out;
  out << names[transfer.command] << " of " << transfer.length << " bytes at 0x" << std::hex << transfer.address
      << std::dec << ", streaming width " << transfer.streaming_width;
  if (!transfer.enables.empty()) out << ", " << transfer.enables.size() << " byte enables";
  return out.str();
}

std::vector<Transfer> transfers(const TargetDescription& description) {
  std::vector<Transfer> out;
  for (const ConformanceRange& range : description.ranges) {
    add_accepted(range, out);
    add_directions(range, out);
    add_sizes(range, out);
    add_crossings(range, out);
    add_enables(description, range, out);
    add_streaming(description, range, out);
    add_ignore(range, out);
  }
  add_unmapped(description, out);
  return out;
}

}  // namespace mho::testbenches
