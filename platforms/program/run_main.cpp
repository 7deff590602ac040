// SPDX-License-Identifier: Apache-2.0
// From arguments to an exit code: picks the command and turns exceptions into one line.
#include "platforms/program/run_main.h"

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <sstream>
#include <system_error>

#include "models/input_error.h"
#include "platforms/program/commands.h"
#include "platforms/program/simulator_messages.h"

namespace mho {
namespace {

constexpr int kDone = 0, kFault = 1, kBadInput = 2;

void perform(const Command& command, const Surroundings& surroundings) {
  const ScenarioFiles files(surroundings.folders, surroundings.policies);
  switch (command.verb) {
    case Command::Verb::kHelp:
      return write_help(*surroundings.out, command.topic);
    case Command::Verb::kRun:
      return run_command(command, files, surroundings);
    case Command::Verb::kCheck:
      return check_command(command, files, surroundings);
    case Command::Verb::kCompare:
      return compare_command(command, files, surroundings);
    case Command::Verb::kTrace:
      return trace_command(command, files, surroundings);
    case Command::Verb::kImport:
      return import_command(command, surroundings);
    case Command::Verb::kExport:
      return export_command(command, files, surroundings);
    case Command::Verb::kLog:
      return log_command(command, surroundings);
    case Command::Verb::kList:
      return list_command(command, files, surroundings);
  }
}

std::vector<std::string> standard_folders(const std::string& scenarios) {
  namespace fs = std::filesystem;
  std::vector<std::string> folders;
  if (const char* own = std::getenv("MHO_SCENARIOS"); own != nullptr) {
    std::istringstream list(own);
    for (std::string folder; std::getline(list, folder, ':');)
      if (!folder.empty()) folders.push_back(folder);
  }
  std::error_code error;
  if (!scenarios.empty() && fs::is_directory(scenarios, error)) folders.push_back(scenarios);
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error)
    folders.push_back((program.parent_path() / ".." / "share" / "mho" / "scenarios").lexically_normal().string());
  return folders;
}

}  // namespace

int run_main(int argc, const char* const* argv, const Surroundings& surroundings) {
  std::ostream& err = *surroundings.err;
  try {
    perform(parse_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc)), surroundings);
    surroundings.out->flush();
    if (surroundings.out->good()) return kDone;
    err << "results could not be written to standard output\n";
  } catch (const InputError& error) {
    err << error.what() << std::endl;
    return kBadInput;
  } catch (const std::bad_alloc&) {
    err << "this computer has too little memory for it (fewer inferences or a smaller network)" << std::endl;
    return kBadInput;
  } catch (const std::exception& error) {
    err << "internal fault: " << printable(error.what(), 1000) << std::endl;
  } catch (...) {
    err << "internal fault" << std::endl;
  }
  return kFault;
}

int run_main(int argc, const char* const* argv, const std::string& scenarios, const mapping::Policies& policies) {
  send_simulator_messages_to_stderr();
  Surroundings surroundings;
  surroundings.folders = standard_folders(scenarios);
  surroundings.out = &std::cout;
  surroundings.err = &std::cerr;
  surroundings.err_is_terminal = isatty(STDERR_FILENO) != 0;
  surroundings.policies = policies;
  return run_main(argc, argv, surroundings);
}

}  // namespace mho
