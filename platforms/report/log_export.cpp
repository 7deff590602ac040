// SPDX-License-Identifier: Apache-2.0
// Exact decimals, and a log as comma-separated values.
#include "platforms/report/log_export.h"

#include <ostream>

#include "models/observe/log_reader.h"
#include "platforms/report/csv_field.h"

namespace mho {
std::string decimal(std::uint64_t value, int exponent) {
  std::string digits = std::to_string(value);
  if (value == 0) return digits;
  if (exponent >= 0) return digits + std::string(std::size_t(exponent), '0');
  const auto places = std::size_t(-exponent);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  digits.insert(digits.size() - places, 1, '.');
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

void export_csv(const std::string& log, std::ostream& out) {
  out << "module,lane,kind,id,parent,operation,node,items,work,work_unit,begin_s,end_s,interval_s,service_s\n";
  observe::read_log(log, [&](const observe::LogTables& tables, const observe::LoggedOccupation& occupation) {
    const observe::LoggedServer& server = tables.servers[occupation.server];
    const observe::LoggedKind& kind = tables.kinds[server.kind];
    const auto seconds = [&](std::uint64_t time) { return decimal(time, tables.exponent); };
    out << csv_field(tables.modules[server.module]) << ',' << server.lane << ',' << csv_field(kind.name) << ','
        << occupation.id << ',' << occupation.parent << ',' << occupation.operation << ',' << occupation.node << ','
        << occupation.items << ',' << occupation.work << ',' << csv_field(kind.work_unit) << ','
        << seconds(occupation.begin) << ',' << seconds(occupation.end) << ',' << seconds(occupation.interval) << ','
        << seconds(occupation.service) << '\n';
  });
}

}  // namespace mho
