// SPDX-License-Identifier: Apache-2.0
// Where column sums are handed to whoever wants to look at them, as they stand when a converter is about to take them.
// Off is a null pointer and one test of it a batch. Exact products have no column sums, so nobody is told about them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mho::observe {

/// Sums of some vectors and input slices on the columns of one row block: sums[vectors][slices][stride], where element
/// `columns` of a slice is the unit column. Column c belongs to weight slice c modulo `weight_slices`. Input slices are
/// those that convert every column, speculating ones among them; what is read again is left out.
struct ColumnSums {
  int node = -1;                       ///< of the network, -1: none
  const std::int16_t* sums = nullptr;  ///< valid during the call
  std::size_t vectors = 1;
  std::size_t slices = 1;       ///< input slices in `sums`
  std::size_t first_slice = 0;  ///< the first of them
  std::size_t columns = 0;      ///< that hold weights
  std::size_t stride = 0;
  std::size_t weight_slices = 1;
  std::size_t unit_columns = 1;  ///< converted, one a crossbar; 0 where inputs are added up digitally
};

class ColumnSumRecorder {
 public:
  virtual ~ColumnSumRecorder() = default;
  virtual void record(const ColumnSums& sums) = 0;
};

}  // namespace mho::observe
