// SPDX-License-Identifier: Apache-2.0
// Keys of observation. Whether a pattern names anything is only known when the modules are there.
#include "platforms/scenario/observe_reader.h"

namespace mho {
namespace {

constexpr config::Range kWindow{1e-9, 1e3, false};  ///< below a nanosecond every event would be a sample

std::vector<WavePattern> read_waves(config::Reader& r) {
  const auto patterns =
      r.get("waves", config::or_word(config::list_of(config::text("a pattern of paths")), "none"), std::nullopt,
            "what wave.vcd follows: paths as in `mho list waves`, `*` for any text between two dots, "
            "`**` for any number of parts; none: no waveform");
  std::vector<WavePattern> waves;
  const config::Node* const written = r.peek("waves");
  if (!patterns || written == nullptr) return waves;
  for (std::size_t i = 0; i < patterns->size(); ++i) waves.push_back({(*patterns)[i], written->items()[i].position()});
  return waves;
}

}  // namespace

ObserveConfig read_observe(config::Reader& root) {
  ObserveConfig observe;
  config::Reader r = root.section("observe", "what a run records of itself; the results stay the same");
  observe.log = r.get("log", config::boolean(), observe.log,
                      "write transactions.bin: begin, end and work of everything a module did");
  observe.waves = read_waves(r);
  observe.power_window_s = r.get("power_window", config::quantity(config::Quantity::time, kWindow),
                                 observe.power_window_s, "over which power is averaged for the wave `power.watts`");
  return observe;
}

}  // namespace mho
