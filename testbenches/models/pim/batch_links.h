// SPDX-License-Identifier: Apache-2.0
// The two ends of a chain of modules that pass batches on: a source that sends one payload, a sink that keeps what
// arrives. Neither knows what a batch means.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <vector>

#include "models/pim/batch.h"

namespace mho::testbenches {

/// Sends payloads with the extensions it is given; the payload is checked for what a module must leave alone.
class BatchSource : public sc_core::sc_module {
 public:
  explicit BatchSource(sc_core::sc_module_name module_name);

  tlm_utils::simple_initiator_socket<BatchSource, 32, pim::BatchProtocol> out;

  /// One call. Extensions that are null are absent. `delay` is what the batch arrives with and what it left with.
  template <typename... Extensions>
  tlm::tlm_response_status send(std::uint64_t address, std::vector<std::uint8_t>& bytes, Extensions*... extensions) {
    tlm::tlm_generic_payload payload;
    (attach(payload, extensions), ...);
    call(payload, address, bytes);
    (detach(payload, extensions), ...);
    return payload.get_response_status();
  }

  sc_core::sc_time delay;
  std::size_t length = 0;  ///< of the data array where it is not all of the bytes

 private:
  template <typename Extension>
  static void attach(tlm::tlm_generic_payload& payload, Extension* extension) {
    if (extension != nullptr) payload.set_extension(extension);
  }
  template <typename Extension>
  static void detach(tlm::tlm_generic_payload& payload, Extension* extension) {
    if (extension != nullptr) payload.clear_extension(extension);
  }
  /// Fails the test where the response is not set, the delay shrinks or the address comes back changed.
  void call(tlm::tlm_generic_payload& payload, std::uint64_t address, std::vector<std::uint8_t>& bytes);
};

/// Answers every payload with `answer` after `takes`.
class BatchSink : public sc_core::sc_module {
 public:
  explicit BatchSink(sc_core::sc_module_name module_name);

  tlm_utils::simple_target_socket<BatchSink, 32, pim::BatchProtocol> in;

  tlm::tlm_response_status answer = tlm::TLM_OK_RESPONSE;
  sc_core::sc_time takes;
  int calls = 0;
  std::uint64_t address = 0;        ///< of the last call
  sc_core::sc_time arrived;         ///< its delay
  pim::Batch batch;                 ///< its batch
  std::vector<std::uint8_t> bytes;  ///< its data array

 private:
  void receive(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
};

}  // namespace mho::testbenches
