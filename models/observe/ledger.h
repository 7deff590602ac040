// SPDX-License-Identifier: Apache-2.0
// What the modules of a machine did, counted by action and by the node of the network that caused it. Energy is
// counts times energy per action, done when a report is written, so a recorded run can be costed again.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mho::observe {

/// Everything that a module counts. `describe` gives name, meaning and unit of each.
enum class Action : std::uint8_t {
  kVectors,
  kArrayCycles,
  kRowDrives,
  kRowPulses,
  kCurrentLevelPulses,
  kCellPulses,
  kSpareCellPulses,
  kSpareLevelPulses,
  kInputCodesRead,
  kColumnReads,
  kConversions,
  kUnitConversions,
  kSpeculations,
  kSpeculationFailures,
  kRecoveryConversions,
  kSaturations,
  kOutOfRange,
  kShiftAdds,
  kOffsetCorrections,
  kEdramLinesRead,
  kEdramLinesWritten,
  kBusBits,
  kRouterFlits,
  kHyperTransportBits,
  kTileShiftAdds,
  kFunctionOutputs,
  kPoolInputs,
  kFunctionProducts,
  kMemoryBytesRead,
  kMemoryBytesWritten,
  kCellWriteSteps,
  kCellsWritten,
  kRowsWritten,
  kSpilledBytes,
  kCount
};
constexpr std::size_t kActions = std::size_t(Action::kCount);

struct ActionDescription {
  const char* name;  ///< as in summaries and technology tables: `adc_conversions`
  const char* description;
  const char* unit;
};
const ActionDescription& describe(Action action);

/// Counts of one node, or of the machine.
struct Counts {
  std::array<std::uint64_t, kActions> values{};
  std::uint64_t& operator[](Action action) { return values[std::size_t(action)]; }
  std::uint64_t operator[](Action action) const { return values[std::size_t(action)]; }
  Counts& operator+=(const Counts& other);
};

/// One row of counts a node of the network, plus one for what no node caused (programming has a ledger of its own).
class Ledger {
 public:
  void resize(std::size_t nodes) { rows_.assign(nodes + 1, Counts{}); }
  /// `node` = -1 is the row of the machine itself. A node out of range is charged to the machine.
  Counts& of(int node) {
    const std::size_t row = std::size_t(node + 1);
    return rows_[row < rows_.size() ? row : 0];
  }
  const Counts& of(int node) const { return const_cast<Ledger*>(this)->of(node); }
  Counts total() const;
  std::size_t nodes() const { return rows_.size() - 1; }

 private:
  std::vector<Counts> rows_ = std::vector<Counts>(1);
};

}  // namespace mho::observe
