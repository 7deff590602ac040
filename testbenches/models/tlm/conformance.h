// SPDX-License-Identifier: Apache-2.0
// The one conformance suite for memory-mapped targets: it knows the rules of blocking transport, debug
// transport and DMI, a description says what the target is, and the result is a list of broken rules.
// It needs no test framework, so examples and foreign models can run it. Left out: nb_transport.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tlm>
#include <vector>

namespace mho::testbenches {

/// Addresses [base, base + size) of a target that behave alike. Two ranges may touch; an access that
/// crosses from one into the other must then be refused.
struct ConformanceRange {
  std::uint64_t base = 0;
  std::uint64_t size = 0;  ///< bytes
  bool readable = true;
  bool writable = true;
  /// Reads give what was written and debug sees the same. The suite overwrites it; other writable ranges
  /// are never written successfully, since that might start something.
  bool storage = true;
  /// Lengths that are accepted, each at multiples of itself; empty: any length at any address.
  std::vector<unsigned int> sizes;
  bool direct_memory = false;  ///< DMI is granted
};

/// What a target promises.
struct TargetDescription {
  std::vector<ConformanceRange> ranges;  ///< ascending; everything else is unmapped
  bool byte_enables = false;             ///< honoured, else refused
  bool streaming = false;                ///< honoured where any length is accepted, else refused
  /// Everything a side effect could change, without side effect: counters, callbacks made, values.
  /// When absent, what debug reads in the ranges, up to 4 KiB each.
  std::function<std::vector<unsigned char>()> state;
};

/// Runs the suite through the interface of a bound initiator socket (`*socket.operator->()`), from a
/// thread, a method or outside of processes once elaboration is over.
/// @return one sentence per broken rule with the first access that broke it; empty when there is none.
std::vector<std::string> violated_rules(tlm::tlm_fw_transport_if<>& target, const TargetDescription& description);

}  // namespace mho::testbenches
