// SPDX-License-Identifier: Apache-2.0
// Crossbars that share one converter. Crossbar A begins alone: the converter keeps pace, a vector every 400 ns. At 1 us
// crossbar B joins it: slices wait for the converter, arrays wait until their last sums are converted, and a vector
// takes 800 ns. At 2 us crossbar C comes as well; now it matters whom the rule of arbitration serves first.
//   shared_adc [WAVE [RULE]]   writes WAVE.vcd (shared_adc.vcd); round_robin, fixed_priority or first_come
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <systemc>
#include <utility>

#include "models/pim/link_ends.h"
#include "models/pim/shared_adc.h"
#include "models/pim/shift_add_unit.h"
#include "models/pim/weight_writer.h"
#include "timeline.h"

using namespace mho;
using sc_core::sc_time;

const std::map<std::string, mapping::Arbitration> kRules = {{"round_robin", mapping::Arbitration::kRoundRobin},
                                                            {"fixed_priority", mapping::Arbitration::kFixedPriority},
                                                            {"first_come", mapping::Arbitration::kFirstCome}};
const arithmetic::Slicing kWeightSlices({2, 2}), kInputSlices({1, 1, 1, 1});

int sc_main(int argc, char** argv) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  const auto rule = kRules.find(argc > 2 ? argv[2] : "round_robin");
  if (rule == kRules.end()) {
    std::fprintf(stderr, "shared_adc: no rule '%s' (round_robin, fixed_priority or first_come)\n", argv[2]);
    return 2;
  }

  mapping::CrossbarTileConfig crossbar;  // three crossbars of 4 rows x 4 columns, 100 ns to read a slice
  crossbar.crossbars = 3;
  crossbar.rows = crossbar.columns = 4;
  mapping::AdcConfig converter;  // one for all of them; 4 columns at 40 MS/s: a slice takes 100 ns as well
  converter.converters = 1;
  converter.rate_hz = 40e6;
  converter.arbitration = rule->second;
  mapping::WriterConfig pulses;
  pulses.pulse_s = 0.0;  // the weights are there when the simulation begins

  observe::Ledger ledger, programming;
  pim::WeightStore store;
  Timeline timeline(sc_time(100, sc_core::SC_NS));
  pim::CrossbarTile crossbars("crossbar", crossbar, ledger, store, &timeline);
  pim::SharedAdc adc("adc", converter, crossbar.crossbars, ledger, &timeline);
  pim::ShiftAddUnit shift_add("shift_add", crossbar.crossbars, ledger);
  pim::WeightWriter writer("writer", pulses, crossbar, programming);
  pim::BatchSource programmer("programmer");

  // A crossbar answers when the last slice of a vector is being read: time to send it the next one.
  pim::RegionSetup regions[3];
  int vectors_left[3] = {7, 5, 2};
  std::function<void(int)> feed;
  pim::BatchSource inputs("inputs", [&](const auto& vector) { feed(int(vector.get_address())); });
  feed = [&](int index) {
    if (vectors_left[index]-- > 0) inputs.send(inputs.vector(regions[index], {9, 4, 15}, index));
  };
  sc_time last[3];
  pim::PsumSink outputs("outputs", [&](const pim::Pipeline& vector, const std::vector<std::int32_t>& psums) {
    const sc_time now = sc_core::sc_time_stamp();
    std::printf("%7s  crossbar %c: psums %d %d, %s after the last\n", now.to_string().c_str(), 'A' + vector.node,
                psums[0], psums[1], (now - std::exchange(last[vector.node], now)).to_string().c_str());
  });
  programmer.out.bind(writer.program);
  writer.setup.bind(crossbars.setup);
  writer.cells.bind(crossbars.cells);
  inputs.out.bind(crossbars.input);
  crossbars.sums.bind(adc.sums);
  adc.codes.bind(shift_add.codes);
  shift_add.psums.bind(outputs.in);

  sc_core::sc_trace_file* const waves = sc_core::sc_create_vcd_trace_file(argc > 1 ? argv[1] : "shared_adc");
  observe::for_each_instrument(nullptr, [waves](const auto&, const auto& module) { module.trace(waves); });
  sc_core::sc_start(sc_core::SC_ZERO_TIME);

  const auto block = arithmetic::make_biased_encoding(kWeightSlices)->encode({3, -2, 5, -8, 7, 1}, 3, 2);
  for (int index = 0; index < 3; ++index) {
    regions[index] = pim::region_for(block, {kInputSlices, false}, crossbar.columns, index);
    programmer.call(programmer.levels(regions[index], block.levels));
  }
  feed(0);
  sc_core::sc_start(1, sc_core::SC_US);
  feed(1);
  sc_core::sc_start(1, sc_core::SC_US);
  feed(2);
  sc_core::sc_start();

  timeline.print();
  for (const observe::Statistic& each : adc.statistics())
    if (std::string(each.name) == "waited" || std::string(each.name) == "longest_queue")
      std::printf("%s: %g %s\n", each.description, each.value, each.unit);
  sc_core::sc_close_vcd_trace_file(waves);
  return 0;
}
