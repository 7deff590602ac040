// SPDX-License-Identifier: Apache-2.0
// Tells systems, scenarios and finished runs apart, and reads every scenario once so that mistakes show before the
// first simulation starts.
#include "platforms/program/contenders.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "models/input_error.h"
#include "platforms/config/document.h"
#include "platforms/config/suggest.h"
#include "platforms/scenario/scenario.h"

namespace mho {
namespace {

namespace fs = std::filesystem;
using config::Node;

/// Inferences of a run on synthetic inputs that says nothing else: two give an interval, with four the pipeline has
/// settled to half a percent on the example network.
constexpr const char* kInferences = "4";

struct Contender {
  std::string label;
  std::string folder;       ///< of a finished run, or empty
  ScenarioRequest request;  ///< system or scenario
  bool is_system = false;
};

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

/// A file is a scenario if it, or the file it is based on, says what runs on which system.
bool is_scenario_file(const std::string& path, const ScenarioFiles& files, int depth = 0) {
  const Node tree = config::load_file(path);
  for (const char* key : {"system", "network", "inputs", "trace"})
    if (tree.find(key) != nullptr) return true;
  const Node* base = tree.find("base");
  if (base == nullptr || depth == config::kMaxBaseDepth) return false;
  if (is_path(base->text())) return is_scenario_file(files.find("scenario", *base), files, depth + 1);
  return !has(files.names("system"), base->text()) && has(files.names("scenario"), base->text());
}

Contender system(const std::string& written) {
  Contender contender{is_path(written) ? stem(written) : written, "", {}, true};
  contender.request.options.emplace_back("system", written);
  return contender;
}

Contender scenario(const std::string& path) {
  Contender contender{stem(path), "", {}, false};
  contender.request.file = path;
  return contender;
}

InputError unknown(const std::string& written, const ScenarioFiles& files) {
  std::vector<std::string> known = files.names("system");
  for (const std::string& name : files.names("scenario")) known.push_back(name);
  const std::string meant = config::nearest(written, known);
  return InputError("mho compare", 0, 0,
                    "there is no system, scenario or folder " + excerpt(written) +
                        (meant.empty() ? "" : "; did you mean `" + meant + "`?"),
                    config::alternatives(known) + ", a path, or the folder of a finished run");
}

Contender contender_of(const std::string& written, const ScenarioFiles& files) {
  std::error_code error;
  if (!is_path(written)) {
    if (has(files.names("system"), written)) return system(written);
    const Node name = Node::scalar(written, true);
    if (has(files.names("scenario"), written)) return scenario(files.find("scenario", name));
  }
  if (fs::is_directory(written, error)) {
    std::string folder = written;
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    return {folder, folder, {}, false};
  }
  if (!is_path(written) || !fs::exists(written, error)) throw unknown(written, files);
  return is_scenario_file(written, files) ? scenario(written) : system(written);
}

/// Networks by what they are, so that two scenarios with the same network stand in one table.
class NetworkLabels {
 public:
  std::string of(const Node& written) {
    const bool path = is_path(written.text());
    const std::string key =
        path ? fs::absolute(path_from(written.position(), written.text())).lexically_normal().string() : written.text();
    const auto found = labels_.find(key);
    if (found != labels_.end()) return found->second;
    std::vector<std::string> taken;
    for (const auto& label : labels_) taken.push_back(label.second);
    return labels_[key] = unique_name(path ? stem(written.text()) : written.text(), taken);
  }

 private:
  std::map<std::string, std::string> labels_;
};

/// The command line of a run, and why it would be refused.
PlannedRun plan_run(const Contender& contender, ScenarioRequest request, const ScenarioFiles& files,
                    NetworkLabels& labels) {
  PlannedRun run;
  run.contender = contender.label;
  for (const auto& [key, value] : request.options)
    if (key == "network") run.network = labels.of(Node::scalar(value, true, config::Position("--network")));
  try {
    const Node tree = layered_tree(request, files);
    if (const Node* network = tree.find("network"); network != nullptr) run.network = labels.of(*network);
    const Scenario checked = read_scenario(tree, files);
    if (tree.find("inferences") == nullptr && checked.inputs.empty() && !checked.trace)
      request.options.emplace_back("inferences", kInferences);
  } catch (const InputError& error) {
    run.refusal = error.what();
  }
  run.arguments = {"run"};
  if (!request.file.empty()) run.arguments.push_back(request.file);
  for (const auto& [key, value] : request.options) run.arguments.push_back("--" + key + '=' + value);
  for (const std::string& override : request.overrides) run.arguments.push_back("--set=" + override);
  return run;
}

void plan_contender(std::vector<PlannedRun>& planned, const Contender& contender, const CompareRequest& asked,
                    const ScenarioRequest& options, const ScenarioFiles& files, NetworkLabels& labels) {
  ScenarioRequest request = contender.request;
  request.options.insert(request.options.end(), options.options.begin(), options.options.end());
  request.overrides = options.overrides;
  if (asked.networks.empty() && contender.is_system)
    throw InputError("mho compare", 0, 0, "on which network? " + excerpt(contender.label) + " is a system",
                     "`--network NAME`, once for each, see `mho list networks`");
  if (asked.networks.empty()) planned.push_back(plan_run(contender, request, files, labels));
  for (const std::string& network : asked.networks) {
    ScenarioRequest one = request;
    one.options.emplace_back("network", network);
    planned.push_back(plan_run(contender, std::move(one), files, labels));
  }
}

/// Finished runs go by the name of their machine, or by their folder where that would not tell runs apart.
void name_finished_runs(std::vector<PlannedRun>& planned) {
  std::set<std::pair<std::string, std::string>> pairs;
  bool unique = true;
  for (const PlannedRun& run : planned)
    unique = pairs.emplace(run.finished ? run.finished->system : run.contender, run.network).second && unique;
  for (PlannedRun& run : planned)
    if (run.finished && unique) run.contender = run.finished->system;
}

/// Mistakes that leave nothing to compare are those of the command line.
void refuse_if_nothing_runs(const std::vector<PlannedRun>& planned) {
  for (const PlannedRun& run : planned)
    if (run.refusal.empty()) return;
  for (const PlannedRun& run : planned)
    if (run.refusal != planned.front().refusal) return;
  throw InputError("", 0, 0, planned.front().refusal);
}

}  // namespace

std::vector<PlannedRun> plan_runs(const CompareRequest& request, const ScenarioRequest& options,
                                  const ScenarioFiles& files) {
  std::vector<Contender> contenders;
  std::vector<std::string> taken;
  for (const std::string& written : request.contenders) {
    contenders.push_back(contender_of(written, files));
    contenders.back().label = unique_name(contenders.back().label, taken);
    taken.push_back(contenders.back().label);
  }
  for (const std::string& network : request.networks)
    files.find("network", Node::scalar(network, true, config::Position("--network")));
  NetworkLabels labels;
  std::vector<PlannedRun> planned;
  for (const Contender& contender : contenders) {
    if (contender.folder.empty()) {
      plan_contender(planned, contender, request, options, files, labels);
      continue;
    }
    PlannedRun run;
    run.finished = read_run(contender.folder);
    run.contender = contender.label;
    run.network = run.finished->network;
    planned.push_back(std::move(run));
  }
  name_finished_runs(planned);
  refuse_if_nothing_runs(planned);
  return planned;
}

std::string unique_name(const std::string& name, const std::vector<std::string>& taken) {
  std::string unique = name;
  for (int i = 2; has(taken, unique); ++i) unique = name + " (" + std::to_string(i) + ")";
  return unique;
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (!has(names, name)) names.push_back(name);
}

}  // namespace mho
