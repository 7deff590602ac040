// SPDX-License-Identifier: Apache-2.0
// Lays out tables. Widths count characters, not bytes: names of layers may hold anything a model holds.
#include "platforms/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

namespace mho {
namespace {

std::size_t width_of(const std::string& text) {
  return std::size_t(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

}  // namespace

void TextTable::write(std::ostream& out, int indent) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  for (const auto& row : rows_) {
    std::string line(std::size_t(indent), ' ');
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      const std::string space(widths[i] - width_of(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (columns_[i] == Align::kLeft ? row[i] + space : space + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, " ");
  return digits;
}

std::string percent(double share) {
  if (share > 0.0 && share < 0.0005) return "< 0.1 %";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", share * 100.0);
  return text;
}

std::string bar(double share, int full) {
  if (!(share > 0.0)) return "";
  return std::string(std::size_t(std::max(1.0, std::round(std::min(share, 1.0) * full))), '#');
}

std::string count_of(std::uint64_t value, const std::string& what) {
  return grouped(value) + ' ' + what + (value == 1 ? "" : "s");
}

}  // namespace mho
