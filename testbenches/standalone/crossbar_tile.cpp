// SPDX-License-Identifier: Apache-2.0
// One crossbar_tile with its converter and its shift-and-add unit: a vector of input codes goes in, the dot products
// with the stored weights come out. Four sockets are bound, nothing else of mho is needed.
//   crossbar_tile [WAVE [BITS]]   writes WAVE.vcd (crossbar_tile.vcd); an ADC of BITS bits (8)
#include <cstdio>
#include <cstdlib>
#include <systemc>

#include "models/pim/link_ends.h"
#include "models/pim/shared_adc.h"
#include "models/pim/shift_add_unit.h"
#include "models/pim/weight_writer.h"
#include "timeline.h"

using namespace mho;
using sc_core::sc_time;

// Two filters over three inputs, and the vector they are applied to. By hand:
//   filter 0:  3*9 + -2*4 + 5*15 =  94        filter 1:  -8*9 + 7*4 + 1*15 = -29
const std::vector<std::int32_t> kWeights = {3, -2, 5, -8, 7, 1};
const std::vector<std::uint8_t> kCodes = {9, 4, 15};

// How that is stored: w + 8 as two cells of 2 bits, so a filter takes two columns:
//              filter 0  filter 1                     input, one bit a cycle, top bit first
//     row 0    11 = 2 3   0 = 0 0                      9 = 1 0 0 1
//     row 1     6 = 1 2  15 = 3 3                      4 = 0 1 0 0
//     row 2    13 = 3 1   9 = 2 1                     15 = 1 1 1 1
// Cycle 0 drives rows 0 and 2: the columns give 5 4 2 1, and a unit column (all cells 1) counts 2 driven rows.
// Then 4 3 5 4 | 2, 3 1 2 1 | 1, 5 4 2 1 | 2. Filter 0 is, with place values 8 4 2 1 of the cycles, 4 and 1 of its
// columns: 8(4*5+4) + 4(4*4+3) + 2(4*3+1) + (4*5+4) = 318, less 8 * (8*2 + 4*2 + 2*1 + 2) = 224: 94.
const arithmetic::Slicing kWeightSlices({2, 2}), kInputSlices({1, 1, 1, 1});

int sc_main(int argc, char** argv) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);

  mapping::CrossbarTileConfig crossbar;  // one crossbar of 4 rows x 4 columns, 2-bit cells, a cycle of 100 ns
  crossbar.crossbars = 1;
  crossbar.rows = crossbar.columns = 4;
  mapping::AdcConfig converter;  // 4 columns at 50 MS/s: a slice is converted in 80 ns
  converter.bits = argc > 2 ? std::atoi(argv[2]) : 8;
  converter.converters = 1;
  converter.rate_hz = 50e6;
  mapping::WriterConfig pulses;
  pulses.pulse_s = 0.0;  // the weights are there when the simulation begins; weight_writer.cpp is about writing

  // Modules count their actions in a ledger, and tell a recorder, if there is one, what they are busy with.
  observe::Ledger ledger, programming;
  ledger.resize(1);
  pim::WeightStore store;
  Timeline timeline(sc_time(10, sc_core::SC_NS));

  pim::CrossbarTile crossbars("crossbars", crossbar, ledger, store, &timeline);
  pim::SharedAdc adc("adc", converter, crossbar.crossbars, ledger, &timeline);
  pim::ShiftAddUnit shift_add("shift_add", crossbar.crossbars, ledger, &timeline);
  pim::WeightWriter writer("writer", pulses, crossbar, programming);
  pim::BatchSource programmer("programmer"), inputs("inputs");
  pim::PsumSink outputs("outputs", [](const pim::Pipeline&, const std::vector<std::int32_t>& psums) {
    std::printf("%s: psums %d %d\n", sc_core::sc_time_stamp().to_string().c_str(), psums[0], psums[1]);
  });
  programmer.out.bind(writer.program);
  writer.setup.bind(crossbars.setup);
  writer.cells.bind(crossbars.cells);
  inputs.out.bind(crossbars.input);  // the way of the data: codes,
  crossbars.sums.bind(adc.sums);     // column sums,
  adc.codes.bind(shift_add.codes);   // converted sums,
  shift_add.psums.bind(outputs.in);  // dot products

  // Every variable that a module shows, into a waveform of SystemC's own.
  sc_core::sc_trace_file* const waves = sc_core::sc_create_vcd_trace_file(argc > 1 ? argv[1] : "crossbar_tile");
  observe::for_each_instrument(nullptr, [waves](const auto&, const auto& module) { module.trace(waves); });
  sc_core::sc_start(sc_core::SC_ZERO_TIME);  // the sockets are bound from here on

  const auto block = arithmetic::make_biased_encoding(kWeightSlices)->encode(kWeights, 3, 2);
  const pim::RegionSetup region = pim::region_for(block, {kInputSlices, false}, crossbar.columns);
  programmer.call(programmer.levels(region, block.levels));
  inputs.send(inputs.vector(region, kCodes, 0));
  sc_core::sc_start();

  timeline.print();
  std::printf("\n%d conversions, %d clipped\n", int(ledger.of(0)[observe::Action::kConversions]),
              int(ledger.of(0)[observe::Action::kSaturations]));
  sc_core::sc_close_vcd_trace_file(waves);
  return 0;
}
