// SPDX-License-Identifier: Apache-2.0
// Bit slices of windows are driven in the order of their pulses, so that those which cannot make a column leave the
// converter's range stand at the end and are never multiplied. All sums are exact integers.
#include "models/mapping/slicing_search_layer.h"

#include <algorithm>

#include "models/arithmetic/input_stream.h"
#include "models/arithmetic/int8_matmul.h"
#include "models/arithmetic/integer_product.h"
#include "models/arithmetic/vectorised.h"
#include "models/mapping/encode_blocks.h"

namespace mho::mapping {
namespace {

/// Filters that are tried at once: enough columns for a fast product, few enough that its sums stay in the cache and
/// that a hopeless slicing is given up early.
constexpr int kMostFilters = 64, kFewestFilters = 16, kPartsAimedAt = 8;
constexpr int kTileRows = 256;  ///< drives of one product

MHO_VECTORISED
void bits_of(const std::uint8_t* __restrict magnitudes, std::size_t count, int shift, std::uint8_t* __restrict bits) {
  for (std::size_t i = 0; i < count; ++i) bits[i] = std::uint8_t((magnitudes[i] >> shift) & 1);
}

MHO_VECTORISED
std::int32_t pulses_of(const std::uint8_t* __restrict magnitudes, std::size_t count, int shift) {
  std::int32_t pulses = 0;
  for (std::size_t i = 0; i < count; ++i) pulses += (magnitudes[i] >> shift) & 1;
  return pulses;
}

/// change += (clipped sum - sum) * coefficient * weight, modulo 2^32.
MHO_VECTORISED
void add_clipped(const std::int32_t* __restrict sums, std::size_t count, std::int32_t lowest, std::int32_t highest,
                 const std::int32_t* __restrict coefficients, std::int32_t weight, std::uint32_t* __restrict change) {
  for (std::size_t c = 0; c < count; ++c) {
    const std::int32_t sum = sums[c], raised = sum < lowest ? lowest : sum;
    const std::int32_t clipped = raised > highest ? highest : raised;
    change[c] += std::uint32_t(clipped - sum) * std::uint32_t(coefficients[c]) * std::uint32_t(weight);
  }
}

/// Codes and zero point ordered as unsigned numbers: `flip` is the sign bit of signed ones.
MHO_VECTORISED
std::uint64_t deviation(const std::uint8_t* __restrict codes, const std::uint8_t* __restrict exact, std::size_t count,
                        std::uint8_t zero, std::uint8_t flip) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int difference = int(codes[i] ^ flip) - int(exact[i] ^ flip);
    sum += std::uint64_t(exact[i] == zero ? 0 : difference < 0 ? -difference : difference);
  }
  return sum;
}

int rounded_up(int value, int grain) { return (value + grain - 1) / grain * grain; }

}  // namespace

LayerTrial::LayerTrial(const dnn::Graph& graph, const Machine& machine, const LayerSample& sample)
    : node_(graph.nodes[std::size_t(sample.node)]),
      sample_(sample),
      requantiser_(graph, node_),
      range_(arithmetic::AdcRange::of(machine.adc.bits, machine.adc.is_signed)),
      zero_point_(graph.output_of(node_).zero_point),
      signed_codes_(graph.output_of(node_).type == dnn::CodeType::kInt8),
      signed_inputs_(graph.input_of(node_).type == dnn::CodeType::kInt8) {
  arithmetic::InputStream stream;  // eight 1-bit slices
  stream.is_signed = signed_inputs_;
  stream.two_passes = signed_inputs_ && machine.signed_inputs == SignedInputs::kTwoPasses;
  for (const SampledBlock& block : sample.blocks) drives_.push_back(drives_of(block, stream));
  make_parts();
  for (Part& part : parts_) compute_exactly(part);
}

LayerTrial::BlockDrives LayerTrial::drives_of(const SampledBlock& block, const arithmetic::InputStream& stream) const {
  const auto rows = std::size_t(block.shape.rows);
  BlockDrives result;
  result.magnitudes = block.codes;
  if (stream.two_passes) {
    result.magnitudes.resize(2 * block.codes.size());
    for (std::size_t i = 0; i < block.codes.size(); ++i) {
      const int code = std::int8_t(block.codes[i]);
      result.magnitudes[i] = std::uint8_t(std::max(code, 0));
      result.magnitudes[block.codes.size() + i] = std::uint8_t(std::max(-code, 0));
    }
  }
  for (const arithmetic::InputCycle& cycle : stream.cycles())
    for (std::int32_t vector = 0; vector < sample_.vectors; ++vector) {
      Drive drive;
      drive.vector = vector, drive.weight = cycle.weight, drive.shift = cycle.shift;
      drive.magnitudes = std::uint32_t(vector + (cycle.negative ? sample_.vectors : 0));
      drive.pulses = pulses_of(result.magnitudes.data() + drive.magnitudes * rows, rows, cycle.shift);
      if (drive.pulses > 0) result.drives.push_back(drive);
    }
  std::stable_sort(result.drives.begin(), result.drives.end(),
                   [](const Drive& a, const Drive& b) { return a.pulses > b.pulses; });
  return result;
}

/// Blocks that hold the same filters, cut into parts of one window each.
void LayerTrial::make_parts() {
  const int windows = sample_.layout.expansion();
  for (std::size_t b = 0; b < sample_.blocks.size();) {
    const BlockShape& shape = sample_.blocks[b].shape;
    std::vector<int> blocks;
    for (; b < sample_.blocks.size() && sample_.blocks[b].shape.filter_first == shape.filter_first; ++b)
      blocks.push_back(int(b));
    const int filters = shape.filters / windows;
    const int size =
        std::clamp(rounded_up(filters / kPartsAimedAt, RiskyColumns::kGrain), kFewestFilters, kMostFilters);
    for (int window = 0; window < windows; ++window)
      for (int first = 0; first < filters; first += size)
        parts_.push_back({window,
                          shape.filter_first + first,
                          std::min(size, filters - first),
                          shape.filter_first + window * filters + first,
                          blocks,
                          {},
                          {}});
  }
}

void LayerTrial::compute_exactly(Part& part) {
  const std::size_t size = std::size_t(sample_.vectors) * std::size_t(part.count);
  part.psums.assign(size, 0);
  part.codes.resize(size);
  std::vector<std::int32_t> psums(size);
  for (const int b : part.blocks) {
    const SampledBlock& block = sample_.blocks[std::size_t(b)];
    const std::vector<std::int32_t> filters = weights(part, block.shape);
    const auto product = arithmetic::IntegerProduct::of_filters(
        std::vector<std::int8_t>(filters.begin(), filters.end()).data(), block.shape.rows, part.count);
    product.run(block.codes.data(), signed_inputs_, sample_.vectors, psums.data());
    for (std::size_t i = 0; i < size; ++i)
      part.psums[i] = std::int32_t(std::uint32_t(part.psums[i]) + std::uint32_t(psums[i]));
  }
  requantiser_.apply(part.psums.data(), sample_.vectors, part.first, part.count, part.codes.data(),
                     std::size_t(part.count));
  for (std::size_t v = 0; v < sample_.windows.size(); ++v)
    if (part.window >= sample_.windows[v])
      std::fill_n(part.codes.begin() + std::ptrdiff_t(v) * part.count, part.count, std::uint8_t(zero_point_));
  outputs_ += size - std::uint64_t(std::count(part.codes.begin(), part.codes.end(), std::uint8_t(zero_point_)));
}

std::vector<std::int32_t> LayerTrial::weights(const Part& part, const BlockShape& block) const {
  return weights_of(node_, sample_.layout, {block.row_first, part.copy, block.rows, part.count});
}

std::uint64_t LayerTrial::error(const arithmetic::WeightEncoding& encoding, int part_index) const {
  const Part& part = parts_[std::size_t(part_index)];
  std::vector<std::uint32_t> psums(part.psums.begin(), part.psums.end());
  bool changed = false;
  for (const int b : part.blocks) {
    const BlockShape& shape = sample_.blocks[std::size_t(b)].shape;
    const arithmetic::EncodedBlock encoded = encoding.encode(weights(part, shape), shape.rows, part.count);
    for (int slice = 0; slice < encoded.recombination.columns_per_filter; ++slice) {
      const BlockDrives& drives = drives_[std::size_t(b)];
      const RiskyColumns columns = columns_at_risk(encoded, slice, range_, drives.most_pulses());
      if (columns.filters.empty()) continue;
      multiply(columns, drives, std::size_t(part.count), psums);
      changed = true;
    }
  }
  if (!changed) return 0;
  const std::vector<std::int32_t> clipped(psums.begin(), psums.end());
  std::vector<std::uint8_t> codes(part.codes.size());
  requantiser_.apply(clipped.data(), sample_.vectors, part.first, part.count, codes.data(), std::size_t(part.count));
  return deviation(codes.data(), part.codes.data(), codes.size(), std::uint8_t(zero_point_), signed_codes_ ? 0x80 : 0);
}

/// Adds to psums[vector][filter] what clipping the sums of these columns changes.
void LayerTrial::multiply(const RiskyColumns& columns, const BlockDrives& drives, std::size_t filters,
                          std::vector<std::uint32_t>& psums) const {
  const auto rows = std::size_t(columns.rows), width = std::size_t(columns.width);
  const auto last = std::find_if(drives.drives.begin(), drives.drives.end(),
                                 [&](const Drive& drive) { return drive.pulses <= columns.safe_pulses; });
  const auto at_risk = std::size_t(last - drives.drives.begin());
  const std::size_t tile = std::min<std::size_t>(kTileRows, std::size_t(rounded_up(int(at_risk), 32)));
  const arithmetic::Int8Matmul matmul(columns.levels.data(), columns.rows, columns.width);
  std::vector<std::uint8_t> bits(tile * rows);
  std::vector<std::int32_t> sums(tile * width);
  std::vector<std::uint32_t> change(std::size_t(sample_.vectors) * width);
  for (std::size_t first = 0; first < at_risk; first += tile) {
    const std::size_t count = std::min(tile, at_risk - first);
    const Drive* drive = drives.drives.data() + first;
    for (std::size_t i = 0; i < count; ++i)
      bits_of(drives.magnitudes.data() + drive[i].magnitudes * rows, rows, drive[i].shift, bits.data() + i * rows);
    matmul.run(bits.data(), int(tile), sums.data());  // behind the last drive stand some that were done before
    for (std::size_t i = 0; i < count; ++i)
      add_clipped(sums.data() + i * width, width, range_.lowest, range_.highest, columns.coefficients.data(),
                  drive[i].weight, change.data() + std::size_t(drive[i].vector) * width);
  }
  for (std::size_t vector = 0; vector < std::size_t(sample_.vectors); ++vector)
    for (std::size_t c = 0; c < columns.filters.size(); ++c)
      psums[vector * filters + columns.filters[c]] += change[vector * width + c];
}

}  // namespace mho::mapping
