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

const char* const kSystems[] = {"isaac", "isaac_8b"};
const char* const kTimings[] = {"loosely_timed", "approximately_timed"};

struct FidelityRow {
  const char* word;
  bool exists;  ///< with every system and every timing
};
const FidelityRow kFidelities[] = {
    {"auto", true}, {"exact", true}, {"sliced", true}, {"noisy", false}, {"timing", false},
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

TEST_CASE("every combination of system, fidelity and timing is accepted or refused as the table says") {
  for (const char* system : kSystems)
    for (const FidelityRow& fidelity : kFidelities)
      for (const char* timing : kTimings) {
        const ProgramResult result =
            run_program({"check", "--system", system, "--network", "resnet20_shapes", "--inferences", "1", "--fidelity",
                         fidelity.word, "--set", std::string("timing=") + timing});
        CAPTURE(system, fidelity.word, timing, result.err);
        CHECK(result.exit_code == (fidelity.exists ? 0 : 2));
        if (fidelity.exists) {
          CHECK(result.err.empty());
          CHECK_THAT(result.out, Catch::Contains(std::string("resnet20_shapes on ") + system));
        } else {
          CHECK(result.out.empty());
          CHECK(result.err == std::string("--fidelity: `fidelity` is `") + fidelity.word +
                                  "`, which is not available yet (`auto`, `exact` or `sliced`)\n");
        }
      }
}

TEST_CASE("the table has every fidelity and every timing that can be written, and every system that is shipped") {
  std::set<std::string> fidelities;
  for (const FidelityRow& fidelity : kFidelities) fidelities.insert(fidelity.word);
  CHECK(allowed_words("fidelity") == fidelities);
  CHECK(allowed_words("timing") == std::set<std::string>(std::begin(kTimings), std::end(kTimings)));
  const std::vector<std::string> systems = project_files().names("system");
  CHECK(std::set<std::string>(systems.begin(), systems.end()) ==
        std::set<std::string>(std::begin(kSystems), std::end(kSystems)));
}
