// SPDX-License-Identifier: Apache-2.0
// Numbers, texts and packed levels of a program image.
#include "models/mapping/image_stream.h"

#include <cstring>
#include <limits>
#include <stdexcept>

#include "models/input_error.h"

namespace mho::mapping {
namespace {

static_assert(std::numeric_limits<double>::is_iec559, "images hold IEEE 754 doubles");

std::size_t packed_bytes(std::size_t cells, int bits) {
  const std::size_t per_byte = std::size_t(8 / bits);
  return cells / per_byte + (cells % per_byte != 0 ? 1 : 0);
}

/// The first cell of a byte stands in its lowest bits. The width is a template parameter because this loop sees every
/// cell of the machine.
template <int kBits>
void pack(const std::uint8_t* levels, std::size_t cells, std::uint8_t* out) {
  constexpr std::size_t kPerByte = 8 / kBits;
  for (; cells >= kPerByte; cells -= kPerByte, levels += kPerByte, ++out) {
    unsigned byte = 0;
    for (std::size_t i = 0; i < kPerByte; ++i) byte |= unsigned(levels[i]) << (i * kBits);
    *out = std::uint8_t(byte);
  }
  for (std::size_t i = 0; i < cells; ++i) *out = std::uint8_t(*out | levels[i] << (i * kBits));
}

template <int kBits>
void unpack(const std::uint8_t* bytes, std::size_t cells, std::uint8_t* out) {
  constexpr std::size_t kPerByte = 8 / kBits;
  constexpr unsigned kMask = (1u << kBits) - 1u;
  for (; cells >= kPerByte; cells -= kPerByte, ++bytes, out += kPerByte)
    for (std::size_t i = 0; i < kPerByte; ++i) out[i] = std::uint8_t(unsigned(*bytes) >> (i * kBits) & kMask);
  for (std::size_t i = 0; i < cells; ++i) out[i] = std::uint8_t(unsigned(*bytes) >> (i * kBits) & kMask);
}

unsigned all_bits(const std::vector<std::uint8_t>& levels) {
  unsigned bits = 0;
  for (const std::uint8_t level : levels) bits |= level;
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
  if (cell_bits < 1 || cell_bits > 8 || (all_bits(values) >> cell_bits) != 0)
    throw std::invalid_argument("levels wider than cells of " + std::to_string(cell_bits) + " bits (1 to 8)");
  const int bits = packed_bits(cell_bits);
  const std::size_t first = bytes_.size();
  bytes_.resize(first + packed_bytes(values.size(), bits));
  std::uint8_t* out = bytes_.data() + first;
  if (bits == 1)
    pack<1>(values.data(), values.size(), out);
  else if (bits == 2)
    pack<2>(values.data(), values.size(), out);
  else if (bits == 4)
    pack<4>(values.data(), values.size(), out);
  else
    pack<8>(values.data(), values.size(), out);
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

std::vector<std::uint8_t> ImageReader::levels(std::size_t cells, int cell_bits) {
  if (cell_bits < 1 || cell_bits > 8) refuse("cells of " + std::to_string(cell_bits) + " bits", "1 to 8");
  const int bits = packed_bits(cell_bits);
  const std::size_t size = packed_bytes(cells, bits);
  const std::uint8_t* from = take(size);
  std::vector<std::uint8_t> values(cells);
  if (bits == 1)
    unpack<1>(from, cells, values.data());
  else if (bits == 2)
    unpack<2>(from, cells, values.data());
  else if (bits == 4)
    unpack<4>(from, cells, values.data());
  else
    unpack<8>(from, cells, values.data());
  const std::size_t rest = cells % std::size_t(8 / bits);
  if (rest != 0 && unsigned(from[size - 1]) >> (rest * std::size_t(bits)) != 0) refuse("has bits after its last cell");
  if ((all_bits(values) >> cell_bits) != 0)
    refuse("has a level above its cells' " + std::to_string(cell_bits) + " bits");
  return values;
}

}  // namespace mho::mapping
