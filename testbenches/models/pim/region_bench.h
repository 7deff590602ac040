// SPDX-License-Identifier: Apache-2.0
// A crossbar_tile with what stands around it, and random row blocks to program into it. Golden values are naive loops
// over weights and levels that share nothing with the models.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "models/pim/crossbar_tile.h"
#include "models/pim/shared_adc.h"
#include "models/pim/shift_add_unit.h"
#include "models/pim/weight_writer.h"
#include "testbenches/models/pim/batch_links.h"
#include "testbenches/models/tlm/test_initiator.h"

namespace mho::testbenches {

/// A block of weights and how it is stored.
struct RegionData {
  int rows = 0, filters = 0;
  std::vector<std::int32_t> weights;  ///< [filter][row]
  std::vector<std::uint8_t> levels;   ///< [row][column]
  pim::RegionSetup setup;

  int columns() const { return filters * setup.recombination.columns_per_filter; }
  std::uint8_t level(int row, int column) const { return levels[std::size_t(row * columns() + column)]; }
};

/// Random 8-bit weights, biased by 128 and cut into four 2-bit cells by hand: column k of a filter holds bits 7 - 2k
/// and 6 - 2k of w + 128. Crossbars have `columns_per_crossbar` columns that hold weights.
RegionData random_region(unsigned seed, int rows, int filters, int first_crossbar, int columns_per_crossbar);

/// Codes of a batch, [count][rows].
std::vector<std::uint8_t> random_codes(unsigned seed, int count, int rows);

/// sum over rows of weight * code (uint8, or int8 where the region's stream is signed).
std::int32_t dot(const RegionData& region, const std::uint8_t* codes, int filter);

/// Sum over rows of bit * level of column `column` in input slice `slice` (0 is the most significant bit of 8); the
/// unit column where `column` is the column count.
int column_sum(const RegionData& region, const std::uint8_t* codes, int column, int slice);

/// A batch of codes ready for a crossbar_tile: the extension and the data array that belongs to it.
struct BatchOfCodes {
  BatchOfCodes(const RegionData& region, const std::vector<std::uint8_t>& codes, bool exact);
  pim::Batch batch;
  std::vector<std::uint8_t> bytes;
  std::int32_t psum(int window, int filter) const;
};

/// `cells` of the bench's crossbars: 4 crossbars of 16 rows and 8 columns, 2-bit cells, 100 ns a cycle.
mapping::CrossbarTileConfig small_crossbars();

/// A crossbar_tile alone.
struct TileBench {
  explicit TileBench(const mapping::CrossbarTileConfig& config = small_crossbars());
  /// Prepares a region and writes its levels through `cells`, row by row; returns the response of the setup.
  tlm::tlm_response_status program(RegionData& region);
  std::uint64_t cell_address(int crossbar, int row, int column) const;

  mapping::CrossbarTileConfig config;
  observe::Ledger ledger;
  pim::WeightStore store;
  pim::CrossbarTile tile;
  BatchSource input, setup;
  BatchSink sink;
  TestInitiator<> cells;
};

/// Crossbars, converter, shift-and-add unit and writer as a machine has them.
struct GroupBench {
  explicit GroupBench(const mapping::AdcConfig& adc, const mapping::WriterConfig& writer = {},
                      const mapping::CrossbarTileConfig& crossbars = small_crossbars());
  tlm::tlm_response_status program(RegionData& region, pim::Pipeline* pipeline = nullptr);
  /// Debug access to one cell.
  std::uint8_t level(std::uint64_t address);
  void set_level(std::uint64_t address, std::uint8_t level);

  mapping::CrossbarTileConfig config;
  observe::Ledger ledger, programming;
  pim::WeightStore store;
  pim::CrossbarTile tile;
  pim::SharedAdc adc;
  pim::ShiftAddUnit shift_add;
  pim::WeightWriter writer;
  BatchSource input, programmer;
  BatchSink sink;
};

}  // namespace mho::testbenches
