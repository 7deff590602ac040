// SPDX-License-Identifier: Apache-2.0
// `mho log`: a transaction log as a summary, for Perfetto or as a table. All files are written before one is named.
#include <filesystem>
#include <optional>
#include <ostream>
#include <system_error>

#include "models/input_error.h"
#include "platforms/program/commands.h"
#include "platforms/report/log_export.h"
#include "platforms/report/log_summary.h"
#include "platforms/report/replaced_file.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

/// A slip that would cost the log: it is the only record of its run.
void refuse_same_file(const std::string& option, const std::string& path, const std::string& other) {
  std::error_code error;
  const bool same = !path.empty() && !other.empty() &&
                    (fs::equivalent(path, other, error) ||
                     fs::absolute(path).lexically_normal() == fs::absolute(other).lexically_normal());
  if (same) throw InputError(option + ' ' + path, 0, 0, "is " + excerpt(other) + " as well", "a file of its own");
}

}  // namespace

void log_command(const Command& command, const Surroundings& surroundings) {
  refuse_same_file("--perfetto", command.perfetto, command.log);
  refuse_same_file("--csv", command.csv, command.log);
  refuse_same_file("--csv", command.csv, command.perfetto);
  std::optional<ReplacedFile> perfetto, csv;
  if (!command.perfetto.empty()) perfetto.emplace("--perfetto", command.perfetto);
  if (!command.csv.empty()) csv.emplace("--csv", command.csv);
  if (perfetto) export_perfetto(command.log, perfetto->stream());
  if (csv) export_csv(command.log, csv->stream());
  for (auto* file : {&perfetto, &csv})
    if (*file) (*file)->close();
  const bool only_files = (perfetto || csv) && !command.json;
  const std::optional<LogSummary> summary = only_files ? std::nullopt : std::optional(summarise_log(command.log));
  for (auto* file : {&perfetto, &csv})
    if (*file) (*file)->commit();
  if (command.json) {
    *surroundings.out << to_json(*summary);
  } else if (summary) {
    write_text(*surroundings.out, *summary);
  } else {
    for (const std::string& path : {command.perfetto, command.csv})
      if (!path.empty()) *surroundings.out << "Wrote " << printable(path, 1000) << ".\n";
  }
}

}  // namespace mho
