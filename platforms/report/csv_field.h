// SPDX-License-Identifier: Apache-2.0
// A text as one field of a file of comma-separated values (RFC 4180).
#pragma once

#include <string>

namespace mho {

/// As it is, or in quotes where it holds a comma, a quote or the end of a line.
inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace mho
