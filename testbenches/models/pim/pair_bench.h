// SPDX-License-Identifier: Apache-2.0
// Row blocks in pairs of devices, cut into slices of 4, 2 and 2 bits, and what RAELLA's converters make of them, by
// naive loops over codes and levels that share nothing with the models: plain or speculating, in one pass or two.
#pragma once

#include <cstdint>
#include <vector>

#include "models/pim/link_ends.h"
#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/models/pim/region_bench.h"

namespace mho::testbenches {

/// Slices of one bit; speculation in 4, 2 and 2; signed codes in two passes.
arithmetic::InputStream pair_stream(bool speculates, bool is_signed = false);

/// Crossbars of 2T2R cells with devices of 4 bits.
mapping::CrossbarTileConfig pair_crossbars(int crossbars = 4, int rows = 16, int columns = 12);

/// Random offsets from random centres, with their sign in slices of 4, 2 and 2 bits (coefficients 16, 4, 1).
RegionData pair_region(unsigned seed, int rows, int filters, int first_crossbar, int columns_per_crossbar,
                       const arithmetic::InputStream& stream);

/// What converting some vectors gives.
struct NaiveConversion {
  std::vector<std::int32_t> psums;  ///< [vector][filter]
  std::uint64_t conversions = 0, speculations = 0, failures = 0, recoveries = 0, saturations = 0, out_of_range = 0;
  std::uint64_t shift_adds = 0;
  /// [vector][whole cycle]: failed columns.
  std::vector<std::vector<int>> failed;
};
/// `codes`[vector][row], converted to `lowest` .. `highest`.
NaiveConversion convert_naively(const RegionData& region, const std::vector<std::uint8_t>& codes, int lowest,
                                int highest);

/// Fails where a ledger's row has other counts of conversion, or other additions.
void check_counts(const observe::Counts& counts, const NaiveConversion& expected);

/// Writer, crossbars, converters and shift-and-add unit between a source and a sink; everything is recorded. Several
/// can stand side by side.
struct PairChain : sc_core::sc_module {
  PairChain(sc_core::sc_module_name name, const mapping::AdcConfig& adc,
            const mapping::CrossbarTileConfig& crossbars = pair_crossbars(),
            observe::ColumnSumRecorder* column_sums = nullptr);
  void program(RegionData& region);
  /// Approximately timed, vectors one after the other, counted for node 1; returns when all are through.
  void send(const RegionData& region, const std::vector<std::uint8_t>& codes);
  /// Loosely timed, one batch, counted for node 2; returns its psums.
  std::vector<std::int32_t> call(const RegionData& region, const std::vector<std::uint8_t>& codes, bool exact = false);
  /// Records of the lane of one crossbar, by begin.
  std::vector<observe::Occupation> of(observe::Kind kind, int lane = 0) const;

  mapping::CrossbarTileConfig config;
  observe::Ledger ledger, programming;
  Records records;
  pim::WeightStore store;
  std::vector<std::int32_t> psums;  ///< of all vectors that were sent
  pim::Pipeline pipeline;           ///< of the batch called last
  sc_core::sc_time delay;           ///< after which its psums were there
  tlm::tlm_response_status response = tlm::TLM_INCOMPLETE_RESPONSE;
  pim::CrossbarTile crossbars;
  pim::SharedAdc adc;
  pim::ShiftAddUnit shift_add;
  pim::WeightWriter writer;
  pim::BatchSource programmer, inputs;
  pim::PsumSink outputs;
};

/// Signed, of this many bits.
mapping::AdcConfig signed_adc(int bits, int converters = 4);

}  // namespace mho::testbenches
