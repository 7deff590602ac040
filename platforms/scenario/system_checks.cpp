// SPDX-License-Identifier: Apache-2.0
// Translates complaints of the mapper: members of structs become keys, and the first key decides the position.
#include "platforms/scenario/system_checks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace mho {
namespace {

using Names = std::pair<std::string_view, std::string_view>;

/// Member of mapping::Machine and the key it is read from, where the two differ.
constexpr std::array<Names, 16> kNames{{
    {"crossbar_tiles_per_tile", "tile.crossbar_tiles"},
    {"tiles_per_chip", "chip.tiles"},
    {"crossbar.crossbars", "crossbars"},
    {"crossbar.input_register_bytes", "crossbar.input_register"},
    {"dac_bits", "dac.bits"},
    {"edram.line_bytes", "edram.line"},
    {"edram.bytes", "edram.size"},
    {"bus.bytes_per_s", "bus.bandwidth"},
    {"router.tiles_per_router", "router.tiles"},
    {"router.bytes_per_s", "router.bandwidth"},
    {"hypertransport.bytes_per_s", "hypertransport.bandwidth"},
    {"function.outputs_per_s", "function_unit.rate"},
    {"function.pooled_per_s", "function_unit.pool_rate"},
    {"function.products_per_s", "function_unit.product_rate"},
    {"function.function", "function_unit.function"},
    {"function.write", "function_unit.write"},
}};

bool part_of_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; }

/// The dotted name that starts at `at`, without a full stop at its end.
std::string_view name_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && part_of_name(text[end])) ++end;
  while (end > at && text[end - 1] == '.') --end;
  return text.substr(at, end - at);
}

const config::Node* find_path(const config::Reader& root, std::string_view path) {
  std::size_t dot = path.find('.');
  const config::Node* node = root.peek(path.substr(0, dot));
  while (node != nullptr && dot != std::string_view::npos) {
    path.remove_prefix(dot + 1);
    dot = path.find('.');
    node = node->find(path.substr(0, dot));
  }
  return node;
}

}  // namespace

std::string in_words_of_keys(const std::string& complaint) {
  std::string out;
  for (std::size_t i = 0; i < complaint.size();) {
    const std::string_view name = name_at(complaint, i);
    if (name.empty()) {
      out += complaint[i++];
      continue;
    }
    std::string_view key = name;
    for (const auto& [member, written] : kNames)
      if (name == member) key = written;
    out += key;
    i += name.size();
  }
  return out;
}

const config::Position& position_of(const config::Reader& root, const std::string& path) {
  const config::Node* node = find_path(root, path);
  return node == nullptr ? root.position() : node->position();
}

void check_machine(const config::Reader& root, const mapping::Machine& machine) try {
  mapping::validate(machine);
} catch (const std::invalid_argument& error) {
  const std::string text = in_words_of_keys(error.what());
  const config::Position* where = &root.position();
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view name = name_at(text, i);
    if (const config::Node* node = name.empty() ? nullptr : find_path(root, name); node != nullptr) {
      where = &node->position();
      break;
    }
    i += std::max<std::size_t>(name.size(), 1);
  }
  const std::size_t open = text.find(" (");
  if (open == std::string::npos || text.back() != ')') throw where->error(text);
  throw where->error(text.substr(0, open), text.substr(open + 2, text.size() - open - 3));
}

}  // namespace mho
