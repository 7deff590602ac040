// SPDX-License-Identifier: Apache-2.0
// Options of every command by boost::program_options; texts of the help are in command_help.cpp.
#include "platforms/program/command_line.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

#include "platforms/config/suggest.h"

namespace mho {
namespace {

namespace po = boost::program_options;

const std::vector<std::string> kVerbs{"run", "check", "compare", "trace", "import", "export", "log", "list", "help"};

po::options_description options_of(Command::Verb verb) {
  po::options_description options;
  auto add = options.add_options();
  add("help,h", "");
  add("argument", po::value<std::vector<std::string>>(), "");
  if (verb == Command::Verb::kList) return options;
  if (verb == Command::Verb::kLog) {
    add("perfetto", po::value<std::string>(), "");
    add("csv", po::value<std::string>(), "");
    add("json", po::bool_switch(), "");
    return options;
  }
  if (verb == Command::Verb::kImport) {
    for (const char* name : {"range", "percentile", "calibration", "step", "labels", "out"})
      add(name, po::value<std::string>(), "");
    add("samples", po::value<std::vector<std::string>>(), "");
    add("json", po::bool_switch(), "");
    return options;
  }
  if (verb == Command::Verb::kExport) {
    for (const char* name : {"out", "inferences", "seed"}) add(name, po::value<std::string>(), "");
    add("set", po::value<std::vector<std::string>>(), "");
    return options;
  }
  if (verb == Command::Verb::kCompare) {
    for (const char* name : {"inferences", "fidelity", "seed", "out"}) add(name, po::value<std::string>(), "");
    for (const char* name : {"network", "set"}) add(name, po::value<std::vector<std::string>>(), "");
    add("jobs", po::value<int>(), "");
    for (const char* name : {"equal-area", "json"}) add(name, po::bool_switch(), "");
    return options;
  }
  for (const char* name : {"system", "network", "labels", "inferences", "fidelity", "seed"})
    add(name, po::value<std::string>(), "");
  add("inputs", po::value<std::vector<std::string>>(), "");
  add("set", po::value<std::vector<std::string>>(), "");
  if (verb == Command::Verb::kTrace) {
    add("out", po::value<std::string>(), "");
    add("layers", po::value<std::vector<std::string>>(), "");
    add("histograms", po::bool_switch(), "");
    return options;
  }
  add("report", po::bool_switch(), "");
  if (verb == Command::Verb::kCheck) return options;
  add("out", po::value<std::string>(), "");
  add("json", po::bool_switch(), "");
  add("log", po::bool_switch(), "");
  add("waves", po::value<std::vector<std::string>>(), "");
  return options;
}

InputError usage_error(const std::string& command, const std::string& problem) {
  return InputError("mho " + command, 0, 0, problem, "see `mho " + command + " --help`");
}

/// What boost complains about in our words, with the option that was probably meant.
InputError option_error(const std::string& command, const po::error& error, const po::options_description& options) {
  const auto* unknown = dynamic_cast<const po::unknown_option*>(&error);
  if (unknown == nullptr) return usage_error(command, error.what());
  std::vector<std::string> names;
  for (const auto& option : options.options())
    if (option->long_name() != "argument") names.push_back("--" + option->long_name());
  const std::string name = unknown->get_option_name();
  const std::string meant = config::nearest(name, names);
  return usage_error(command,
                     "unknown option " + excerpt(name) + (meant.empty() ? "" : "; did you mean `" + meant + "`?"));
}

po::variables_map parse(const std::string& command, const po::options_description& options,
                        const std::vector<std::string>& arguments) try {
  po::positional_options_description positional;
  positional.add("argument", -1);
  namespace style = po::command_line_style;
  po::variables_map values;
  po::store(po::command_line_parser(arguments)
                .options(options)
                .positional(positional)
                .style(style::unix_style & ~style::allow_guessing)
                .run(),
            values);
  po::notify(values);
  return values;
} catch (const po::error& error) {
  throw option_error(command, error, options);
}

template <class T>
T value_or(const po::variables_map& values, const char* name, T otherwise) {
  return values.count(name) != 0 ? values[name].as<T>() : otherwise;
}

/// The one positional argument, or an empty text.
std::string argument_of(const std::string& command, const po::variables_map& values) {
  const auto arguments = value_or<std::vector<std::string>>(values, "argument", {});
  if (arguments.size() > 1) throw usage_error(command, "one argument too many: " + excerpt(arguments[1]));
  return arguments.empty() ? "" : arguments.front();
}

/// The value of an option that names a file or folder; empty where the option is absent.
std::string path_option(const std::string& command, const po::variables_map& values, const char* name) {
  const std::string path = value_or<std::string>(values, name, "");
  if (values.count(name) != 0 && path.empty()) throw usage_error(command, std::string("`--") + name + "` is empty");
  return path;
}

void read_log_options(Command& command, const std::string& word, const po::variables_map& values) {
  command.log = argument_of(word, values);
  if (command.log.empty()) throw usage_error(word, "which log? Name a transactions.bin");
  command.perfetto = path_option(word, values, "perfetto");
  command.csv = path_option(word, values, "csv");
  command.json = value_or(values, "json", false);
}

void read_import_options(Command& command, const std::string& word, const po::variables_map& values) {
  command.import.model = argument_of(word, values);
  if (command.import.model.empty()) throw usage_error(word, "which model? Name an ONNX file");
  command.import.samples = value_or<std::vector<std::string>>(values, "samples", {});
  command.import.labels = path_option(word, values, "labels");
  for (const char* name : {"range", "percentile", "calibration", "step"})
    if (values.count(name) != 0) command.import.options.emplace_back(name, values[name].as<std::string>());
  command.out = path_option(word, values, "out");
  command.json = value_or(values, "json", false);
}

void read_export_options(Command& command, const std::string& word, const po::variables_map& values) {
  command.scenario.file = argument_of(word, values);
  if (command.scenario.file.empty()) throw usage_error(word, "which network? Name one, see `mho list networks`");
  for (const char* name : {"inferences", "seed"})
    if (values.count(name) != 0) command.scenario.options.emplace_back(name, values[name].as<std::string>());
  command.scenario.overrides = value_or<std::vector<std::string>>(values, "set", {});
  command.out = path_option(word, values, "out");
  if (command.out.empty()) throw usage_error(word, "where to? Give `--out DIR`");
}

void read_scenario_options(Command& command, const std::string& word, const po::variables_map& values) {
  command.scenario.file = argument_of(word, values);
  for (const char* name : {"system", "network", "labels", "inferences", "fidelity", "seed"})
    if (values.count(name) != 0) command.scenario.options.emplace_back(name, values[name].as<std::string>());
  command.scenario.inputs = value_or<std::vector<std::string>>(values, "inputs", {});
  command.scenario.overrides = value_or<std::vector<std::string>>(values, "set", {});
  command.scenario.waves = value_or<std::vector<std::string>>(values, "waves", {});
  if (value_or(values, "log", false)) command.scenario.overrides.push_back("observe.log=true");
  command.out = path_option(word, values, "out");
  command.json = value_or(values, "json", false);
  command.report = value_or(values, "report", false);
  if (command.json && command.report) throw usage_error(word, "`--json` and `--report` exclude each other");
  if (command.scenario.file.empty() && values.count("system") == 0)
    throw usage_error(word, "which scenario? Name one, or give `--system` and `--network`");
}

void read_compare_options(Command& command, const std::string& word, const po::variables_map& values) {
  CompareRequest& compare = command.compare;
  compare.contenders = value_or<std::vector<std::string>>(values, "argument", {});
  if (compare.contenders.empty()) throw usage_error(word, "what? Name systems, scenarios or folders of runs");
  compare.networks = value_or<std::vector<std::string>>(values, "network", {});
  compare.equal_area = value_or(values, "equal-area", false);
  compare.jobs = value_or(values, "jobs", 0);
  if (values.count("jobs") != 0 && (compare.jobs < 1 || compare.jobs > 1000))
    throw usage_error(word, "`--jobs` is no number from 1 to 1000");
  for (const char* name : {"inferences", "fidelity", "seed"})
    if (values.count(name) != 0) command.scenario.options.emplace_back(name, values[name].as<std::string>());
  command.scenario.overrides = value_or<std::vector<std::string>>(values, "set", {});
  command.out = path_option(word, values, "out");
  command.json = value_or(values, "json", false);
}

/// Names between commas, of all options together.
void read_trace_options(Command& command, const std::string& word, const po::variables_map& values) {
  read_scenario_options(command, word, values);
  if (command.out.empty()) throw usage_error(word, "where to? Give `--out DIR`");
  command.histograms = value_or(values, "histograms", false);
  for (const std::string& list : value_or<std::vector<std::string>>(values, "layers", {})) {
    std::istringstream names(list + ',');
    for (std::string name; std::getline(names, name, ',');) {
      if (name.empty()) throw usage_error(word, "`--layers " + printable(list, 100) + "` has an empty name");
      command.layers.push_back(name);
    }
  }
}

Command::Verb verb_of(const std::string& word) {
  if (word == "run") return Command::Verb::kRun;
  if (word == "check") return Command::Verb::kCheck;
  if (word == "compare") return Command::Verb::kCompare;
  if (word == "trace") return Command::Verb::kTrace;
  if (word == "import") return Command::Verb::kImport;
  if (word == "export") return Command::Verb::kExport;
  if (word == "log") return Command::Verb::kLog;
  if (word == "list") return Command::Verb::kList;
  const std::string meant = config::nearest(word, kVerbs);
  throw InputError("mho", 0, 0,
                   "unknown command " + excerpt(word) + (meant.empty() ? "" : "; did you mean `" + meant + "`?"),
                   "run, check, compare, trace, import, export, log or list; see `mho --help`");
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& arguments) {
  Command command;
  if (arguments.empty())
    throw InputError("mho", 0, 0, "no command",
                     "run, check, compare, trace, import, export, log or list; see `mho --help`");
  const std::string& word = arguments.front();
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (word == "--help" || word == "-h") return command;
  if (word == "help") {
    command.topic = rest.empty() ? "" : rest.front();
    if (!command.topic.empty()) verb_of(command.topic);
    return command;
  }
  command.verb = verb_of(word);
  const po::variables_map values = parse(word, options_of(command.verb), rest);
  if (values.count("help") != 0) {
    command.verb = Command::Verb::kHelp;
    command.topic = word;
  } else if (command.verb == Command::Verb::kList) {
    command.topic = argument_of(word, values);
  } else if (command.verb == Command::Verb::kCompare) {
    read_compare_options(command, word, values);
  } else if (command.verb == Command::Verb::kTrace) {
    read_trace_options(command, word, values);
  } else if (command.verb == Command::Verb::kImport) {
    read_import_options(command, word, values);
  } else if (command.verb == Command::Verb::kExport) {
    read_export_options(command, word, values);
  } else if (command.verb == Command::Verb::kLog) {
    read_log_options(command, word, values);
  } else {
    read_scenario_options(command, word, values);
  }
  return command;
}

}  // namespace mho
