// SPDX-License-Identifier: Apache-2.0
// Which bytes of a transfer its byte enables leave. The enable array is applied again from its start when it is shorter
// than the data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tlm>

namespace mho::tlm_kit {

/// Bytes of the data array that a transfer moves: all of them where there are no byte enables.
inline std::uint64_t enabled_bytes(const tlm::tlm_generic_payload& payload) {
  const unsigned char* const enables = payload.get_byte_enable_ptr();
  const std::uint64_t length = payload.get_data_length(), period = payload.get_byte_enable_length();
  if (enables == nullptr || period == 0) return length;
  const auto enabled_among = [enables](std::uint64_t count) {
    return std::uint64_t(count - std::uint64_t(std::count(enables, enables + count, TLM_BYTE_DISABLED)));
  };
  return length / period * enabled_among(period) + enabled_among(length % period);
}

}  // namespace mho::tlm_kit
