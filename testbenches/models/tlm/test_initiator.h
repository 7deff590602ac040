// SPDX-License-Identifier: Apache-2.0
// An initiator for tests: sends single transfers, runs code inside a thread or a method, and remembers the
// invalidations and answers it was told. It leaves out everything an initiator does to be fast.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <cstdint>
#include <functional>
#include <tlm>
#include <utility>
#include <vector>

namespace mho::testbenches {

/// What came of a transfer.
struct Outcome {
  tlm::tlm_response_status response = tlm::TLM_INCOMPLETE_RESPONSE;
  sc_core::sc_time delay;
  bool hint = false;
};

/// Bind `socket`; set what is to run before the simulation starts.
template <unsigned int BUSWIDTH = 32>
class TestInitiator : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(TestInitiator);

  explicit TestInitiator(sc_core::sc_module_name module_name) : sc_core::sc_module(module_name), socket("socket") {
    socket.register_invalidate_direct_mem_ptr(this, &TestInitiator::invalidate);
    socket.register_nb_transport_bw(this, &TestInitiator::end_response);
  }

  /// The target as the conformance suite wants it.
  tlm::tlm_fw_transport_if<>& target() { return *socket.operator->(); }

  /// One transfer of `length` bytes from or to `data`, contiguous, without byte enables.
  Outcome send(tlm::tlm_command command, std::uint64_t address, void* data, unsigned int length,
               sc_core::sc_time delay = sc_core::SC_ZERO_TIME) {
    tlm::tlm_generic_payload payload;
    prepare(payload, command, address, data, length);
    Outcome outcome;
    outcome.delay = delay;
    socket->b_transport(payload, outcome.delay);
    outcome.response = payload.get_response_status();
    outcome.hint = payload.is_dmi_allowed();
    return outcome;
  }

  /// One debug transfer; returns the count.
  unsigned int debug(tlm::tlm_command command, std::uint64_t address, void* data, unsigned int length) {
    tlm::tlm_generic_payload payload;
    prepare(payload, command, address, data, length);
    return socket->transport_dbg(payload);
  }

  /// Asks for DMI; returns whether it was granted.
  bool ask(tlm::tlm_command command, std::uint64_t address, tlm::tlm_dmi& dmi) {
    tlm::tlm_generic_payload payload;
    prepare(payload, command, address, nullptr, 0);
    dmi.init();
    return socket->get_direct_mem_ptr(payload, dmi);
  }

  tlm_utils::simple_initiator_socket<TestInitiator, BUSWIDTH> socket;
  std::function<void()> in_thread;
  std::function<void()> in_method;
  std::function<void()> before_first_process;  ///< in start_of_simulation, when all sockets are bound
  tlm::tlm_response_status answered = tlm::TLM_INCOMPLETE_RESPONSE;    ///< of the last BEGIN_RESP
  std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidations;  ///< bounds, both included

 private:
  static void prepare(tlm::tlm_generic_payload& payload, tlm::tlm_command command, std::uint64_t address, void* data,
                      unsigned int length) {
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
  }
  /// A process only where it is asked for: AddressSanitizer mistakes the main stack for overrun when an
  /// exception is thrown on it after the kernel has run a thread.
  void before_end_of_elaboration() override {
    if (in_thread) {
      SC_THREAD(run_in_thread);
    }
    if (in_method) {
      SC_METHOD(run_in_method);
    }
  }
  void start_of_simulation() override {
    if (before_first_process) before_first_process();
  }
  tlm::tlm_sync_enum end_response(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
    answered = payload.get_response_status();
    phase = tlm::END_RESP;
    return tlm::TLM_COMPLETED;
  }
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last) { invalidations.emplace_back(first, last); }
  void run_in_thread() { in_thread(); }
  void run_in_method() { in_method(); }
};

}  // namespace mho::testbenches
