// SPDX-License-Identifier: Apache-2.0
// Which combinations of system, fidelity and timing exist. This table is the one that README and `mho` must keep; a
// system or a word that is not in it fails the test.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;

namespace {

struct SystemRow {
  const char* name;
  bool proves_exact;  ///< converters are proved to lose nothing on the trained network
};
const SystemRow kSystems[] = {{"isaac", true},
                              {"isaac_8b", true},
                              {"isaac_raella", true},
                              {"raella", false},
                              {"raella_adaptive_slicing", false},
                              {"raella_centre_offset", false}};
const char* const kTimings[] = {"loosely_timed", "approximately_timed"};

struct FidelityRow {
  const char* word;
  bool exists;       ///< with every timing
  bool needs_proof;  ///< and with systems that prove it only
};
const FidelityRow kFidelities[] = {
    {"auto", true, false},  {"exact", true, true},    {"sliced", true, false},
    {"noisy", true, false}, {"timing", false, false},
};

/// Words in back quotes.
std::set<std::string> quoted(const std::string& text) {
  std::set<std::string> words;
  for (std::size_t open = text.find('`'); open != std::string::npos; open = text.find('`', open + 1)) {
    const std::size_t close = text.find('`', open + 1);
    words.insert(text.substr(open + 1, close - open - 1));
    open = close;
  }
  return words;
}

std::set<std::string> allowed_words(const std::string& path) {
  for (const config::KeyReference& key : scenario_keys())
    if (key.path == path) return quoted(key.allowed);
  return {};
}

}  // namespace

namespace {

/// What `mho check` says of a combination that does not exist.
std::string refusal_of(const FidelityRow& fidelity) {
  if (!fidelity.exists)
    return std::string("--fidelity: `fidelity` is `") + fidelity.word +
           "`, which is not available yet (`auto`, `exact`, `sliced` or `noisy`)\n";
  return "may sum to";
}

}  // namespace

TEST_CASE("every combination of system, fidelity and timing is accepted or refused as the table says") {
  for (const SystemRow& system : kSystems)
    for (const FidelityRow& fidelity : kFidelities)
      for (const char* timing : kTimings) {
        const bool exists = fidelity.exists && (system.proves_exact || !fidelity.needs_proof);
        const ProgramResult result =
            run_program({"check", "--system", system.name, "--network", "resnet20_shapes", "--inferences", "1",
                         "--fidelity", fidelity.word, "--set", std::string("timing=") + timing});
        CAPTURE(system.name, fidelity.word, timing, result.err);
        CHECK(result.exit_code == (exists ? 0 : 2));
        CHECK(result.err.empty() == exists);
        CHECK(result.out.empty() == !exists);
        if (exists) CHECK_THAT(result.out, Catch::Contains(std::string("resnet20_shapes on ") + system.name));
        if (!exists) CHECK_THAT(result.err, Catch::Contains(refusal_of(fidelity)));
      }
}

TEST_CASE("the table has every fidelity and every timing that can be written, and every system that is shipped") {
  std::set<std::string> fidelities;
  for (const FidelityRow& fidelity : kFidelities) fidelities.insert(fidelity.word);
  CHECK(allowed_words("fidelity") == fidelities);
  CHECK(allowed_words("timing") == std::set<std::string>(std::begin(kTimings), std::end(kTimings)));
  std::vector<std::string> systems;
  for (const SystemRow& system : kSystems) systems.emplace_back(system.name);
  CHECK(project_files().names("system") == systems);
}
