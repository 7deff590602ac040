// SPDX-License-Identifier: Apache-2.0
// What the code says about the keys it reads, and the table of all keys that documentation is generated from.
#pragma once

#include <string>
#include <vector>

namespace mho::config {

/// One key; elements of a list appear as `[]`, names chosen by the user as `<name>`.
struct KeyReference {
  std::string path;           ///< "crossbar.rows", "accelerators[].name", "layers.<name>.bits"
  std::string type;           ///< "integer", "section", ...
  std::string unit;           ///< SI unit in which the program keeps it, or empty
  std::string default_value;  ///< as the user would write it; "required" or "absent" if there is none
  std::string allowed;        ///< "1 to 65536"
  std::string description;
};

/// A Markdown table with one row a key: key, type, default, allowed values, meaning.
std::string write_reference(const std::vector<KeyReference>& references);

}  // namespace mho::config
