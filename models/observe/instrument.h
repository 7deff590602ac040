// SPDX-License-Identifier: Apache-2.0
// What a module shows of itself: statistics, numbers that are read when a run has ended, and waves, variables that a
// waveform follows while it runs. Both carry name, meaning and unit, and are found by walking the tree of modules.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <systemc>
#include <variant>
#include <vector>

namespace mho::observe {

/// A number that a module has gathered since it was built.
struct Statistic {
  const char* name;         ///< `conversions`; statistics of one meaning have one name in all modules
  const char* description;  ///< one sentence without a full stop
  const char* unit;         ///< `s`, `conversions`, ...
  double value = 0.0;
};

/// A variable of a module that changes at the simulated time at which it is written.
struct Wave {
  const char* name;         ///< `busy`, `queue`, `state`, ...
  const char* description;  ///< one sentence without a full stop
  const char* unit;         ///< `converters`, `slices`, empty for a state
  std::variant<const bool*, const std::uint32_t*, const std::uint64_t*, const double*> variable;
  std::vector<const char*> states = {};  ///< of a state: names of the values 0, 1, ...
};

/// Base of modules that can be looked into. The lists are made when they are asked for; the variables behind waves live
/// as long as the module.
class Instrument {
 public:
  virtual ~Instrument() = default;
  virtual std::vector<Statistic> statistics() const { return {}; }
  virtual std::vector<Wave> waves() const { return {}; }
  /// Adds all waves to an integrator's own trace file, as `<hierarchical name>.<wave>`.
  void trace(sc_core::sc_trace_file* file) const;
};

/// One wave of one module to a trace file under `name`.
void trace(sc_core::sc_trace_file* file, const Wave& wave, const std::string& name);

/// Calls `visit` for every Instrument at and below `root` (null: the whole simulation), sorted by hierarchical name.
void for_each_instrument(const sc_core::sc_object* root,
                         const std::function<void(const sc_core::sc_object&, const Instrument&)>& visit);

}  // namespace mho::observe
