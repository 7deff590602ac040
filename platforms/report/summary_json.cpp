// SPDX-License-Identifier: Apache-2.0
// Writes a Summary as JSON. Keys are an interface: scripts, sweeps and papers read them.
#include <nlohmann/json.hpp>

#include "platforms/report/summary.h"

namespace mho {
namespace {

nlohmann::ordered_json or_null(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

std::string to_json(const Summary& s) {
  nlohmann::ordered_json json;
  json["scenario"] = s.scenario;
  json["system"] = s.system;
  json["network"] = s.network;
  json["seed"] = s.seed;
  json["inferences"] = s.inferences;
  json["accuracy_top1"] = or_null(s.accuracy_top1);
  json["accuracy_top5"] = or_null(s.accuracy_top5);
  json["latency_s"] = s.latency_s;
  json["steady_latency_s"] = or_null(s.steady_latency_s);
  json["throughput_per_s"] = or_null(s.throughput_per_s);
  json["energy_per_inference_j"] = s.energy_per_inference_j;
  json["energy_breakdown_j"] = nlohmann::ordered_json::object();
  for (const auto& [component, energy] : s.energy_breakdown_j) json["energy_breakdown_j"][component] = energy;
  json["area_mm2"] = s.area_mm2;
  json["comparison_area_mm2"] = s.comparison_area_mm2;
  json["power_w"] = s.power_w;
  json["average_power_w"] = s.average_power_w;
  json["chips"] = s.chips;
  json["macs"] = s.macs;
  json["digital_macs"] = s.digital_macs;
  json["adc_conversions"] = s.adc_conversions;
  json["adc_unit_conversions"] = s.adc_unit_conversions;
  json["adc_conversions_per_mac"] = s.adc_conversions_per_mac;
  json["adc_conversions_per_mac_full_rows"] = s.adc_conversions_per_mac_full_rows;
  json["adc_saturations"] = s.adc_saturations;
  json["sums_in_range"] = or_null(s.sums_in_range);
  json["speculations"] = s.speculations;
  json["speculation_failures"] = s.speculation_failures;
  json["recovery_conversions"] = s.recovery_conversions;
  json["weight_slicings"] = nlohmann::ordered_json::object();
  for (const auto& [slicing, layers] : s.weight_slicings) json["weight_slicings"][slicing] = layers;
  json["cell_write_steps"] = s.cell_write_steps;
  json["crossbars_used"] = s.crossbars_used;
  json["crossbars_total"] = s.crossbars_total;
  json["output_mean_abs_error"] = s.output_mean_abs_error;
  json["programming_time_s"] = s.programming_time_s;
  json["programming_energy_j"] = s.programming_energy_j;
  json["wall_time_s"] = s.wall_time_s;
  json["compile_time_s"] = s.compile_time_s;
  json["host_peak_memory_bytes"] = s.host_peak_memory_bytes;
  json["notes"] = s.notes;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace mho
