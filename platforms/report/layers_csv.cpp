// SPDX-License-Identifier: Apache-2.0
// Writes layer rows as comma-separated values: numbers with enough digits to read back the same double.
#include <sstream>

#include "platforms/config/quantity.h"
#include "platforms/report/csv_field.h"
#include "platforms/report/layer_rows.h"

namespace mho {
namespace {

using observe::Action;

void write_row(std::ostream& out, const LayerRow& row) {
  const auto real = [](double value) { return config::format_real(value); };
  out << csv_field(row.name) << ',' << row.op << ',' << row.windows << ',' << row.macs << ',' << row.digital_macs << ','
      << row.replicas << ',' << row.crossbars << ',' << real(row.cell_utilisation) << ',' << row.fidelity << ','
      << real(row.timing.first_start_s) << ',' << real(row.timing.last_end_s) << ','
      << real(row.timing.last_end_s - row.timing.first_start_s) << ',' << real(row.timing.busy_s) << ','
      << real(row.timing.input_stall_s) << ',' << real(row.timing.buffer_stall_s) << ',' << real(row.timing.interval_s)
      << ',' << real(row.time_per_inference_s) << ',' << real(row.utilisation) << ','
      << csv_field(row.timing.limited_by) << ',' << row.counts[Action::kConversions] << ','
      << row.counts[Action::kUnitConversions] << ',' << row.counts[Action::kSaturations];
  for (const Action action :
       {Action::kOutOfRange, Action::kSpeculations, Action::kSpeculationFailures, Action::kRecoveryConversions})
    out << ',' << row.counts[action];
  out << ',' << row.slicing << ',' << row.expansion << ',' << real(row.conversions_per_mac_full_rows) << ','
      << real(row.total_energy_j);
  for (const double joules : row.energy_j) out << ',' << real(joules);
  out << '\n';
}

}  // namespace

std::string to_csv(const std::vector<LayerRow>& rows, const std::vector<std::string>& components) {
  std::ostringstream out;
  out << "name,operator,windows,macs,digital_macs,replicas,crossbars,cell_utilisation,fidelity,first_start_s,last_end_"
         "s,latency_s,"
         "busy_s,"
         "input_stall_s,buffer_stall_s,interval_s,time_per_inference_s,utilisation,limited_by,adc_conversions,"
         "adc_unit_conversions,adc_saturations,out_of_range,speculations,speculation_failures,recovery_conversions,"
         "slicing,expansion,conversions_per_mac_full_rows,energy_j";
  for (const std::string& component : components) out << ',' << csv_field("energy_" + component + "_j");
  out << '\n';
  for (const LayerRow& row : rows) write_row(out, row);
  return out.str();
}

}  // namespace mho
