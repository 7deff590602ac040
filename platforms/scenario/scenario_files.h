// SPDX-License-Identifier: Apache-2.0
// Finds the files of a scenario: systems, networks and scenarios by name in a list of folders, or by path. A path is
// relative to the folder of the file it is written in, or to the working folder if it comes from the command line.
// Policies, which scenarios name as well, are not files but those of the program.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/mapping/policies.h"
#include "platforms/config/document.h"
#include "platforms/config/node.h"

namespace mho {

/// Folders that hold `systems/`, `networks/` and scenarios; earlier ones win.
class ScenarioFiles {
 public:
  explicit ScenarioFiles(std::vector<std::string> folders, mapping::Policies policies = {})
      : folders_(std::move(folders)), policies_(std::move(policies)) {}

  /// The file of a "system", "network" or "scenario" called or located by a scalar. Throws mho::InputError at the
  /// scalar with the names there are and the one that was probably meant.
  std::string find(const std::string& kind, const config::Node& name) const;
  /// The same as a function that config::load_with_base takes.
  config::Resolve resolver() const;
  /// All names of a kind, sorted.
  std::vector<std::string> names(const std::string& kind) const;
  /// What `encoding:` and the like may name.
  const mapping::Policies& policies() const { return policies_; }

 private:
  std::vector<std::string> folders_;
  mapping::Policies policies_;
};

/// A path as written at `where`, seen from the working folder; absolute paths stay.
std::string path_from(const config::Position& where, const std::string& written);

/// True for what is a path and no name: it contains `/` or ends in `.yaml`, `.onnx` or `.pb`.
bool is_path(const std::string& written);

}  // namespace mho
