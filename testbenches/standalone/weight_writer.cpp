// SPDX-License-Identifier: Apache-2.0
// A weight_writer programs cells row by row with pulses of one level step each: first into erased cells, then other
// levels into the same cells, which takes fewer steps because the writer begins from what it reads. Every row that is
// verified is read back through debug transport, as a debugger would do it.
//   weight_writer [WAVE]   writes WAVE.vcd (weight_writer.vcd)
#include <cstdint>
#include <cstdio>
#include <functional>
#include <systemc>

#include "models/pim/link_ends.h"
#include "models/pim/weight_writer.h"

using namespace mho;
using sc_core::sc_time;

constexpr int kRows = 3, kColumns = 4;

// Levels 0 to 3. Pulses that raise levels (SET) go to all cells of a row at once, those that lower them (RESET)
// follow, so a row of pulses of 50 ns takes 50 ns * (largest rise + largest fall):
//              from 0 0 0 0: pulses      to the second levels
const std::vector<std::uint8_t> kFirst = {3, 1, 0, 2,    // 3 up              150 ns
                                          1, 1, 2, 0,    // 2 up              100 ns
                                          3, 3, 3, 3};   // 3 up              150 ns   together 400 ns, 22 steps
const std::vector<std::uint8_t> kSecond = {3, 2, 0, 1,   // 1 up and 1 down   100 ns
                                           1, 1, 2, 0,   // as it is            0 ns
                                           3, 3, 3, 2};  // 1 down             50 ns   together 150 ns, 3 steps

// Prints each row when it is verified.
struct RowPrinter : observe::Recorder {
  std::function<std::vector<std::uint8_t>(int row)> read_back;
  int row = 0;

  void record(const observe::Occupation& written) override {
    const std::vector<std::uint8_t> levels = read_back(row);
    std::printf("%6s to %6s  row %d: %d %d %d %d\n", written.begin.to_string().c_str(), written.end.to_string().c_str(),
                row, levels[0], levels[1], levels[2], levels[3]);
    row = (row + 1) % kRows;
  }
};

int sc_main(int argc, char** argv) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  mapping::CrossbarTileConfig crossbar;  // one crossbar of 4 x 4 cells of 2 bits
  crossbar.crossbars = 1;
  crossbar.rows = crossbar.columns = 4;
  mapping::WriterConfig pulses;
  pulses.pulse_s = 50e-9;

  observe::Ledger ledger, programming;  // what writing costs is counted apart from what computing costs
  pim::WeightStore store;
  RowPrinter printer;
  pim::CrossbarTile crossbars("crossbars", crossbar, ledger, store);
  pim::WeightWriter writer("writer", pulses, crossbar, programming, &printer);
  pim::BatchSource programmer("programmer", [&](const auto&) {
    const observe::Counts counts = programming.total();
    std::printf("%6s  region verified; so far %d cells changed, %d level steps\n",
                sc_core::sc_time_stamp().to_string().c_str(), int(counts[observe::Action::kCellsWritten]),
                int(counts[observe::Action::kCellWriteSteps]));
  });
  pim::PsumSink outputs("outputs", nullptr);  // nothing computes here, but sockets want to be bound
  programmer.out.bind(writer.program);        // regions to be written
  writer.setup.bind(crossbars.setup);         // what a region is, before its first row
  writer.cells.bind(crossbars.cells);         // levels, as bytes of a memory: read, then write, row by row
  pim::BatchSource inputs("inputs");
  inputs.out.bind(crossbars.input);
  crossbars.sums.bind(outputs.in);
  printer.read_back = [&](int row) {
    std::vector<std::uint8_t> levels(kColumns);
    tlm::tlm_generic_payload payload;
    payload.set_read();
    payload.set_address(std::uint64_t(row * crossbar.columns));
    payload.set_data_ptr(levels.data());
    payload.set_data_length(kColumns);
    writer.cells->transport_dbg(payload);  // no time, no side effect
    return levels;
  };

  sc_core::sc_trace_file* const waves = sc_core::sc_create_vcd_trace_file(argc > 1 ? argv[1] : "weight_writer");
  observe::for_each_instrument(nullptr, [waves](const auto&, const auto& module) { module.trace(waves); });
  sc_core::sc_start(sc_core::SC_ZERO_TIME);

  // One weight of 2 bits a cell; what the levels mean does not matter to the writer.
  const arithmetic::Slicing bits({2});
  const auto block =
      arithmetic::make_biased_encoding(bits)->encode(std::vector<std::int32_t>(kRows * kColumns), kRows, kColumns);
  const pim::RegionSetup region = pim::region_for(block, {bits, false}, crossbar.columns);
  programmer.send(programmer.levels(region, kFirst));
  programmer.send(programmer.levels(region, kSecond));
  sc_core::sc_start();
  sc_core::sc_close_vcd_trace_file(waves);
  return 0;
}
