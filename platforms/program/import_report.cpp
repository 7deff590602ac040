// SPDX-License-Identifier: Apache-2.0
// Rows of layers once, for both forms.
#include "platforms/program/import_report.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

#include "models/input_error.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using Json = nlohmann::ordered_json;

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string extent_of(const dnn::Shape& s) {
  return s.height == 1 && s.width == 1 ? std::to_string(s.channels) : dnn::text_of(s);
}

const char* name_of(dnn::CodeType type) { return type == dnn::CodeType::kUint8 ? "uint8" : "int8"; }

/// What the range of a node's outputs is called: a fused activation. A range of codes that is the whole type is none.
std::string activation_of(const dnn::FloatNetwork& network, std::size_t n) {
  const dnn::Node& node = network.graph.nodes[n];
  const dnn::Tensor& output = network.graph.output_of(node);
  if (network.quantised[std::size_t(node.output)]) {
    const bool to_the_top = node.upper == dnn::highest_code(output.type);
    if (to_the_top && node.lower == dnn::lowest_code(output.type)) return "";
    return to_the_top && node.lower == output.zero_point ? "relu" : "clip";
  }
  const dnn::RealRange& range = network.range[n];
  if (range.lower == 0.0 && std::isinf(range.upper)) return "relu";
  if (range.lower == 0.0 && range.upper == 6.0) return "relu6";
  return std::isinf(range.lower) && std::isinf(range.upper) ? "" : "clip";
}

/// The word a designer would use.
std::string operator_of(const dnn::Graph& graph, const dnn::Node& node) {
  if (node.op == dnn::Operator::kFunction) return dnn::name_of(node.function);
  if (node.op != dnn::Operator::kConvolution) return dnn::name_of(node.op);
  const int groups = node.weights.groups;
  if (dnn::is_fully_connected(graph, node)) return "fully_connected";
  if (groups > 1 && groups == graph.input_of(node).shape.channels) return "depthwise";
  return groups > 1 ? "convolution in " + std::to_string(groups) + " groups" : "convolution";
}

/// "3x3", "3x3/2" with a stride.
std::string kernel_of(const dnn::Node& node) {
  if (!slides(node)) return "";
  const dnn::Window& w = node.window;
  std::string text = std::to_string(w.kernel_height) + "x" + std::to_string(w.kernel_width);
  if (w.stride_y != w.stride_x) return text + "/" + std::to_string(w.stride_y) + "x" + std::to_string(w.stride_x);
  return w.stride_y == 1 ? text : text + "/" + std::to_string(w.stride_y);
}

struct Totals {
  std::uint64_t weights = 0, biases = 0, macs = 0, digital_macs = 0;
};

std::uint64_t weights_of(const dnn::FloatNetwork& network, std::size_t n) {
  const std::size_t real = network.real_weights[n].values.size();
  return real > 0 ? real : network.graph.nodes[n].weights.values.size();
}

std::uint64_t biases_of(const dnn::FloatNetwork& network, std::size_t n) {
  const dnn::RealWeights& real = network.real_weights[n];
  return real.values.empty() ? network.graph.nodes[n].weights.bias.size() : real.bias.size();
}

Totals totals_of(const dnn::FloatNetwork& network) {
  Totals totals;
  for (std::size_t n = 0; n < network.graph.nodes.size(); ++n) {
    totals.weights += weights_of(network, n);
    totals.biases += biases_of(network, n);
    totals.macs += dnn::macs(network.graph, network.graph.nodes[n]);
    totals.digital_macs += dnn::digital_macs(network.graph, network.graph.nodes[n]);
  }
  return totals;
}

std::string format_of(const dnn::Tensor& tensor) {
  std::string text = std::string(name_of(tensor.type)) + ", " + formatted("%.4g", tensor.scale);
  if (tensor.zero_point != 0) text += ", zero at " + std::to_string(tensor.zero_point);
  return text;
}

void write_layers(std::ostream& out, const ImportReport& report) {
  const dnn::Graph& graph = report.network->graph;
  TextTable table({Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                   Align::kRight, Align::kLeft});
  std::vector<std::string> titles{"layer", "operator", "input", "output", "kernel/stride", "weights", "MACs"};
  if (report.graph != nullptr) titles.push_back("output codes, step");
  table.add(titles);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const dnn::Node& node = graph.nodes[n];
    const std::uint64_t weights = weights_of(*report.network, n);
    const std::uint64_t macs = dnn::macs(graph, node) + dnn::digital_macs(graph, node);
    const std::string activation = activation_of(*report.network, n);
    std::vector<std::string> row{printable(node.name, 60),
                                 operator_of(graph, node) + (activation.empty() ? "" : ", " + activation),
                                 extent_of(graph.input_of(node).shape),
                                 extent_of(graph.output_of(node).shape),
                                 kernel_of(node),
                                 weights > 0 ? grouped(weights) : "",
                                 macs > 0 ? grouped(macs) : ""};
    if (report.graph != nullptr) row.push_back(format_of(report.graph->output_of(report.graph->nodes[n])));
    table.add(row);
  }
  table.write(out);
}

void write_inputs(std::ostream& out, const ImportReport& report) {
  for (const int input : report.network->graph.inputs) {
    const dnn::Tensor& tensor = report.network->graph.tensors[std::size_t(input)];
    out << "  input " << printable(tensor.name, 60) << ", " << extent_of(tensor.shape);
    if (report.graph != nullptr) out << ", " << format_of(report.graph->tensors[std::size_t(input)]);
    out << '\n';
  }
  out << '\n';
}

void write_totals(std::ostream& out, const ImportReport& report) {
  const Totals totals = totals_of(*report.network);
  out << "\n  " << count_of(report.network->graph.nodes.size(), "layer") << ", " << count_of(totals.weights, "weight")
      << " and " << (totals.biases == 1 ? "1 bias" : grouped(totals.biases) + " biases") << ", "
      << count_of(totals.macs, "multiply-accumulate") << " an inference";
  if (totals.digital_macs > 0) out << " and " << grouped(totals.digital_macs) << " between activations";
  out << '\n';
}

/// A share's difference in percentage points, with its sign.
std::string points(double difference) { return formatted("%+.2f", difference * 100); }

void write_judgement(std::ostream& out, const ImportReport& report, const ImportJudgement& judgement) {
  const dnn::Comparison& comparison = judgement.comparison;
  out << "\nAgainst float on " << count_of(judgement.samples, judgement.held_out ? "other sample" : "sample")
      << (judgement.held_out || report.calibration == 0 ? "" : ", the same that gave the ranges") << '\n';
  TextTable table({Align::kLeft, Align::kLeft});
  for (std::size_t i = 0; i < comparison.outputs.size(); ++i) {
    const dnn::OutputError& error = comparison.outputs[i];
    const std::string& name = report.graph->tensors[std::size_t(report.graph->outputs[i])].name;
    table.add({printable(name, 60), "mean absolute error " + formatted("%.4g", error.mean_abs_error) +
                                        ", signal to quantisation noise " + formatted("%.1f", error.sqnr_db()) +
                                        " dB"});
  }
  table.add({"same answer", formatted("%.2f %%", comparison.agreement() * 100)});
  if (const auto& a = judgement.accuracy) {
    table.add({"accuracy", "float " + formatted("%.2f %%", a->first * 100) + ", quantised " +
                               formatted("%.2f %%", a->second * 100)});
    table.add({"difference", points(a->second - a->first) + " points, 95 % interval " + points(a->lower) + " to " +
                                 points(a->upper) + " (the same samples in both)"});
  }
  table.write(out);
}

Json shape_json(const dnn::Shape& s) { return Json::array({s.height, s.width, s.channels}); }

void add_format(Json& json, const dnn::Tensor& tensor) {
  json["type"] = name_of(tensor.type);
  json["scale"] = tensor.scale;
  json["zero_point"] = tensor.zero_point;
}

Json input_json(const ImportReport& report, int index) {
  const dnn::Tensor& tensor = report.network->graph.tensors[std::size_t(index)];
  Json input;
  input["name"] = printable(tensor.name, 1000);
  input["shape"] = shape_json(tensor.shape);
  if (report.graph != nullptr) add_format(input, report.graph->tensors[std::size_t(index)]);
  return input;
}

Json layer_json(const ImportReport& report, std::size_t n) {
  const dnn::Graph& graph = report.network->graph;
  const dnn::Node& node = graph.nodes[n];
  Json layer;
  layer["name"] = printable(node.name, 1000);
  layer["operator"] = operator_of(graph, node);
  layer["activation"] = activation_of(*report.network, n);
  layer["input"] = shape_json(graph.input_of(node).shape);
  layer["output"] = shape_json(graph.output_of(node).shape);
  if (slides(node)) {
    layer["kernel"] = {node.window.kernel_height, node.window.kernel_width};
    layer["stride"] = {node.window.stride_y, node.window.stride_x};
  }
  layer["weights"] = weights_of(*report.network, n);
  layer["macs"] = dnn::macs(graph, node);
  layer["digital_macs"] = dnn::digital_macs(graph, node);
  if (report.graph != nullptr) add_format(layer, report.graph->output_of(report.graph->nodes[n]));
  return layer;
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json judgement_json(const ImportReport& report, const ImportJudgement& judgement) {
  Json json;
  json["samples"] = judgement.samples;
  json["held_out"] = judgement.held_out;
  json["outputs"] = Json::array();
  for (std::size_t i = 0; i < judgement.comparison.outputs.size(); ++i) {
    const dnn::OutputError& error = judgement.comparison.outputs[i];
    json["outputs"].push_back(
        {{"name", printable(report.graph->tensors[std::size_t(report.graph->outputs[i])].name, 1000)},
         {"mean_abs_error", error.mean_abs_error},
         {"sqnr_db", number_or_null(error.sqnr_db())}});
  }
  json["top1_agreement"] = judgement.comparison.agreement();
  const auto& a = judgement.accuracy;
  json["accuracy_float"] = a ? Json(a->first) : Json(nullptr);
  json["accuracy_quantised"] = a ? Json(a->second) : Json(nullptr);
  json["accuracy_difference"] = a ? Json(a->second - a->first) : Json(nullptr);
  json["accuracy_difference_interval"] = a ? Json({a->lower, a->upper}) : Json(nullptr);
  return json;
}

}  // namespace

void write_import_text(std::ostream& out, const ImportReport& report) {
  out << printable(report.model, 400) << ": " << (report.graph == nullptr ? "a float network" : "8-bit codes");
  if (report.calibration > 0) out << ", ranges by " << report.range << " of " << count_of(report.calibration, "sample");
  out << "\n\n";
  write_inputs(out, report);
  write_layers(out, report);
  write_totals(out, report);
  if (report.judgement) write_judgement(out, report, *report.judgement);
}

std::string import_json(const ImportReport& report) {
  const Totals totals = totals_of(*report.network);
  Json json;
  json["model"] = printable(report.model, 1000);
  json["quantised"] = report.graph != nullptr;
  json["range"] = report.range.empty() ? Json(nullptr) : Json(report.range);
  json["calibration_samples"] = report.calibration;
  json["inputs"] = Json::array();
  for (const int input : report.network->graph.inputs) json["inputs"].push_back(input_json(report, input));
  json["layers"] = Json::array();
  for (std::size_t n = 0; n < report.network->graph.nodes.size(); ++n) json["layers"].push_back(layer_json(report, n));
  json["weights"] = totals.weights;
  json["biases"] = totals.biases;
  json["macs"] = totals.macs;
  json["digital_macs"] = totals.digital_macs;
  json["comparison"] = report.judgement ? judgement_json(report, *report.judgement) : Json(nullptr);
  return json.dump(2) + '\n';
}

}  // namespace mho
