// SPDX-License-Identifier: Apache-2.0
// The largest single allocation since a point in a test. Under AddressSanitizer, which brings its own operators, it
// sees nothing.
#pragma once

#include <cstddef>

namespace mho::mapping {

class AllocationWatch {
 public:
  /// Starts over.
  AllocationWatch();
  /// Bytes.
  std::size_t largest() const;
};

}  // namespace mho::mapping
