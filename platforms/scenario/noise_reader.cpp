// SPDX-License-Identifier: Apache-2.0
// Keys of noise; ranges are those of arithmetic::validate, which speaks where keys together are wrong.
#include "platforms/scenario/noise_reader.h"

#include <cstdint>
#include <optional>
#include <stdexcept>

namespace mho {
namespace {

using config::Reader;
using config::real;

constexpr const char* kSection = "noise";

void check_together(const Reader& reader, const arithmetic::NoiseModel& noise) try {
  arithmetic::validate(noise);
} catch (const std::invalid_argument& error) {
  throw reader.position("stuck_on").error(error.what());
}

}  // namespace

void read_noise(Reader& root, mapping::Machine& machine) {
  const char* const description = "what a run of `fidelity: noisy` adds to ideal arrays; all zero: nothing";
  const bool noisy = machine.fidelity == mapping::Fidelity::kNoisy;
  std::optional<Reader> r = noisy ? root.section(kSection, description) : root.find_section(kSection, description);
  if (!r) return;
  if (!noisy && root.peek(kSection) != nullptr)
    throw root.error(kSection, "has no effect on a run without noise", "no such section, or `fidelity: noisy`");
  arithmetic::NoiseModel& noise = machine.noise;
  noise.conductance_spread =
      r->get("conductance_spread", real({0.0, 1.0, false}), noise.conductance_spread,
             "standard deviation of a device's conductance relative to its level, drawn when it is programmed");
  noise.read_noise = r->get("read_noise", real({0.0, 1000.0, false}), noise.read_noise,
                            "standard deviation added to every column sum that is read, in steps of the converter");
  noise.proportional_noise =
      r->get("proportional_noise", real({0.0, 10.0, false}), noise.proportional_noise,
             "E: a column sum N+ - N- is read with a variance of E^2 (N+ + N-), N+ and N- being its two parts");
  noise.stuck_off = r->get("stuck_off", real({0.0, 1.0, false}), noise.stuck_off,
                           "share of devices that stay at level 0, each of a pair by itself");
  noise.stuck_on = r->get("stuck_on", real({0.0, 1.0, false}), noise.stuck_on,
                          "share of devices that stay at their highest level, each of a pair by itself");
  machine.noise_seed =
      r->get("seed", config::unsigned_integer(INT64_MAX), machine.noise_seed, "of all that is random in a noisy run");
  check_together(*r, noise);
}

}  // namespace mho
