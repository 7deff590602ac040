// SPDX-License-Identifier: Apache-2.0
// Two independent chains of multiplications by odd numbers, eight bytes at a time.
#include "platforms/scenario/fingerprint.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace mho {
namespace {

/// The finaliser of MurmurHash3: every bit of the argument reaches every bit of the result.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdu;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53u;
  return value ^ (value >> 33);
}

}  // namespace

Fingerprint& Fingerprint::add_bytes(const void* bytes, std::size_t count) {
  const auto* from = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < count; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, from + i, std::min<std::size_t>(count - i, 8));
    first_ = (first_ ^ word) * 0x9fb21c651e98df25u;
    first_ ^= first_ >> 32;
    second_ = (second_ + word) * 0xd6e8feb86659fd93u;
    second_ ^= second_ >> 29;
  }
  return *this;
}

std::string Fingerprint::text() const {
  char digits[33];
  std::snprintf(digits, sizeof digits, "%016llx%016llx", static_cast<unsigned long long>(mixed(first_)),
                static_cast<unsigned long long>(mixed(second_ ^ first_)));
  return digits;
}

}  // namespace mho
