// SPDX-License-Identifier: Apache-2.0
// Statistics as a table.
#include "platforms/report/statistics_csv.h"

#include "platforms/config/quantity.h"

namespace mho {
namespace {

/// Names are plain by construction; descriptions are sentences and may hold commas.
void add_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

}  // namespace

std::string to_csv(const std::vector<ModuleStatistic>& statistics) {
  std::string text = "module,name,value,unit,description\n";
  for (const ModuleStatistic& each : statistics) {
    text.append(each.module).append(1, ',').append(each.name).append(1, ',');
    text.append(config::format_real(each.value)).append(1, ',').append(each.unit).append(1, ',');
    add_quoted(text, each.description);
    text += '\n';
  }
  return text;
}

}  // namespace mho
