// SPDX-License-Identifier: Apache-2.0
// A comparison for programs: JSON with every summary in it, and CSV with the measures alone.
#include <nlohmann/json.hpp>
#include <sstream>

#include "platforms/config/quantity.h"
#include "platforms/report/comparison.h"
#include "platforms/report/csv_field.h"

namespace mho {
namespace {

using nlohmann::ordered_json;

ordered_json or_null(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json text_or_null(const std::string& text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }

ordered_json run_json(const ComparedRun& run) {
  ordered_json json;
  json["contender"] = run.contender;
  json["network"] = run.network;
  json["folder"] = text_or_null(run.folder);
  json["failure"] = text_or_null(run.failure);
  for (std::size_t i = 0; i < kMeasures; ++i) json[describe(Measure(i)).key] = or_null(run.measures[i]);
  json["summary"] = run.summary.empty() ? ordered_json(nullptr) : ordered_json::parse(run.summary);
  return json;
}

std::string cell(const std::optional<double>& value) { return ',' + (value ? config::format_real(*value) : ""); }

}  // namespace

std::string to_json(const Comparison& comparison) {
  ordered_json json;
  json["baseline"] = comparison.contenders.empty() ? "" : comparison.contenders.front();
  json["contenders"] = comparison.contenders;
  json["networks"] = comparison.networks;
  json["runs"] = ordered_json::array();
  for (const ComparedRun& run : comparison.runs) json["runs"].push_back(run_json(run));
  json["ratios"] = ordered_json::object();
  json["geometric_means"] = ordered_json::object();
  for (const std::string& contender : comparison.contenders) {
    for (std::size_t i = 0; i < kRatios; ++i) {
      const char* const key = describe(Ratio(i)).key;
      for (const std::string& network : comparison.networks)
        json["ratios"][network][contender][key] = or_null(ratio(comparison, Ratio(i), contender, network));
      const GeometricMean mean = geometric_mean(comparison, Ratio(i), contender);
      json["geometric_means"][contender][key] = {{"value", or_null(mean.value)}, {"networks", mean.networks}};
    }
  }
  json["notes"] = notes(comparison);
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string to_csv(const Comparison& comparison) {
  std::ostringstream out;
  out << "contender,network,inferences";
  for (std::size_t i = 0; i < kMeasures; ++i) out << ',' << describe(Measure(i)).key;
  for (std::size_t i = 0; i < kRatios; ++i) out << ',' << describe(Ratio(i)).key;
  out << ",failure\n";
  for (const ComparedRun& run : comparison.runs) {
    out << csv_field(run.contender) << ',' << csv_field(run.network) << ','
        << (run.failure.empty() ? std::to_string(run.inferences) : "");
    for (const std::optional<double>& measure : run.measures) out << cell(measure);
    for (std::size_t i = 0; i < kRatios; ++i) out << cell(ratio(comparison, Ratio(i), run.contender, run.network));
    out << ',' << csv_field(run.failure) << '\n';
  }
  for (const std::string& contender : comparison.contenders) {
    out << csv_field(contender) << ",(geometric mean)," << std::string(kMeasures, ',');
    for (std::size_t i = 0; i < kRatios; ++i) out << cell(geometric_mean(comparison, Ratio(i), contender).value);
    out << ",\n";
  }
  return out.str();
}

}  // namespace mho
