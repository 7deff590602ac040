// SPDX-License-Identifier: Apache-2.0
// Biased unsigned weights, plain or with columns flipped (ISAAC, ISCA 2016, section V).
#include "models/arithmetic/encoding.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "models/arithmetic/level_sums.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// A row of weights, `step` apart, to slices in neighbouring columns: levels[filter][slice].
MHO_VECTORISED
void cut_row(const std::int32_t* __restrict weights, std::size_t step, const std::int32_t* __restrict offsets,
             std::size_t filters, const Slicing& slicing, std::uint8_t* __restrict levels) {
  const auto columns = std::size_t(slicing.count());
  std::uint32_t shifts[16], masks[16];
  for (std::size_t k = 0; k < columns; ++k) {
    shifts[k] = std::uint32_t(slicing.shift(int(k)));
    masks[k] = (1u << slicing.width(int(k))) - 1u;
  }
  for (std::size_t f = 0; f < filters; ++f, levels += columns) {
    const auto offset = std::uint32_t(weights[f * step]) + std::uint32_t(offsets[f]);
    for (std::size_t k = 0; k < columns; ++k) levels[k] = std::uint8_t((offset >> shifts[k]) & masks[k]);
  }
}

MHO_VECTORISED
void turn_bits(const std::uint8_t* __restrict mask, std::size_t count, std::uint8_t* __restrict levels) {
  for (std::size_t c = 0; c < count; ++c) levels[c] = std::uint8_t(levels[c] ^ mask[c]);
}

void check_sizes(std::size_t weights, int rows, int filters, std::size_t offsets) {
  if (rows < 1 || filters < 1 || weights != std::size_t(rows) * std::size_t(filters) || offsets != std::size_t(filters))
    throw std::invalid_argument("a block of " + std::to_string(rows) + " rows and " + std::to_string(filters) +
                                " filters given " + std::to_string(weights) + " weights and " +
                                std::to_string(offsets) + " offsets");
}

void check_fit(const std::vector<std::int32_t>& weights, int rows, const std::vector<std::int32_t>& offsets, int bits) {
  auto first = weights.begin();
  for (std::size_t f = 0; f < offsets.size(); ++f, first += rows) {
    const auto [least, greatest] = std::minmax_element(first, first + rows);
    const std::int64_t offset = offsets[f];
    if (*least + offset >= 0 && *greatest + offset < std::int64_t{1} << bits) continue;
    const auto wrong = *least + offset < 0 ? least : greatest;
    throw std::invalid_argument("weight " + std::to_string(*wrong) + " of filter " + std::to_string(f) + ", row " +
                                std::to_string(wrong - first) + ", offset by " + std::to_string(offset) +
                                ", does not fit " + std::to_string(bits) + " bits");
  }
}

EncodedBlock empty_block(int rows, int filters, const Slicing& slicing) {
  EncodedBlock block;
  block.rows = rows;
  block.filters = filters;
  block.cell_bits = slicing.widest();
  block.recombination.columns_per_filter = slicing.count();
  block.recombination.coefficient.reserve(std::size_t(block.columns()));
  for (int filter = 0; filter < filters; ++filter)
    for (int k = 0; k < slicing.count(); ++k)
      block.recombination.coefficient.push_back(std::int32_t{1} << slicing.shift(k));
  block.levels.resize(std::size_t(rows) * std::size_t(block.columns()));
  return block;
}

/// Both encodings: flipping is a pass over the columns of biased weights.
class BiasedEncoding : public WeightEncoding {
 public:
  BiasedEncoding(Slicing slicing, std::optional<std::int64_t> flip_at)
      : slicing_(std::move(slicing)), flip_at_(flip_at) {}

  EncodedBlock encode(const std::vector<std::int32_t>& weights, int rows, int filters) const override {
    const std::int32_t bias = std::int32_t{1} << (slicing_.bits() - 1);
    EncodedBlock block = encode_offset(weights, rows, filters, slicing_,
                                       std::vector<std::int32_t>(std::size_t(std::max(filters, 0)), bias));
    if (flip_at_) flip_columns(block, slicing_, *flip_at_);
    return block;
  }
  int adc_bits_saved() const override { return flip_at_ ? 1 : 0; }

 private:
  Slicing slicing_;
  std::optional<std::int64_t> flip_at_;
};

int log2_rounded_up(int value) {
  int bits = 0;
  while ((std::int64_t{1} << bits) < value) ++bits;
  return bits;
}

}  // namespace

std::unique_ptr<WeightEncoding> make_biased_encoding(const Slicing& weight_slicing) {
  return std::make_unique<BiasedEncoding>(weight_slicing, std::nullopt);
}

std::unique_ptr<WeightEncoding> make_flip_encoding(const Slicing& weight_slicing, std::int64_t flip_at) {
  if (flip_at < 1)
    throw std::invalid_argument("columns flipped at a sum of " + std::to_string(flip_at) + " (1 or more)");
  return std::make_unique<BiasedEncoding>(weight_slicing, flip_at);
}

EncodedBlock encode_offset(const std::vector<std::int32_t>& weights, int rows, int filters, const Slicing& slicing,
                           const std::vector<std::int32_t>& offsets) {
  check_sizes(weights.size(), rows, filters, offsets.size());
  check_fit(weights, rows, offsets, slicing.bits());
  EncodedBlock block = empty_block(rows, filters, slicing);
  // Row by row, as levels are stored; a cache line of weights serves sixteen rows of its filter.
  std::uint8_t* levels = block.levels.data();
  for (std::size_t row = 0; row < std::size_t(rows); ++row, levels += block.columns())
    cut_row(weights.data() + row, std::size_t(rows), offsets.data(), std::size_t(filters), slicing, levels);
  for (const std::int32_t offset : offsets) block.recombination.unit_coefficient.push_back(-offset);
  return block;
}

/// sum(x level) = (2^w - 1) sum(x) - sum(x (2^w - 1 - level)), and sum(x) is read from the unit column.
void flip_columns(EncodedBlock& block, const Slicing& slicing, std::int64_t flip_at) {
  const auto columns = std::size_t(block.columns());
  std::vector<std::uint32_t> sums(columns);
  for (std::size_t i = 0; i < block.levels.size(); i += columns) add_row(block.levels.data() + i, columns, sums.data());
  std::vector<std::uint8_t> mask(columns);  // 2^w - 1 - level is level with all its bits turned
  for (std::size_t c = 0; c < columns; ++c) {
    if (sums[c] < flip_at) continue;
    const int top = (1 << slicing.width(int(c) % slicing.count())) - 1;
    std::int32_t& coefficient = block.recombination.coefficient[c];
    block.recombination.unit_coefficient[c / std::size_t(slicing.count())] += top * coefficient;
    coefficient = -coefficient;
    mask[c] = std::uint8_t(top);
  }
  for (std::size_t i = 0; i < block.levels.size(); i += columns)
    turn_bits(mask.data(), columns, block.levels.data() + i);
}

int lossless_adc_bits(int rows, int dac_bits, int cell_bits) {
  if (rows < 1 || dac_bits < 1 || cell_bits < 1)
    throw std::invalid_argument("ADC bits of a crossbar need rows, DAC bits and cell bits of 1 or more");
  const int both = dac_bits + cell_bits;
  return log2_rounded_up(rows) + (dac_bits > 1 && cell_bits > 1 ? both : both - 1);
}

}  // namespace mho::arithmetic
