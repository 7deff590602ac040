// SPDX-License-Identifier: Apache-2.0
// One run of the conformance suite against one target: carries out transfers, looks at the target through
// debug transport and DMI, and collects what is wrong.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <tlm>
#include <vector>

#include "testbenches/models/tlm/conformance.h"
#include "testbenches/models/tlm/conformance_transfers.h"

namespace mho::testbenches {

using Bytes = std::vector<unsigned char>;

/// See violated_rules().
class ConformanceRun {
 public:
  ConformanceRun(tlm::tlm_fw_transport_if<>& target, const TargetDescription& description)
      : target_(target), description_(description) {}

  void check_blocking_transport();
  void check_debug_transport();
  void check_direct_memory();
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  /// The answer to a debug transfer.
  struct DebugAnswer {
    unsigned int count = 0;
    Bytes data;  ///< as long as was asked for
  };
  struct Attempt;

  /// Records a violation unless the rule has been found broken before.
  void broke(const char* rule, const std::string& detail);
  void expect(bool holds, const char* rule, const std::string& detail) {
    if (!holds) broke(rule, detail);
  }

  Bytes fresh_bytes(std::size_t count);
  Bytes reported() const { return description_.state ? description_.state() : Bytes(); }
  Bytes contents();
  DebugAnswer debug(tlm::tlm_command command, std::uint64_t address, const Bytes& data);
  Bytes peek(std::uint64_t address, unsigned int length) {
    return debug(tlm::TLM_READ_COMMAND, address, Bytes(length)).data;
  }

  void carry_out(const Transfer& transfer);
  void send(const Transfer& transfer, Attempt& attempt);
  void judge(const Transfer& transfer, const Attempt& attempt);
  void judge_data(const Transfer& transfer, const Attempt& attempt, const Bytes& before);
  void check_references(const Transfer& transfer);

  void check_debug_range(const ConformanceRange& range);
  void check_debug_end(const ConformanceRange& range);
  void check_debug_write(const ConformanceRange& range);
  void check_debug_nothing(tlm::tlm_command command, std::uint64_t address);

  void check_dmi_at(tlm::tlm_command command, std::uint64_t address, const ConformanceRange* range);
  void check_dmi_pointer(std::uint64_t address, const tlm::tlm_dmi& dmi, const std::string& detail);

  tlm::tlm_fw_transport_if<>& target_;
  const TargetDescription& description_;
  std::vector<std::string> violations_;
  std::set<std::string> broken_rules_;
  unsigned char next_byte_ = 1;
};

}  // namespace mho::testbenches
