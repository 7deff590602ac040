// SPDX-License-Identifier: Apache-2.0
// Sorts layers by the time their resources are busy with an inference and words the result.
#include "platforms/report/pace_report.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include "platforms/config/quantity.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

constexpr std::size_t kBusiestLayers = 5;
constexpr double kAlwaysBusy = 0.9;  ///< share of the time from which a layer counts as the one that sets the pace
constexpr std::size_t kNameLength = 40;

std::string seconds(double value) { return config::format_engineering(value, config::Quantity::time); }

std::vector<LayerRow> busiest(std::vector<LayerRow> rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const LayerRow& a, const LayerRow& b) {
    return a.time_per_inference_s > b.time_per_inference_s;
  });
  const auto idle = [](const LayerRow& row) { return row.time_per_inference_s <= 0.0; };
  rows.erase(std::find_if(rows.begin(), rows.end(), idle), rows.end());
  rows.resize(std::min(rows.size(), kBusiestLayers));
  return rows;
}

std::string share_of(double part, double whole) { return whole > 0.0 ? percent(part / whole) : "-"; }

/// One sentence about what the busiest layer and its company mean.
std::string conclusion(const std::vector<LayerRow>& rows, const LayerRow& first) {
  const auto always_busy = [](const LayerRow& row) { return row.utilisation >= kAlwaysBusy; };
  const auto busy = std::uint64_t(std::count_if(rows.begin(), rows.end(), always_busy));
  if (busy == 0) return "No layer is busy all the time: rows wait for each other, for buffers or for main memory.";
  const std::string name = printable(first.name, kNameLength), part = part_called(first.timing.limited_by);
  if (busy == 1) return name + " sets the pace, limited by " + part + '.';
  return grouped(busy) + " layers are busy nearly all the time, so the pipeline is balanced; " + name +
         " comes first, limited by " + part + '.';
}

}  // namespace

std::string part_called(const std::string& module) {
  static constexpr std::array<std::pair<const char*, const char*>, 8> kParts{{{"crossbars", "crossbar cycles"},
                                                                              {"adc", "converters"},
                                                                              {"shift_add", "shift-and-add"},
                                                                              {"bus", "bus to the crossbars"},
                                                                              {"buffer", "eDRAM"},
                                                                              {"function", "function unit"},
                                                                              {"network", "links between tiles"},
                                                                              {"router", "links between tiles"}}};
  const std::string last = module.substr(module.rfind('.') + 1);
  for (const auto& [name, part] : kParts)
    if (last.compare(0, std::string(name).size(), name) == 0) return part;
  return printable(last, kNameLength);
}

void write_pace(std::ostream& out, const std::vector<LayerRow>& rows, double duration_s) {
  const std::vector<LayerRow> top = busiest(rows);
  if (top.empty()) return;
  out << "\nWhere the time went\n";
  TextTable table({Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                   Align::kRight, Align::kRight, Align::kLeft});
  table.add({"busiest layers", "windows", "replicas", "a window", "an inference", "busy", "no input", "no space",
             "limited by"});
  for (const LayerRow& row : top)
    table.add({printable(row.name, kNameLength), grouped(row.windows), grouped(std::uint64_t(row.replicas)),
               seconds(row.timing.interval_s), seconds(row.time_per_inference_s), percent(row.utilisation),
               share_of(row.timing.input_stall_s, duration_s), share_of(row.timing.buffer_stall_s, duration_s),
               part_called(row.timing.limited_by)});
  table.write(out);
  out << "  " << conclusion(rows, top.front()) << '\n';
}

void write_layer_table(std::ostream& out, const std::vector<LayerRow>& rows) {
  out << "\nLayers: time and energy of an inference, stalls and saturations of the run\n";
  TextTable table({Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                   Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                   Align::kLeft});
  table.add({"layer", "operator", "fidelity", "slices", "windows", "replicas", "crossbars", "cells", "time", "no input",
             "no space", "saturated", "energy", "limited by"});
  for (const LayerRow& row : rows)
    table.add({printable(row.name, kNameLength), row.op, row.fidelity, row.slicing, grouped(row.windows),
               grouped(std::uint64_t(row.replicas)), grouped(row.crossbars), percent(row.cell_utilisation),
               seconds(row.time_per_inference_s), seconds(row.timing.input_stall_s), seconds(row.timing.buffer_stall_s),
               grouped(row.counts[observe::Action::kSaturations]),
               config::format_engineering(row.total_energy_j, config::Quantity::energy),
               part_called(row.timing.limited_by)});
  table.write(out);
}

}  // namespace mho
