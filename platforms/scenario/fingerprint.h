// SPDX-License-Identifier: Apache-2.0
// 128 bits that stand for a sequence of values: different sequences almost surely have different ones. Against
// accidents, not against intent; every value is preceded by its length where that may vary, so that neighbours cannot
// be mistaken for one another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace mho {

class Fingerprint {
 public:
  /// A number; floating-point ones by their bits.
  template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
  Fingerprint& add(Number value) {
    return add_bytes(&value, sizeof value);
  }
  template <class Number>
  Fingerprint& add(const std::vector<Number>& values) {
    static_assert(std::is_arithmetic_v<Number>, "bytes of anything else may have gaps");
    add(std::uint64_t(values.size()));
    return add_bytes(values.data(), values.size() * sizeof(Number));
  }
  Fingerprint& add(const std::string& text) {
    add(std::uint64_t(text.size()));
    return add_bytes(text.data(), text.size());
  }
  /// 32 hexadecimal digits.
  std::string text() const;

 private:
  Fingerprint& add_bytes(const void* bytes, std::size_t count);

  std::uint64_t first_ = 0x6d686f2066696e67, second_ = 0x65727072696e7431;
};

}  // namespace mho
