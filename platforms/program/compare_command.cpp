// SPDX-License-Identifier: Apache-2.0
// `mho compare`: what is named becomes ordinary runs, each in a process and a folder of its own, and their summaries
// become tables. A run that fails leaves a gap and its reason; the others go on.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <system_error>

#include "models/input_error.h"
#include "platforms/program/child_runs.h"
#include "platforms/program/commands.h"
#include "platforms/program/contenders.h"
#include "platforms/program/progress_bar.h"
#include "platforms/report/comparison.h"
#include "platforms/report/run_folder.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

/// Where the runs leave their folders: in the folder of results, or in one that is gone afterwards.
class RunsFolder {
 public:
  explicit RunsFolder(const std::string& out) {
    if (!out.empty()) {
      require_new_folder(out);
      results_ = std::make_unique<RunFolder>(out);
      path_ = results_->file("runs");
      return;
    }
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "mho-compare-XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr)
      throw InputError("mho compare", 0, 0, "no folder for runs can be made in TMPDIR",
                       "a TMPDIR that can be written, or `--out DIR`");
    path_ = name;
  }
  ~RunsFolder() {
    std::error_code error;
    if (!results_) std::filesystem::remove_all(path_, error);
  }
  RunsFolder(const RunsFolder&) = delete;
  RunsFolder& operator=(const RunsFolder&) = delete;

  std::string path(const std::string& run) const { return path_ + '/' + run; }
  RunFolder* results() const { return results_.get(); }

 private:
  std::unique_ptr<RunFolder> results_;
  std::string path_;
};

/// The last line that says something.
std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return "";
  const std::size_t begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

ComparedRun failed_run(std::string reason, bool fault) {
  ComparedRun run;
  run.failure = std::move(reason);
  run.fault = fault;
  return run;
}

ComparedRun outcome(const ChildResult& result, const std::string& folder) {
  if (result.exit_code == 0) return read_run(folder);
  const std::string line = last_line(result.err);
  return failed_run(line.empty() ? "exit code " + std::to_string(result.exit_code) : line, result.exit_code != 2);
}

ComparedRun outcome_or_fault(const ChildResult& result, const std::string& folder) try {
  return outcome(result, folder);
} catch (const std::exception& error) {
  return failed_run(error.what(), true);
}

/// Names of folders, one for each run: contender/network, numbered where two names become one.
std::vector<std::string> folder_names(const std::vector<PlannedRun>& planned) {
  std::vector<std::string> names;
  for (const PlannedRun& run : planned)
    names.push_back(unique_name(file_name_of(run.contender) + '/' + file_name_of(run.network), names));
  return names;
}

/// Runs what has to run; the results stand in the order of `planned`.
std::vector<ComparedRun> perform(const std::vector<PlannedRun>& planned, const RunsFolder& folder, int jobs,
                                 const Surroundings& surroundings) {
  const std::vector<std::string> names = folder_names(planned);
  std::vector<ComparedRun> runs(planned.size());
  std::vector<std::vector<std::string>> commands;
  std::vector<std::size_t> of_command;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (planned[i].finished) {
      runs[i] = *planned[i].finished;
    } else if (!planned[i].refusal.empty()) {
      runs[i] = failed_run(planned[i].refusal, false);
    } else {
      commands.push_back(planned[i].arguments);
      commands.back().push_back("--out=" + folder.path(names[i]));
      std::filesystem::create_directories(std::filesystem::path(folder.path(names[i])).parent_path());
      of_command.push_back(i);
    }
  }
  ProgressBar bar(*surroundings.err, surroundings.err_is_terminal, std::chrono::steady_clock::now, "runs");
  std::uint64_t done = 0;
  run_children(
      commands, jobs, surroundings.run_child ? surroundings.run_child : run_child,
      [&](std::size_t command, const ChildResult& result) {
        const std::size_t i = of_command[command];
        runs[i] = outcome_or_fault(result, folder.path(names[i]));
        if (runs[i].failure.empty()) runs[i].folder = folder.results() ? "runs/" + names[i] : "";
        ++done;
      },
      [&] { bar.update(done, commands.size()); });
  for (std::size_t i = 0; i < planned.size(); ++i) {
    runs[i].contender = planned[i].contender;
    runs[i].network = planned[i].network;
  }
  return runs;
}

/// One line and the exit code for runs that failed.
void report_failures(const Comparison& comparison) {
  std::size_t failed = 0, faults = 0;
  for (const ComparedRun& run : comparison.runs) {
    failed += run.failure.empty() ? 0 : 1;
    faults += run.fault ? 1 : 0;
  }
  const std::string line = std::to_string(failed) + " of " + count_of(comparison.runs.size(), "run") + " failed";
  if (faults > 0) throw std::runtime_error(line + ", " + std::to_string(faults) + " of them by a fault of the program");
  if (failed > 0) throw InputError("mho compare", 0, 0, line, "each reason stands beside the results");
}

}  // namespace

void compare_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings) {
  const CompareRequest& request = command.compare;
  Comparison comparison;
  const std::vector<PlannedRun> planned = plan_runs(request, command.scenario, files);
  for (const PlannedRun& run : planned) {
    add_once(comparison.contenders, run.contender);
    add_once(comparison.networks, run.network);
  }
  const RunsFolder folder(command.out);
  comparison.runs = perform(planned, folder, request.jobs > 0 ? request.jobs : processors(), surroundings);
  if (RunFolder* const results = folder.results(); results != nullptr) {
    results->write("comparison.json", to_json(comparison));
    results->write("comparison.csv", to_csv(comparison));
    results->commit();
  }
  std::ostream& out = *surroundings.out;
  if (command.json) {
    out << to_json(comparison);
  } else {
    write_comparison(out, comparison, request.equal_area);
    if (folder.results() != nullptr) out << "\nResults are in " << command.out << ".\n";
  }
  out.flush();
  report_failures(comparison);
}

}  // namespace mho
