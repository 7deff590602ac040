// SPDX-License-Identifier: Apache-2.0
// Types of the slicing keys; whether slices cover and nest is checked with the whole machine (system_checks.h).
#include "platforms/scenario/slicing_reader.h"

#include <optional>
#include <utility>

#include "models/arithmetic/slicing.h"

namespace mho {
namespace {

using config::integer;
using config::Node;
using config::Reader;
using mapping::Machine;

constexpr int kMostInputs = 1000;

config::ValueType<std::vector<int>> widths_type() { return config::list_of(integer(1, 8), 1, 16); }

/// Speculation of RAELLA (ISCA 2023).
const std::vector<int>& published_speculation() {
  static const std::vector<int> widths{4, 2, 2};
  return widths;
}

/// As find_word, in a key that allows more than words.
std::size_t word_among(const Node& node, const std::string& path, const std::vector<std::string>& words,
                       const std::string& allowed) try {
  return config::find_word(node, path, words);
} catch (const InputError& error) {
  throw InputError(error.file(), error.line(), error.column(), error.problem(), allowed);
}

/// `false`, `true` or widths; no widths stand for no speculation.
config::ValueType<std::vector<int>> speculation_type() {
  const auto list = widths_type();
  config::ValueType<std::vector<int>> type;
  type.type = "boolean or list of integer";
  type.allowed = "`false`, `true` for [4, 2, 2], or " + list.allowed;
  type.read = [list, allowed = type.allowed](const Node& node, const std::string& path) {
    if (node.is(Node::Kind::sequence)) return list.read(node, path);
    return word_among(node, path, {"false", "true"}, allowed) == 1 ? published_speculation() : std::vector<int>();
  };
  type.write = [list](const std::vector<int>& widths) {
    return widths.empty() ? Node::scalar("false", false) : list.write(widths);
  };
  return type;
}

struct WrittenSlicing {
  bool adaptive = false;
  std::vector<int> all;  ///< empty: uniform
  std::vector<std::pair<std::string, std::vector<int>>> layers;
};

config::ValueType<WrittenSlicing> weight_slicing_type() {
  const auto list = widths_type();
  const auto map = config::map_of(list);
  config::ValueType<WrittenSlicing> type;
  type.type = "word, list of integer, or such lists by layer";
  type.allowed = "`uniform`, `adaptive`, " + list.allowed + ", or such lists by the names of layers";
  type.read = [list, map, allowed = type.allowed](const Node& node, const std::string& path) {
    WrittenSlicing slicing;
    if (node.is(Node::Kind::mapping)) {
      slicing.layers = map.read(node, path);
    } else if (node.is(Node::Kind::sequence)) {
      slicing.all = list.read(node, path);
    } else {
      slicing.adaptive = word_among(node, path, {"uniform", "adaptive"}, allowed) == 1;
    }
    return slicing;
  };
  type.write = [list, map](const WrittenSlicing& slicing) {
    if (!slicing.layers.empty()) return map.write(slicing.layers);
    if (!slicing.all.empty()) return list.write(slicing.all);
    return Node::scalar(slicing.adaptive ? "adaptive" : "uniform", false);
  };
  return type;
}

void read_inputs(Reader& root, Machine& m) {
  m.data_bits = root.get("data_bits", integer(8, 16), m.data_bits,
                         "width of activations and weights; 8-bit codes are extended to it");
  m.dac_bits = root.section("dac", "the word line drivers")
                   .get("bits", integer(1, 8), m.dac_bits, "bits of a DAC: the widest input slice");
  m.input_slicing = root.get("input_slicing", config::or_word(widths_type(), "uniform"), std::nullopt,
                             "widths of input slices, most significant first; uniform: data_bits in slices of dac.bits")
                        .value_or(std::vector<int>());
  m.speculation = root.get("speculation", speculation_type(), {},
                           "wide input slices that are tried first; columns whose code reaches a bound of the "
                           "converter's range are read again in the slices of input_slicing");
  m.signed_inputs =
      root.get("signed_inputs",
               config::choice<mapping::SignedInputs>({{"twos_complement", mapping::SignedInputs::kTwosComplement},
                                                      {"two_passes", mapping::SignedInputs::kTwoPasses}}),
               m.signed_inputs, "how signed activations are driven; two_passes: positive parts, then negative ones");
  m.input_sum = root.get("input_sum",
                         config::choice<mapping::InputSum>({{"unit_column", mapping::InputSum::kUnitColumn},
                                                            {"digital", mapping::InputSum::kDigital}}),
                         m.input_sum,
                         "who adds up the inputs that the offset of an encoding is multiplied with: a column of cells "
                         "and its conversions, or an adder behind the input register");
}

void read_search(Reader& root, SlicingChoice& choice) {
  Reader r = root.section("slicing_search", "how `weight_slicing: adaptive` chooses");
  choice.search.positions = r.get("positions", integer(1, mapping::kMostSlicingPositions), choice.search.positions,
                                  "windows of a layer that are sampled; all where it has fewer");
  choice.search.seed = r.get("seed", config::unsigned_integer(), choice.search.seed, "which windows");
  choice.search.budget = r.get("budget", config::real({0.0, 255.0, false}), choice.search.budget,
                               "mean |code error| of a layer's outputs below which a slicing is accepted");
  choice.inputs = r.get("inputs", integer(1, kMostInputs), choice.inputs,
                        "inferences of calibration, the first of the scenario's files, else synthetic ones");
}

}  // namespace

SlicingChoice read_slicing(Reader& root, Machine& m) {
  read_inputs(root, m);
  SlicingChoice choice;
  const WrittenSlicing slicing =
      root.get("weight_slicing", weight_slicing_type(), {},
               "widths of weight slices, most significant first; uniform: data_bits in slices of crossbar.cell_bits; "
               "a list holds for all layers, a map for the layers it names, the others being uniform; adaptive: "
               "searched for each layer, as few as keep its error small");
  choice.adaptive = slicing.adaptive;
  choice.at = root.position("weight_slicing");
  m.weight_slicing =
      slicing.all.empty() ? arithmetic::Slicing::uniform(m.data_bits, m.crossbar.cell_bits).widths() : slicing.all;
  const Node* const written = root.peek("weight_slicing");
  for (std::size_t i = 0; i < slicing.layers.size(); ++i) {
    m.layer_slicings.insert(slicing.layers[i]);
    if (written != nullptr) choice.layers.push_back({slicing.layers[i].first, written->members()[i].key_position});
  }
  read_search(root, choice);
  return choice;
}

Node slicings_node(const std::map<std::string, std::vector<int>>& slicings) {
  WrittenSlicing slicing;
  slicing.layers.assign(slicings.begin(), slicings.end());
  return weight_slicing_type().write(slicing);
}

}  // namespace mho
