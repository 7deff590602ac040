// SPDX-License-Identifier: Apache-2.0
// Blocking transport of the conformance suite: sends each transfer with a canary around its data, a delay
// that must not shrink and an extension nobody knows, then compares everything that could have changed.
#include "testbenches/models/tlm/conformance_run.h"

#include <algorithm>

#include "models/tlm/payload_pool.h"

namespace mho::testbenches {
namespace {

constexpr std::size_t kCanary = 16;
constexpr std::uint64_t kContentsLimit = 4096;

/// An extension that no target has heard of.
struct Stranger : tlm::tlm_extension<Stranger> {
  tlm::tlm_extension_base* clone() const override { return new Stranger(*this); }
  void copy_from(const tlm::tlm_extension_base&) override {}
};

unsigned int beat(const Transfer& transfer) {
  const bool streams = transfer.streaming_width != 0 && transfer.streaming_width < transfer.length;
  return streams ? transfer.streaming_width : transfer.length;
}

bool enabled(const Transfer& transfer, unsigned int index) {
  return transfer.enables.empty() || transfer.enables[index % transfer.enables.size()] == TLM_BYTE_ENABLED;
}

bool right_response(const Transfer& transfer, tlm::tlm_response_status response) {
  return std::find(transfer.responses.begin(), transfer.responses.end(), response) != transfer.responses.end();
}

}  // namespace

/// What was sent and what came back.
struct ConformanceRun::Attempt {
  Bytes sent;
  Bytes returned;
  bool canary_alive = true;
  bool attributes_kept = true;
  bool extension_kept = true;
  bool waited = false;
  bool hint = false;
  sc_core::sc_time delay_sent{7, sc_core::SC_NS};
  sc_core::sc_time delay_returned;
  tlm::tlm_response_status response = tlm::TLM_INCOMPLETE_RESPONSE;
  std::string response_text;
};

void ConformanceRun::broke(const char* rule, const std::string& detail) {
  if (broken_rules_.insert(rule).second) violations_.push_back(std::string(rule) + ": " + detail);
}

Bytes ConformanceRun::fresh_bytes(std::size_t count) {
  Bytes bytes(count);
  // 251 is prime: neighbouring bytes, words and transfers all differ.
  for (unsigned char& byte : bytes) byte = next_byte_ = static_cast<unsigned char>(next_byte_ % 251 + 1);
  return bytes;
}

Bytes ConformanceRun::contents() {
  Bytes all;
  for (const ConformanceRange& range : description_.ranges) {
    const Bytes part = peek(range.base, static_cast<unsigned int>(std::min(range.size, kContentsLimit)));
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

void ConformanceRun::send(const Transfer& transfer, Attempt& attempt) {
  attempt.sent = fresh_bytes(transfer.length + 2 * kCanary);
  Bytes buffer = attempt.sent;
  Bytes enables = transfer.enables;
  tlm::tlm_generic_payload payload;
  payload.set_command(transfer.command);
  payload.set_address(transfer.address);
  payload.set_data_ptr(buffer.data() + kCanary);
  payload.set_data_length(transfer.length);
  payload.set_streaming_width(transfer.streaming_width);
  payload.set_byte_enable_ptr(enables.empty() ? nullptr : enables.data());
  payload.set_byte_enable_length(static_cast<unsigned int>(enables.size()));
  auto* const stranger = new Stranger;  // freed by the payload
  payload.set_extension(stranger);

  const sc_core::sc_time time = sc_core::sc_time_stamp();
  const sc_dt::uint64 delta = sc_core::sc_delta_count();
  attempt.delay_returned = attempt.delay_sent;
  target_.b_transport(payload, attempt.delay_returned);

  attempt.waited = sc_core::sc_time_stamp() != time || sc_core::sc_delta_count() != delta;
  attempt.response = payload.get_response_status();
  attempt.response_text = payload.get_response_string();
  attempt.hint = payload.is_dmi_allowed();
  attempt.extension_kept = payload.get_extension<Stranger>() == stranger;
  attempt.attributes_kept = payload.get_command() == transfer.command && payload.get_address() == transfer.address &&
                            payload.get_data_ptr() == buffer.data() + kCanary &&
                            payload.get_data_length() == transfer.length &&
                            payload.get_streaming_width() == transfer.streaming_width && enables == transfer.enables &&
                            payload.get_byte_enable_ptr() == (enables.empty() ? nullptr : enables.data()) &&
                            payload.get_byte_enable_length() == enables.size();
  attempt.canary_alive = std::equal(buffer.begin(), buffer.begin() + kCanary, attempt.sent.begin()) &&
                         std::equal(buffer.end() - kCanary, buffer.end(), attempt.sent.end() - kCanary);
  attempt.sent = Bytes(attempt.sent.begin() + kCanary, attempt.sent.end() - kCanary);
  attempt.returned = Bytes(buffer.begin() + kCanary, buffer.end() - kCanary);
}

void ConformanceRun::judge(const Transfer& transfer, const Attempt& attempt) {
  const std::string detail = text(transfer) + " -> " + attempt.response_text;
  if (attempt.response == tlm::TLM_INCOMPLETE_RESPONSE) {
    broke(kRuleResponse, detail);
  } else {
    expect(right_response(transfer, attempt.response), transfer.rule, detail);
  }
  expect(attempt.delay_returned >= attempt.delay_sent, kRuleDelay, detail);
  expect(!attempt.waited, kRuleNoWait, detail);
  expect(attempt.attributes_kept, kRuleAttributes, detail);
  expect(attempt.extension_kept, kRuleExtension, detail);
  expect(attempt.canary_alive, kRuleBeyond, detail);
  if (attempt.response == tlm::TLM_OK_RESPONSE && transfer.moves) {
    expect(attempt.hint == transfer.hint, kRuleHint, detail);
  }
}

void ConformanceRun::judge_data(const Transfer& transfer, const Attempt& attempt, const Bytes& before) {
  const std::string detail = text(transfer) + " -> " + attempt.response_text;
  const unsigned int width = beat(transfer);
  Bytes data = attempt.sent;
  Bytes stored = before;
  for (unsigned int i = 0; i < transfer.length; ++i) {
    if (!enabled(transfer, i)) continue;
    if (transfer.command == tlm::TLM_READ_COMMAND) {
      data[i] = before[i % width];
    } else {
      stored[i % width] = attempt.sent[i];
    }
  }
  // A special kind of access that moves the wrong data breaks its own rule.
  const bool plain = std::string(transfer.rule) == kRuleMapped;
  expect(attempt.returned == data, plain ? kRuleReadData : transfer.rule, detail + ", wrong data");
  expect(peek(transfer.address, width) == stored, plain ? kRuleWriteData : transfer.rule, detail + ", wrong contents");
}

void ConformanceRun::carry_out(const Transfer& transfer) {
  Attempt attempt;
  if (transfer.moves) {
    const Bytes before = transfer.storage ? peek(transfer.address, beat(transfer)) : Bytes();
    send(transfer, attempt);
    judge(transfer, attempt);
    if (transfer.storage && attempt.response == tlm::TLM_OK_RESPONSE) judge_data(transfer, attempt, before);
    return;
  }
  const Bytes contents_before = contents();
  const Bytes reported_before = reported();
  send(transfer, attempt);
  judge(transfer, attempt);
  const bool ignored = transfer.command == tlm::TLM_IGNORE_COMMAND;
  expect(reported() == reported_before && contents() == contents_before, ignored ? kRuleIgnore : kRuleRefusedState,
         text(transfer));
  expect(attempt.returned == attempt.sent, ignored ? kRuleIgnore : kRuleRefusedData, text(transfer));
}

void ConformanceRun::check_references(const Transfer& transfer) {
  tlm_kit::PayloadPool pool;
  tlm_kit::PayloadHandle payload = pool.acquire(transfer.length + kCanary);
  payload->set_data_length(transfer.length);
  payload->set_streaming_width(transfer.length);
  payload->set_command(transfer.command);
  payload->set_address(transfer.address);
  sc_core::sc_time delay;
  target_.b_transport(*payload, delay);
  expect(payload->get_ref_count() == 1, kRuleReference, text(transfer));
}

void ConformanceRun::check_blocking_transport() {
  bool references_checked = false;
  for (const Transfer& transfer : transfers(description_)) {
    carry_out(transfer);
    if (!references_checked && transfer.moves && transfer.command == tlm::TLM_READ_COMMAND) {
      check_references(transfer);
      references_checked = true;
    }
  }
}

std::vector<std::string> violated_rules(tlm::tlm_fw_transport_if<>& target, const TargetDescription& description) {
  ConformanceRun run(target, description);
  run.check_blocking_transport();
  run.check_debug_transport();
  run.check_direct_memory();
  return run.violations();
}

}  // namespace mho::testbenches
