// SPDX-License-Identifier: Apache-2.0
// Little-endian bytes of a program image: a writer that appends, and a reader that never leaves its bytes and never
// believes a count that the rest of the image could not fill. Levels are packed at 1, 2, 4 or 8 bits a cell.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/mapping/packed_levels.h"

namespace mho::mapping {

/// Appends to a byte vector.
class ImageWriter {
 public:
  explicit ImageWriter(std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u32(std::uint32_t value) { unsigned_value(value, 4); }
  void u64(std::uint64_t value) { unsigned_value(value, 8); }
  void i32(std::int32_t value) { u32(std::uint32_t(value)); }
  void f64(double value);
  void text(const std::string& value);
  void count(std::size_t value);
  void i32s(const std::vector<std::int32_t>& values);
  void f64s(const std::vector<double>& values);
  /// Padding bits of the last byte are 0. Throws std::invalid_argument where a level is wider than `cell_bits`.
  void levels(const std::vector<std::uint8_t>& values, int cell_bits);
  void levels(const PackedLevels& packed);

 private:
  void unsigned_value(std::uint64_t value, int bytes);
  std::vector<std::uint8_t>& bytes_;
};

/// Reads what ImageWriter wrote; throws mho::InputError where the bytes end early or hold what it never writes.
class ImageReader {
 public:
  ImageReader(const std::uint8_t* bytes, std::size_t size) : begin_(bytes), next_(bytes), left_(size) {}
  /// All of `image`; packed levels refer to it.
  explicit ImageReader(std::shared_ptr<const std::vector<std::uint8_t>> image)
      : ImageReader(image->data(), image->size()) {
    image_ = std::move(image);
  }
  std::uint8_t u8() { return *take(1); }
  std::uint32_t u32() { return std::uint32_t(unsigned_value(4)); }
  std::uint64_t u64() { return unsigned_value(8); }
  std::int32_t i32() { return std::int32_t(u32()); }
  double f64();
  bool boolean();
  std::string text();
  /// A number of elements of at least `bytes_each` bytes; refused where the rest of the image is shorter.
  std::size_t count(std::size_t bytes_each);
  std::vector<std::int32_t> i32s();
  std::vector<double> f64s();
  std::vector<std::uint8_t> levels(std::size_t cells, int cell_bits);
  /// The same, left where they are; `at` counts from the reader's first byte.
  PackedLevels packed_levels(std::size_t cells, int cell_bits);
  void skip(std::size_t bytes) { take(bytes); }
  std::size_t left() const { return left_; }

  [[noreturn]] static void refuse(const std::string& problem, const std::string& allowed = {});

 private:
  const std::uint8_t* take(std::size_t bytes);
  std::uint64_t unsigned_value(int bytes);
  std::shared_ptr<const std::vector<std::uint8_t>> image_;
  const std::uint8_t* begin_;
  const std::uint8_t* next_;
  std::size_t left_;
};

}  // namespace mho::mapping
