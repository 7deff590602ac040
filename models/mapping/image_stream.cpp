// SPDX-License-Identifier: Apache-2.0
// Numbers, texts and packed levels of a program image.
#include "models/mapping/image_stream.h"

#include <cstring>
#include <limits>
#include <stdexcept>

#include "models/arithmetic/vectorised.h"
#include "models/input_error.h"

namespace mho::mapping {
namespace {

static_assert(std::numeric_limits<double>::is_iec559, "images hold IEEE 754 doubles");

MHO_VECTORISED
unsigned all_bits(const std::uint8_t* bytes, std::size_t count) {
  std::uint8_t bits = 0;
  for (std::size_t i = 0; i < count; ++i) bits = std::uint8_t(bits | bytes[i]);
  return bits;
}

}  // namespace

void ImageWriter::unsigned_value(std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) bytes_.push_back(std::uint8_t(value >> (8 * i)));
}

void ImageWriter::f64(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  u64(bits);
}

void ImageWriter::count(std::size_t value) {
  if (value > UINT32_MAX) throw std::invalid_argument("a program image holds at most 2^32 - 1 elements a list");
  u32(std::uint32_t(value));
}

void ImageWriter::text(const std::string& value) {
  count(value.size());
  bytes_.insert(bytes_.end(), value.begin(), value.end());
}

void ImageWriter::i32s(const std::vector<std::int32_t>& values) {
  count(values.size());
  for (const std::int32_t value : values) i32(value);
}

void ImageWriter::f64s(const std::vector<double>& values) {
  count(values.size());
  for (const double value : values) f64(value);
}

void ImageWriter::levels(const std::vector<std::uint8_t>& values, int cell_bits) {
  if (cell_bits < 1 || cell_bits > 8 || (all_bits(values.data(), values.size()) >> cell_bits) != 0)
    throw std::invalid_argument("levels wider than cells of " + std::to_string(cell_bits) + " bits (1 to 8)");
  const int bits = packed_bits(cell_bits);
  const std::size_t first = bytes_.size();
  bytes_.resize(first + packed_bytes(values.size(), bits));
  pack_levels(values.data(), values.size(), bits, bytes_.data() + first);
}

void ImageWriter::levels(const PackedLevels& packed) {
  const auto first = packed.image->begin() + std::ptrdiff_t(packed.at);
  bytes_.insert(bytes_.end(), first, first + std::ptrdiff_t(packed_bytes(packed.cells, packed.bits)));
}

void ImageReader::refuse(const std::string& problem, const std::string& allowed) {
  throw InputError("program image", 0, 0, problem, allowed);
}

const std::uint8_t* ImageReader::take(std::size_t bytes) {
  if (bytes > left_) refuse("ends in the middle of a value");
  const std::uint8_t* here = next_;
  next_ += bytes;
  left_ -= bytes;
  return here;
}

std::uint64_t ImageReader::unsigned_value(int bytes) {
  const std::uint8_t* from = take(std::size_t(bytes));
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= std::uint64_t(from[i]) << (8 * i);
  return value;
}

double ImageReader::f64() {
  const std::uint64_t bits = u64();
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

bool ImageReader::boolean() {
  const std::uint8_t value = u8();
  if (value > 1) refuse("holds a truth value of " + std::to_string(value), "0 or 1");
  return value == 1;
}

std::size_t ImageReader::count(std::size_t bytes_each) {
  const std::size_t elements = u32();
  if (elements > left_ / bytes_each)
    refuse("announces " + std::to_string(elements) + " elements, more than its length holds");
  return elements;
}

std::string ImageReader::text() {
  const std::size_t length = count(1);
  const std::uint8_t* from = take(length);
  return std::string(from, from + length);
}

std::vector<std::int32_t> ImageReader::i32s() {
  std::vector<std::int32_t> values(count(4));
  for (std::int32_t& value : values) value = i32();
  return values;
}

std::vector<double> ImageReader::f64s() {
  std::vector<double> values(count(8));
  for (double& value : values) value = f64();
  return values;
}

PackedLevels ImageReader::packed_levels(std::size_t cells, int cell_bits) {
  if (cell_bits < 1 || cell_bits > 8) refuse("cells of " + std::to_string(cell_bits) + " bits", "1 to 8");
  const int bits = packed_bits(cell_bits);
  const std::size_t size = packed_bytes(cells, bits);
  const std::uint8_t* from = take(size);
  const std::size_t rest = cells % std::size_t(8 / bits);
  if (rest != 0 && unsigned(from[size - 1]) >> (rest * std::size_t(bits)) != 0) refuse("has bits after its last cell");
  unsigned above = 0;  // bits of a byte that no level may use
  for (int bit = 0; bit < 8; ++bit) above |= bit % bits >= cell_bits ? 1u << bit : 0u;
  if ((all_bits(from, size) & above) != 0)
    refuse("has a level above its cells' " + std::to_string(cell_bits) + " bits");
  return {image_, std::size_t(from - begin_), cells, bits};
}

std::vector<std::uint8_t> ImageReader::levels(std::size_t cells, int cell_bits) {
  const PackedLevels packed = packed_levels(cells, cell_bits);
  std::vector<std::uint8_t> values(cells);
  unpack_levels(begin_ + packed.at, 0, cells, packed.bits, values.data());
  return values;
}

}  // namespace mho::mapping
