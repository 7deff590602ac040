// SPDX-License-Identifier: Apache-2.0
// Ranges of the model, and seeds by the finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
#include "models/arithmetic/noise.h"

#include <sstream>
#include <stdexcept>

namespace mho::arithmetic {
namespace {

void check(const char* key, double value, double most) {
  if (value >= 0.0 && value <= most) return;  // not a number fails both
  std::ostringstream message;
  message << "noise." << key << " is " << value << " (0 to " << most << ")";
  throw std::invalid_argument(message.str());
}

/// A permutation of 64 bits: each bit of the result depends on all.
std::uint64_t finalise(std::uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

}  // namespace

void validate(const NoiseModel& model) {
  check("conductance_spread", model.conductance_spread, 1.0);
  check("read_noise", model.read_noise, 1000.0);
  check("proportional_noise", model.proportional_noise, 10.0);
  check("stuck_off", model.stuck_off, 1.0);
  check("stuck_on", model.stuck_on, 1.0);
  if (model.stuck_off + model.stuck_on > 1.0)
    throw std::invalid_argument("noise.stuck_on and noise.stuck_off together are more than all devices (up to 1)");
}

std::uint64_t mix(std::uint64_t seed, std::uint64_t number) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15u;  // odd, so that numbers stay apart
  return finalise(finalise(seed + kGolden) + (number + 1) * kGolden);
}

}  // namespace mho::arithmetic
