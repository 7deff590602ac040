// SPDX-License-Identifier: Apache-2.0
// Adds up a log by module and kind, and writes the sums as tables or JSON.
#include "platforms/report/log_summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <tuple>
#include <utility>

#include "models/input_error.h"
#include "models/observe/log_reader.h"
#include "platforms/config/quantity.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using config::Quantity;

/// Sums of one server, exact in the unit of the log.
struct ServerSums {
  std::uint64_t records = 0, items = 0, work = 0, busy = 0;

  void add(const observe::LoggedOccupation& occupation) {
    ++records;
    items += occupation.items;
    work += occupation.work;
    busy += occupation.items * occupation.service;
  }
};

void add(LogRow& row, const ServerSums& sums, double unit_s) {
  if (sums.records == 0) return;
  ++row.servers;
  row.records += sums.records;
  row.items += sums.items;
  row.work += sums.work;
  row.busy_s += double(sums.busy) * unit_s;
}

void finish(std::vector<LogRow>& rows, double span_s) {
  rows.erase(std::remove_if(rows.begin(), rows.end(), [](const LogRow& row) { return row.records == 0; }), rows.end());
  for (LogRow& row : rows)
    if (span_s > 0.0) row.share = row.busy_s / (span_s * double(row.servers));
  std::sort(rows.begin(), rows.end(), [](const LogRow& a, const LogRow& b) {
    return std::tie(b.busy_s, a.module, a.kind) < std::tie(a.busy_s, b.module, b.kind);
  });
}

void fill_rows(LogSummary& summary, const observe::LogTables& tables, const std::vector<ServerSums>& sums,
               double unit_s) {
  std::map<std::pair<std::size_t, std::size_t>, LogRow> modules, kinds;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const observe::LoggedServer& server = tables.servers[i];
    const observe::LoggedKind& kind = tables.kinds[server.kind];
    LogRow& of_module = modules[{server.module, server.kind}];
    LogRow& of_all = kinds[{0, server.kind}];
    of_module.module = tables.modules[server.module];
    for (LogRow* row : {&of_module, &of_all}) {
      row->kind = kind.name;
      row->work_unit = kind.work_unit;
      add(*row, sums[i], unit_s);
    }
  }
  for (auto& [key, row] : modules) summary.modules.push_back(std::move(row));
  for (auto& [key, row] : kinds) summary.kinds.push_back(std::move(row));
  finish(summary.modules, summary.end_s - summary.begin_s);
  finish(summary.kinds, summary.end_s - summary.begin_s);
}

nlohmann::ordered_json to_json(const LogRow& row) {
  nlohmann::ordered_json json;
  if (!row.module.empty()) json["module"] = row.module;
  json["kind"] = row.kind;
  json["servers"] = row.servers;
  json["records"] = row.records;
  json["items"] = row.items;
  json["busy_s"] = row.busy_s;
  json["busy_share"] = row.share;
  json["work"] = row.work;
  json["work_unit"] = row.work_unit;
  return json;
}

void write_rows(std::ostream& out, const std::vector<LogRow>& rows, bool modules) {
  TextTable table({Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                   Align::kRight, Align::kRight, Align::kLeft});
  table.add({modules ? "module" : "all modules", "kind", "servers", "records", "items", "busy", "share", "work", ""});
  for (const LogRow& row : rows)
    table.add({printable(row.module, 200), printable(row.kind, 40), grouped(row.servers), grouped(row.records),
               grouped(row.items), config::format_engineering(row.busy_s, Quantity::time), percent(row.share),
               grouped(row.work), printable(row.work_unit, 40)});
  table.write(out);
}

}  // namespace

LogSummary summarise_log(const std::string& path) {
  std::vector<ServerSums> sums;
  std::uint64_t begin = std::numeric_limits<std::uint64_t>::max(), end = 0;
  const observe::LogEnd log =
      observe::read_log(path, [&](const observe::LogTables& tables, const observe::LoggedOccupation& occupation) {
        sums.resize(tables.servers.size());
        sums[occupation.server].add(occupation);
        begin = std::min(begin, occupation.begin);
        end = std::max(end, occupation.end);
      });
  LogSummary summary;
  summary.complete = log.complete;
  summary.records = log.records;
  const double unit_s = std::pow(10.0, log.tables.exponent);
  if (log.records > 0) {
    summary.begin_s = double(begin) * unit_s;
    summary.end_s = double(end) * unit_s;
  }
  fill_rows(summary, log.tables, sums, unit_s);
  return summary;
}

std::string to_json(const LogSummary& summary) {
  nlohmann::ordered_json json;
  json["complete"] = summary.complete;
  json["records"] = summary.records;
  json["begin_s"] = summary.begin_s;
  json["end_s"] = summary.end_s;
  for (const auto& [name, rows] : {std::pair("kinds", &summary.kinds), {"modules", &summary.modules}}) {
    json[name] = nlohmann::ordered_json::array();
    for (const LogRow& row : *rows) json[name].push_back(to_json(row));
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

void write_text(std::ostream& out, const LogSummary& summary) {
  out << count_of(summary.records, "record");
  if (summary.records > 0)
    out << " from " << config::format_engineering(summary.begin_s, Quantity::time, 6) << " to "
        << config::format_engineering(summary.end_s, Quantity::time, 6);
  out << '\n';
  if (!summary.complete) out << "The log is not complete: it was cut off, or its run goes on.\n";
  if (summary.records == 0) return;
  out << '\n';
  write_rows(out, summary.kinds, false);
  out << '\n';
  write_rows(out, summary.modules, true);
}

}  // namespace mho
