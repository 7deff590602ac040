// SPDX-License-Identifier: Apache-2.0
// Sending and receiving of batches in tests.
#include "testbenches/models/pim/batch_links.h"

#include <catch2/catch.hpp>

namespace mho::testbenches {

BatchSource::BatchSource(sc_core::sc_module_name module_name) : sc_module(module_name), out("out") {}

void BatchSource::call(tlm::tlm_generic_payload& payload, std::uint64_t address, std::vector<std::uint8_t>& bytes) {
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(bytes.data());
  payload.set_data_length(unsigned(length > 0 ? length : bytes.size()));
  payload.set_streaming_width(payload.get_data_length());
  const sc_core::sc_time before = delay;
  out->b_transport(payload, delay);
  CHECK(payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE);
  CHECK(delay >= before);
  CHECK(payload.get_address() == address);
}

BatchSink::BatchSink(sc_core::sc_module_name module_name) : sc_module(module_name), in("in") {
  in.register_b_transport(this, &BatchSink::receive);
}

void BatchSink::receive(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  ++calls;
  address = payload.get_address();
  arrived = delay;
  if (const auto* extension = payload.get_extension<pim::Batch>()) batch = *extension;
  bytes.assign(payload.get_data_ptr(), payload.get_data_ptr() + payload.get_data_length());
  delay += takes;
  payload.set_response_status(answer);
}

}  // namespace mho::testbenches
