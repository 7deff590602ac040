// SPDX-License-Identifier: Apache-2.0
// One run, checked: which machine, which network on which inputs, how faithfully, and the costs that go with it. Files
// it names are known to exist; networks and tensors are read later (workload.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platforms/config/node.h"
#include "platforms/config/reader.h"
#include "platforms/cost/technology.h"
#include "platforms/platform.h"
#include "platforms/scenario/scenario_files.h"
#include "platforms/scenario/slicing_reader.h"
#include "platforms/scenario/timing_reader.h"
#include "platforms/scenario/trace_reader.h"

namespace mho {

/// A file with inferences for one input of a network; `input` is empty where the order of the list decides.
struct InputFile {
  std::string input;
  std::string path;
};

struct Scenario {
  std::string name;     ///< of the run, in reports
  std::string network;  ///< name of the network, in reports
  std::string model;    ///< path of the ONNX model or of the file that lists layers
  config::Node network_parameters = config::Node::mapping();  ///< of a network that lists layers, where they are set
  std::vector<InputFile> inputs;                              ///< none: synthetic inputs from the seed
  std::optional<TraceRequest> trace;                          ///< in place of inputs: recorded layers run alone
  std::string labels;                                         ///< path of the labels, or empty
  std::optional<std::int64_t> inferences;  ///< none: all in the files, one where inputs are synthetic
  std::uint64_t seed = 1;
  std::vector<LayerName> timed_layers;        ///< approximately timed; none: all
  config::Position inputs_at, inferences_at;  ///< where these were written, for mistakes that only the network shows
  PlatformConfig platform;
  SlicingChoice slicing;  ///< of weights, until the network is read
  Technology technology;
  std::optional<double> chip_area_m2;                ///< to compare per area by, in place of the component table's
  config::Node effective = config::Node::mapping();  ///< every key with its value; runs again to the same Scenario
};

/// What a command line says about a scenario.
struct ScenarioRequest {
  std::string file;                                          ///< name or path; empty: the options say it all
  std::vector<std::pair<std::string, std::string>> options;  ///< ("system", "isaac_8b") from `--system isaac_8b`
  std::vector<std::string> inputs;                           ///< from `--inputs`
  std::vector<std::string> overrides;                        ///< from `--set`
  std::vector<std::string> waves;                            ///< from `--waves`; added to `observe.waves`
};

/// System file, scenario file, options and overrides put over each other, in this order.
/// Throws mho::InputError with one line on anything that is not readable or does not exist.
config::Node layered_tree(const ScenarioRequest& request, const ScenarioFiles& files);

/// Takes and checks every key of a tree. Throws mho::InputError with one line at the first mistake.
Scenario read_scenario(const config::Node& tree, const ScenarioFiles& files);

/// Both in one.
Scenario load_scenario(const ScenarioRequest& request, const ScenarioFiles& files);

/// Every key that a scenario may hold, from the code that reads it.
std::vector<config::KeyReference> scenario_keys(const ScenarioFiles& files = ScenarioFiles({}));

}  // namespace mho
