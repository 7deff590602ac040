// SPDX-License-Identifier: Apache-2.0
// Statistics as a table.
#include "platforms/report/statistics_csv.h"

#include "platforms/config/quantity.h"

namespace mho {
namespace {

/// Names are plain by construction; descriptions are sentences and may hold commas.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

std::string to_csv(const std::vector<ModuleStatistic>& statistics) {
  std::string text = "module,name,value,unit,description\n";
  for (const ModuleStatistic& each : statistics)
    text += each.module + ',' + each.name + ',' + config::format_real(each.value) + ',' + each.unit + ',' +
            quoted(each.description) + '\n';
  return text;
}

}  // namespace mho
