// SPDX-License-Identifier: Apache-2.0
// Conversion of physical quantities, kept in double, to simulated time. sc_time rounds to the time
// resolution at every construction, so a count is multiplied by its period before the one conversion:
// 1024 conversions at 1.28 GS/s are 800 ns, not 1024 x 781 ps.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <systemc>

namespace mho::tlm_kit {

/// @param seconds length of time in seconds, zero or more.
/// @return the same length in simulated time, rounded once, to the nearest multiple of the resolution.
/// @throw std::domain_error when negative, not a number, or longer than simulated time can hold.
inline sc_core::sc_time duration(double seconds) {
  // 2^64 steps of the resolution do not fit; the comparison is false for NaN as well.
  constexpr double kSteps = 18446744073709551616.0;
  const double steps = seconds / sc_core::sc_get_time_resolution().to_seconds();
  if (!(steps >= 0.0 && steps < kSteps)) {
    throw std::domain_error("a duration of " + std::to_string(seconds) + " s cannot be simulated");
  }
  return sc_core::sc_time(seconds, sc_core::SC_SEC);
}

/// @param events number of events that follow each other without a gap.
/// @param rate_per_s events per second, more than zero.
/// @return the time they take together; see duration(double) for rounding and errors.
inline sc_core::sc_time duration(double events, double rate_per_s) { return duration(events / rate_per_s); }

}  // namespace mho::tlm_kit
