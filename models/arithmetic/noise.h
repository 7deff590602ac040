// SPDX-License-Identifier: Apache-2.0
// What makes cells and column sums differ from their ideal values: conductances that are spread when they are
// programmed, cells that are stuck, and noise on every sum that is read. Everything follows from a seed, the identity
// of the crossbar and the number of the vector, never from an order of calls: the same run gives the same noise.
#pragma once

#include <cstdint>

namespace mho::arithmetic {

/// Strength of each effect; zero everywhere is an ideal array.
struct NoiseModel {
  /// Standard deviation of a device's conductance relative to its level, drawn once when the device is programmed;
  /// a conductance never falls below zero.
  double conductance_spread = 0.0;
  /// Standard deviation added to every column sum that is read, in units of one level and one pulse (the ADC's LSB).
  double read_noise = 0.0;
  /// E of RAELLA (ISCA 2023, section 7.2): a sum N+ - N- is read with a variance of E^2 (N+ + N-), N+ and N- being the
  /// sums of its positive and negative products.
  double proportional_noise = 0.0;
  double stuck_off = 0.0;  ///< share of devices that stay at level 0
  double stuck_on = 0.0;   ///< share of devices that stay at the highest level

  bool changes_cells() const { return conductance_spread > 0.0 || stuck_off > 0.0 || stuck_on > 0.0; }
  bool changes_sums() const { return read_noise > 0.0 || proportional_noise > 0.0; }
  bool operator==(const NoiseModel& other) const {
    return conductance_spread == other.conductance_spread && read_noise == other.read_noise &&
           proportional_noise == other.proportional_noise && stuck_off == other.stuck_off && stuck_on == other.stuck_on;
  }
};

/// The noise of one array. `seed`: of the run, mixed with the number of the array's first crossbar (mix), so that each
/// replica has conductances of its own. Where the model changes no cell, replicas may have one seed: no vector is
/// computed by two of them, so no noise is drawn twice.
struct ArrayNoise {
  NoiseModel model;
  std::uint64_t seed = 0;
  bool operator==(const ArrayNoise& other) const { return model == other.model && seed == other.seed; }
};

/// Throws std::invalid_argument where a spread is outside 0 .. 1, read noise 0 .. 1000, proportional noise 0 .. 10, a
/// share 0 .. 1, or both shares together above 1; the message begins with the key.
void validate(const NoiseModel& model);

/// A seed for `number` out of a run's seed: different numbers give independent streams.
std::uint64_t mix(std::uint64_t seed, std::uint64_t number);

}  // namespace mho::arithmetic
