// SPDX-License-Identifier: Apache-2.0
// `mho import`: an ONNX model to layers, to a quantised network, to a judgement of it, to files that a run takes.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>
#include <thread>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/onnx_writer.h"
#include "models/dnn/quantisation/quantise.h"
#include "models/input_error.h"
#include "platforms/config/value_type.h"
#include "platforms/config/writer.h"
#include "platforms/program/commands.h"
#include "platforms/program/import_report.h"
#include "platforms/program/import_samples.h"
#include "platforms/program/progress_bar.h"
#include "platforms/report/run_folder.h"
#include "platforms/scenario/labels.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

using config::Node;
using config::Position;

constexpr std::size_t kCalibration = 256;  ///< samples that give ranges unless --calibration says otherwise
constexpr std::int64_t kMostSamples = 1'000'000'000;

/// Options with their values read.
struct Settings {
  dnn::QuantiseOptions options;
  std::size_t calibration = kCalibration;
  double step = 1.0 / 255;  ///< of samples that are codes
  std::string range;        ///< as in the report
};

template <class T>
T read_option(const std::string& name, const std::string& text, const config::ValueType<T>& type) {
  return type.read(Node::scalar(text, false, Position("--" + name)), name);
}

Settings settings_of(const Command& command) {
  using dnn::RangeMethod;
  const auto method = config::choice<RangeMethod>({{"min_max", RangeMethod::kMinMax},
                                                   {"percentile", RangeMethod::kPercentile},
                                                   {"mse", RangeMethod::kMeanSquareError}});
  Settings settings;
  for (const auto& [name, text] : command.import.options) {
    if (name == "range") settings.options.range = read_option(name, text, method);
    if (name == "percentile") settings.options.percentile = read_option(name, text, config::real({50.0, 100.0, false}));
    if (name == "calibration")
      settings.calibration = std::size_t(read_option(name, text, config::integer64(1, kMostSamples)));
    if (name == "step") settings.step = read_option(name, text, config::real({1e-9, 1e9, false}));
    const bool needs_range = name == "percentile" && settings.options.range != RangeMethod::kPercentile;
    if (needs_range) throw InputError("--percentile", 0, 0, "is given without `--range percentile`");
    if (command.import.samples.empty())
      throw InputError("--" + name, 0, 0, "is given without samples", "`--samples FILE`");
  }
  if (!command.import.labels.empty() && command.import.samples.empty())
    throw InputError("--labels", 0, 0, "is given without samples", "`--samples FILE`");
  settings.range = dnn::name_of(settings.options.range);
  if (settings.options.range == RangeMethod::kPercentile)
    settings.range += " " + config::format_real(settings.options.percentile);
  settings.options.threads = std::max(1, int(std::thread::hardware_concurrency()));
  return settings;
}

/// One bar over all that is run.
class Progress {
 public:
  explicit Progress(const Surroundings& surroundings) : bar_(*surroundings.err, surroundings.err_is_terminal) {}
  /// `all` inferences in several parts.
  void expect(std::size_t all) { all_ = all; }
  dnn::QuantiseProgress part(std::size_t inferences) {
    const std::size_t before = before_;
    before_ += inferences;
    return [this, before](std::size_t done, std::size_t) { bar_.update(before + done, all_); };
  }

 private:
  ProgressBar bar_;
  std::size_t before_ = 0, all_ = 0;
};

/// A model with what the user gave for it.
struct Import {
  dnn::FloatNetwork network;
  std::unique_ptr<ImportSamples> samples;
  std::vector<std::int64_t> labels;  ///< of all samples, or none
};

Import read(const Command& command, const Settings& settings) {
  const ImportRequest& request = command.import;
  Import read{dnn::read_network(request.model), nullptr, {}};
  dnn::FloatNetwork& network = read.network;
  if (!request.samples.empty()) {
    read.samples = std::make_unique<ImportSamples>(network, request.samples, settings.step);
    read.samples->state_codes(network);
    const std::size_t classes = network.graph.tensors[std::size_t(network.graph.outputs.front())].shape.bytes();
    if (!request.labels.empty()) read.labels = load_labels(request.labels, read.samples->count(), "a sample", classes);
  }
  if (!dnn::is_quantised(network)) return read;
  for (const auto& [name, text] : request.options)
    if (name != "step") throw InputError("--" + name, 0, 0, "the model is quantised already", "a float model");
  return read;
}

/// Quantises where that is to be done, and judges the result: `graph` becomes what machines run.
void quantise_and_judge(const Import& import, const Settings& settings, dnn::Graph& graph, ImportReport& report,
                        const Surroundings& surroundings) {
  Progress progress(surroundings);
  const ImportSamples& samples = *import.samples;
  const bool quantised = dnn::is_quantised(import.network);
  report.calibration = quantised ? 0 : std::min(settings.calibration, samples.count());
  const std::size_t runs = report.calibration * std::size_t(dnn::passes_of(settings.options.range));
  ImportJudgement judgement;
  judgement.held_out = report.calibration > 0 && report.calibration < samples.count();
  const std::size_t first = judgement.held_out ? report.calibration : 0;
  judgement.samples = samples.count() - first;
  progress.expect(runs + judgement.samples);
  if (!quantised) {
    report.range = settings.range;
    graph = dnn::quantise(import.network, samples, report.calibration, settings.options, progress.part(runs));
  }
  judgement.comparison = dnn::compare(import.network, graph, samples, first, judgement.samples,
                                      settings.options.threads, progress.part(judgement.samples));
  if (!import.labels.empty())
    judgement.accuracy = dnn::paired_shares(judgement.comparison.float_class, judgement.comparison.quantised_class,
                                            {import.labels.begin() + std::ptrdiff_t(first), import.labels.end()});
  report.judgement = std::move(judgement);
}

/// The network by name, with the samples as its inputs: what --network takes.
std::string descriptor_of(const Command& command, const dnn::Graph& graph, const std::vector<std::string>& samples) {
  const fs::path folder = fs::absolute(command.out).lexically_normal();
  const auto seen_from_folder = [&](const std::string& path) {
    return Node::scalar(fs::absolute(path).lexically_normal().lexically_proximate(folder).string(), true);
  };
  Node tree = Node::mapping();
  tree.set("description", Node::scalar("imported from " + printable(command.import.model, 200), true));
  tree.set("model", Node::scalar("model.onnx", false));
  if (samples.size() == 1) {
    Node list = Node::sequence();
    list.append(seen_from_folder(samples.front()));
    tree.set("inputs", list);
  } else if (!samples.empty()) {
    Node inputs = Node::mapping();
    for (std::size_t i = 0; i < samples.size(); ++i)
      inputs.set(graph.tensors[std::size_t(graph.inputs[i])].name, seen_from_folder(samples[i]));
    tree.set("inputs", inputs);
  }
  if (!command.import.labels.empty()) tree.set("labels", seen_from_folder(command.import.labels));
  return config::write_yaml(tree);
}

std::string name_of_folder(const std::string& out) {
  const fs::path folder = fs::absolute(out).lexically_normal();
  return (folder.has_filename() ? folder : folder.parent_path()).filename().string();
}

void write_files(const RunFolder& folder, const Command& command, const ImportReport& report,
                 const std::vector<std::string>& samples) {
  dnn::write_onnx(folder.file("model.onnx"), *report.graph);
  folder.write(name_of_folder(command.out) + ".yaml", descriptor_of(command, *report.graph, samples));
  folder.write("import.json", import_json(report));
}

/// What to do next.
void write_advice(std::ostream& out, const Command& command, const ImportReport& report) {
  if (report.graph == nullptr) {
    out << "\nMachines compute with 8-bit codes: give `--samples FILE` (some inputs, as an ONNX tensor) to quantise "
           "it.\n";
  } else if (command.out.empty()) {
    out << "\nGive `--out DIR` to keep the network for `mho run`.\n";
  } else {
    const std::string descriptor = (fs::path(command.out) / (name_of_folder(command.out) + ".yaml")).string();
    out << "\nThe network is in " << command.out << "; next: mho run --system isaac_8b --network " << descriptor
        << " --inferences 1\n";
  }
}

}  // namespace

void import_command(const Command& command, const Surroundings& surroundings) {
  const Settings settings = settings_of(command);
  const Import import = read(command, settings);
  const bool quantised = dnn::is_quantised(import.network);
  std::unique_ptr<RunFolder> folder;
  if (!command.out.empty()) {
    if (!import.samples && !quantised)
      throw InputError("--out", 0, 0, "a float network is quantised first", "`--samples FILE` as well");
    require_new_folder(command.out);
    folder = std::make_unique<RunFolder>(command.out);
  }
  dnn::Graph graph = import.network.graph;
  ImportReport report;
  report.model = command.import.model;
  report.network = &import.network;
  if (import.samples || quantised) report.graph = &graph;
  if (import.samples) quantise_and_judge(import, settings, graph, report, surroundings);
  if (folder) {
    write_files(*folder, command, report, import.samples ? import.samples->paths() : std::vector<std::string>());
    folder->commit();
  }
  if (command.json) {
    *surroundings.out << import_json(report);
    return;
  }
  write_import_text(*surroundings.out, report);
  write_advice(*surroundings.out, command, report);
}

}  // namespace mho
