// SPDX-License-Identifier: Apache-2.0
// One row a node of the network: what it is, where it sits, how long it took, what it counted and cost. layers.csv and
// the printed tables are written from these.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/observe/ledger.h"
#include "platforms/cost/energy_report.h"
#include "platforms/run_record.h"
#include "platforms/scenario/scenario.h"
#include "platforms/scenario/workload.h"

namespace mho {

struct LayerRow {
  std::string name, op;
  std::uint64_t windows = 0;       ///< output positions of one inference
  std::uint64_t macs = 0;          ///< of one inference
  std::uint64_t digital_macs = 0;  ///< of one inference, products of two activations
  int replicas = 1;
  std::uint64_t crossbars = 0;    ///< of all replicas
  double cell_utilisation = 0.0;  ///< cells of those crossbars that hold weights, 0..1
  std::string fidelity;           ///< "exact", "sliced", "noisy", or "digital" for function units
  std::string slicing;            ///< of its weights, "4-2-2"; empty where there are none
  int expansion = 1;              ///< windows that one vector computes
  /// Conversions of one MAC if all rows of its crossbars were used: slices x cycles that convert every column, and as
  /// many again in part as it recovered, over the rows of a crossbar; 0 where there are none.
  double conversions_per_mac_full_rows = 0.0;
  NodeTiming timing;                  ///< of the run
  double time_per_inference_s = 0.0;  ///< that its resources are busy with one inference, see busy_per_inference
  double utilisation = 0.0;           ///< that time as a share of the steady interval (of the run if there is none)
  observe::Counts counts;             ///< of the run
  std::vector<double> energy_j;       ///< [component], of one inference
  double total_energy_j = 0.0;        ///< of one inference
};

/// Seconds that one replica of a node is busy with one inference, the mean over its replicas: `busy_s` adds up rows of
/// so many vectors, and where there are more replicas than vectors in a row several rows are under way at once.
double busy_per_inference(double busy_s, std::uint64_t inferences, int replicas, int vectors);

/// Widths as people write them: "4-2-2".
std::string slicing_text(const std::vector<int>& widths);

/// Rows in node order, and a last one, "(machine)", for what no node caused and for static energy.
std::vector<LayerRow> layer_rows(const Scenario& scenario, const Workload& workload, const RunRecord& record,
                                 const EnergyReport& energy);

/// layers.csv: a header with units in its names, one line a row, text quoted as RFC 4180 asks.
std::string to_csv(const std::vector<LayerRow>& rows, const std::vector<std::string>& components);

}  // namespace mho
