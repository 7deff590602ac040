// SPDX-License-Identifier: Apache-2.0
// The whole command line of mho with one weight encoding more: weights are stored above the smallest of their filter
// instead of above the smallest of their type, and columns of high levels are complemented. Sums become smaller, so
// that a converter of fewer bits is enough.
#include <algorithm>
#include <systemc>

#include "models/mapping/policies.h"
#include "platforms/program/run_main.h"

using namespace mho;

struct Smallest : arithmetic::WeightEncoding {
  arithmetic::Slicing slicing;
  double flip_mean;
  Smallest(const mapping::Machine& machine, const mapping::PolicyValues& values)
      : slicing(machine.weight_slicing), flip_mean(values.at("flip_mean")) {}

  arithmetic::EncodedBlock encode(const std::vector<std::int32_t>& weights, int rows, int filters) const override {
    std::vector<std::int32_t> offsets;
    for (auto filter = weights.begin(); filter != weights.end(); filter += rows)
      offsets.push_back(-*std::min_element(filter, filter + rows));
    arithmetic::EncodedBlock block = arithmetic::encode_offset(weights, rows, filters, slicing, offsets);
    arithmetic::flip_columns(block, slicing, std::int64_t(flip_mean * rows));
    return block;
  }
};

int sc_main(int argc, char** argv) {
  mapping::Policies policies;
  policies.register_policy(mapping::EncodingPolicy{
      "smallest",
      "above the smallest weight of each filter, columns of high levels complemented",
      [](const auto& machine, const auto& values) { return std::make_unique<Smallest>(machine, values); },
      {{"flip_mean", "mean level from which on a column is complemented", 1.5, 0, 255, false}}});
  return run_main(argc, argv, MHO_SCENARIOS_DIR, policies);
}

int main(int argc, char** argv) { return sc_main(argc, argv); }
