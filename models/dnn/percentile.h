// SPDX-License-Identifier: Apache-2.0
// One element of a sorted sample without sorting it.
#pragma once

#include <vector>

namespace mho::dnn {

/// The value below which a share of `values` (one or more, none negative) lies; `share` from 0 to 1.
float percentile_of(const std::vector<float>& values, double share);

}  // namespace mho::dnn
