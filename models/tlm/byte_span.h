// SPDX-License-Identifier: Apache-2.0
// A borrowed run of bytes, as a payload's data array or a slice of it. It owns nothing and checks no
// index; C++17 has no std::span, and this is the part of it that targets need.
#pragma once

#include <cstddef>
#include <type_traits>

namespace mho::tlm_kit {

/// A pointer and a length in elements; valid as long as what it points to.
template <typename Element>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(Element* data, std::size_t size) : data_(data), size_(size) {}
  /// A span of mutable elements is also a span of constant ones.
  template <typename Other, typename = std::enable_if_t<std::is_same_v<const Other, Element>>>
  constexpr Span(Span<Other> other) : data_(other.data()), size_(other.size()) {}

  constexpr Element* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr Element* begin() const { return data_; }
  constexpr Element* end() const { return data_ + size_; }
  constexpr Element& operator[](std::size_t index) const { return data_[index]; }
  /// The elements [first, first + count); the caller keeps them inside the span.
  constexpr Span part(std::size_t first, std::size_t count) const { return {data_ + first, count}; }

 private:
  Element* data_ = nullptr;
  std::size_t size_ = 0;
};

using ByteSpan = Span<unsigned char>;
using ConstByteSpan = Span<const unsigned char>;

}  // namespace mho::tlm_kit
