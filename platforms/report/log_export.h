// SPDX-License-Identifier: Apache-2.0
// A transaction log for other programs: one line a record for spreadsheets and data frames, or the JSON that Perfetto
// and Chrome draw. Both are written as the log is read; times are exact, whatever the resolution of the simulation.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

namespace mho {

/// Comma-separated values, a header first. Times are seconds; `work` is in the unit beside it. Throws mho::InputError
/// as observe::read_log does; whether `out` took everything is for its owner to ask.
void export_csv(const std::string& log, std::ostream& out);

/// Trace Event JSON. A process is what stands behind the path that all modules share (`tile_3`), a track is a server of
/// a module; occupations of one server that overlap are spread over as many tracks as they need. Arrows lead from a
/// command to its conversions, as far as both are in the log. Times are microseconds with all their digits; Perfetto
/// itself cuts them to nanoseconds.
void export_perfetto(const std::string& log, std::ostream& out);

/// value * 10^exponent, exactly: (1500, -3) is "1.5".
std::string decimal(std::uint64_t value, int exponent);

}  // namespace mho
