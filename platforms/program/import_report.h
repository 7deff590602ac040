// SPDX-License-Identifier: Apache-2.0
// What `mho import` tells of a model: its layers, its formats where it has them, and how far the quantised network is
// from the float one; as text for people and as JSON for programs.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "models/dnn/quantisation/float_network.h"
#include "models/dnn/quantisation/quantise_comparison.h"

namespace mho {

/// How the quantised network was judged.
struct ImportJudgement {
  std::size_t samples = 0;
  bool held_out = false;  ///< none of them gave a range
  dnn::Comparison comparison;
  std::optional<dnn::PairedShares> accuracy;  ///< where there are labels
};

struct ImportReport {
  std::string model;                           ///< path, as the user wrote it
  const dnn::FloatNetwork* network = nullptr;  ///< as read; shapes, operators, weights
  const dnn::Graph* graph = nullptr;           ///< with formats, or null where the network is float and stays so
  std::string range;                           ///< method by name and its parameter; empty where nothing was quantised
  std::size_t calibration = 0;                 ///< samples that gave ranges
  std::optional<ImportJudgement> judgement;
};

/// Layer table, totals and judgement.
void write_import_text(std::ostream& out, const ImportReport& report);
/// One object: model, quantised, inputs[], layers[], weights, biases, macs, digital_macs, range, calibration_samples,
/// comparison.
std::string import_json(const ImportReport& report);

}  // namespace mho
