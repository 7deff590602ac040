// SPDX-License-Identifier: Apache-2.0
// What is still real in a network.
#include "models/dnn/quantisation/float_network.h"

#include <algorithm>

namespace mho::dnn {

bool is_quantised(const FloatNetwork& network) {
  return std::all_of(network.quantised.begin(), network.quantised.end(), [](bool known) { return known; }) &&
         std::all_of(network.real_weights.begin(), network.real_weights.end(),
                     [](const RealWeights& weights) { return weights.values.empty(); });
}

}  // namespace mho::dnn
