// SPDX-License-Identifier: Apache-2.0
// Offsets from centres, cut into signed slices.
#include "models/arithmetic/centre_offset.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "models/arithmetic/centre_search.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// A row of weights, `step` apart, to levels[filter][slice]; to_offset[f] = kCodeOfZero - centre.
MHO_VECTORISED
void cut_row(const std::int32_t* __restrict weights, std::size_t step, const std::int32_t* __restrict to_offset,
             std::size_t filters, const Slicing& slicing, std::uint8_t* __restrict levels) {
  const auto columns = std::size_t(slicing.count());
  std::int32_t shifts[16], widths[16];
  for (std::size_t k = 0; k < columns; ++k) shifts[k] = slicing.shift(int(k)), widths[k] = slicing.width(int(k));
  for (std::size_t f = 0; f < filters; ++f, levels += columns) {
    const std::int32_t offset = weights[f * step] + to_offset[f];
    for (std::size_t k = 0; k < columns; ++k)
      levels[k] = std::uint8_t(std::int8_t(slice_of_offset(offset, shifts[k], widths[k])));
  }
}

void check(const std::vector<std::int32_t>& weights, int rows, int filters, const Slicing& slicing) {
  if (slicing.bits() != 8 || slicing.widest() > 7)
    throw std::invalid_argument("offsets of 8-bit weights in slices of " + std::to_string(slicing.bits()) +
                                " bits in all, the widest of " + std::to_string(slicing.widest()) +
                                " (8 bits in slices of 1 to 7)");
  if (rows < 1 || filters < 1 || weights.size() != std::size_t(rows) * std::size_t(filters))
    throw std::invalid_argument("a block of " + std::to_string(rows) + " rows and " + std::to_string(filters) +
                                " filters given " + std::to_string(weights.size()) + " weights");
  const auto [least, greatest] = std::minmax_element(weights.begin(), weights.end());
  if (*least >= -kCodeOfZero && *greatest < kCodeOfZero) return;
  const auto wrong = *least < -kCodeOfZero ? least : greatest;
  throw std::invalid_argument("weight " + std::to_string(*wrong) + " of filter " +
                              std::to_string((wrong - weights.begin()) / rows) + ", row " +
                              std::to_string((wrong - weights.begin()) % rows) + ", does not fit 8 bits");
}

/// Both encodings: what differs is where centres come from.
class CentredEncoding : public WeightEncoding {
 public:
  CentredEncoding(Slicing slicing, bool searches) : slicing_(std::move(slicing)), searches_(searches) {}

  EncodedBlock encode(const std::vector<std::int32_t>& weights, int rows, int filters) const override {
    check(weights, rows, filters, slicing_);
    std::vector<int> centres(std::size_t(filters), kCodeOfZero);
    for (std::size_t f = 0; searches_ && f < centres.size(); ++f)
      centres[f] = CentreSearch(weights.data() + f * std::size_t(rows), rows).centre(slicing_);
    return encode_centred(weights, rows, filters, slicing_, centres);
  }

 private:
  Slicing slicing_;
  bool searches_;
};

std::unique_ptr<WeightEncoding> make_encoding(const Slicing& slicing, bool searches) {
  check({0}, 1, 1, slicing);
  return std::make_unique<CentredEncoding>(slicing, searches);
}

}  // namespace

std::unique_ptr<WeightEncoding> make_centre_offset_encoding(const Slicing& weight_slicing) {
  return make_encoding(weight_slicing, true);
}

std::unique_ptr<WeightEncoding> make_zero_offset_encoding(const Slicing& weight_slicing) {
  return make_encoding(weight_slicing, false);
}

EncodedBlock encode_centred(const std::vector<std::int32_t>& weights, int rows, int filters, const Slicing& slicing,
                            const std::vector<int>& centres) {
  check(weights, rows, filters, slicing);
  if (centres.size() != std::size_t(filters))
    throw std::invalid_argument("a block of " + std::to_string(filters) + " filters given " +
                                std::to_string(centres.size()) + " centres");
  EncodedBlock block;
  block.rows = rows, block.filters = filters;
  block.cell_bits = slicing.widest();
  block.paired = true;
  Recombination& rule = block.recombination;
  rule.columns_per_filter = slicing.count();
  rule.digital_unit = true;
  std::vector<std::int32_t> to_offset;
  for (const int centre : centres) {
    if (centre < kLowestCentre || centre > kHighestCentre)
      throw std::invalid_argument("a centre of " + std::to_string(centre) + " (1 to 255)");
    for (int k = 0; k < slicing.count(); ++k) rule.coefficient.push_back(std::int32_t{1} << slicing.shift(k));
    rule.unit_coefficient.push_back(centre - kCodeOfZero);
    to_offset.push_back(kCodeOfZero - centre);
  }
  block.levels.resize(std::size_t(rows) * std::size_t(block.columns()));
  std::uint8_t* levels = block.levels.data();
  for (std::size_t row = 0; row < std::size_t(rows); ++row, levels += block.columns())
    cut_row(weights.data() + row, std::size_t(rows), to_offset.data(), std::size_t(filters), slicing, levels);
  return block;
}

}  // namespace mho::arithmetic
