// SPDX-License-Identifier: Apache-2.0
// Patterns against the waves of a tree.
#include "platforms/observe/wave_selection.h"

#include "platforms/config/suggest.h"
#include "platforms/observe/path_pattern.h"

namespace mho {
namespace {

constexpr std::size_t kSuggestions = 3;

InputError nothing_named(const WavePattern& pattern, const std::vector<std::string>& paths) {
  const std::string nearest = config::alternatives(nearest_patterns(pattern.text, paths, kSuggestions));
  return pattern.at.error(
      "`observe.waves`: no wave is named " + excerpt(pattern.text),
      nearest.empty() ? "the modules have none" : "among others " + nearest + "; see `mho list waves`");
}

InputError too_many(const WavePattern& pattern, std::size_t named, std::size_t selected) {
  return pattern.at.error("`observe.waves`: " + excerpt(pattern.text) + " names " + std::to_string(named) +
                              " waves, which makes " + std::to_string(selected),
                          "at most " + std::to_string(kMostWaves) +
                              "; a narrower pattern, such as one tile in place of `*` or one wave in place of `**`");
}

}  // namespace

std::vector<SelectedWave> select_waves(const sc_core::sc_object& root, const std::vector<WavePattern>& patterns) {
  std::vector<SelectedWave> all;
  observe::for_each_instrument(&root, [&](const sc_core::sc_object& module, const observe::Instrument& instrument) {
    for (observe::Wave& wave : instrument.waves()) all.push_back({module.name(), std::move(wave)});
  });
  const std::string prefix = std::string(root.name()) + '.';
  std::vector<std::string> paths;
  for (const SelectedWave& wave : all) paths.push_back(wave.path().substr(prefix.size()));

  std::vector<bool> chosen(all.size());
  std::size_t selected = 0;
  for (const WavePattern& pattern : patterns) {
    std::string text = pattern.text;
    if (text.compare(0, prefix.size(), prefix) == 0) text.erase(0, prefix.size());
    std::size_t named = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!matches(text, paths[i])) continue;
      ++named;
      if (!chosen[i]) ++selected;
      chosen[i] = true;
    }
    if (named == 0) throw nothing_named(pattern, paths);
    if (selected > kMostWaves) throw too_many(pattern, named, selected);
  }
  std::vector<SelectedWave> waves;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (chosen[i]) waves.push_back(std::move(all[i]));
  return waves;
}

}  // namespace mho
