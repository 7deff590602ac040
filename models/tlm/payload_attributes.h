// SPDX-License-Identifier: Apache-2.0
// The attributes of a generic payload that neither target nor interconnect may change (IEEE 1666-2011, 14.7), as they
// were at one moment. The response, the DMI hint and the contents of the data array are not among them.
#pragma once

#include <tlm>

namespace mho::tlm_kit {

struct PayloadAttributes {
  explicit PayloadAttributes(const tlm::tlm_generic_payload& payload)
      : command(payload.get_command()),
        address(payload.get_address()),
        data(payload.get_data_ptr()),
        length(payload.get_data_length()),
        width(payload.get_streaming_width()),
        enables(payload.get_byte_enable_ptr()),
        enables_length(payload.get_byte_enable_length()) {}

  bool same_but_address(const PayloadAttributes& other) const {
    return command == other.command && data == other.data && length == other.length && width == other.width &&
           enables == other.enables && enables_length == other.enables_length;
  }

  tlm::tlm_command command;
  sc_dt::uint64 address;
  const unsigned char* data;
  unsigned int length;
  unsigned int width;
  const unsigned char* enables;
  unsigned int enables_length;
};

}  // namespace mho::tlm_kit
