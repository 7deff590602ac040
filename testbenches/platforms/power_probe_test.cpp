// SPDX-License-Identifier: Apache-2.0
// Power over time of a toy accelerator whose counts are known.
#include <catch2/catch.hpp>

#include "platforms/observe/power_probe.h"
#include "testbenches/strict_reports.h"

using namespace mho;
using observe::Action;
using sc_core::SC_NS;

namespace {

/// 2 J a conversion, 3 J a byte written.
double energy(const observe::Counts& counts) {
  return 2.0 * double(counts[Action::kConversions]) + 3.0 * double(counts[Action::kMemoryBytesWritten]);
}

/// Job 1: 4 conversions at 5 ns, 1 at 25 ns; interrupt at 27 ns. Job 2: counts begin again at 28 ns with 6 conversions,
/// more than job 1 had; 1 byte at 35 ns; interrupt at 38 ns. Nothing happens from then on.
struct ToyAccelerator : sc_core::sc_module {
  explicit ToyAccelerator(sc_core::sc_module_name module_name, bool pauses) : sc_module(module_name), pauses_(pauses) {
    SC_HAS_PROCESS(ToyAccelerator);
    SC_THREAD(run);
  }
  void run() {
    wait(5, SC_NS);
    counts[Action::kConversions] = 4;
    wait(20, SC_NS);
    counts[Action::kConversions] = 5;
    wait(2, SC_NS);
    irq.write(true);
    wait(1, SC_NS);
    irq.write(false);
    counts = {};
    counts[Action::kConversions] = 6;
    wait(7, SC_NS);
    counts[Action::kMemoryBytesWritten] = 1;
    wait(3, SC_NS);
    irq.write(true);
    done = true;
    if (pauses_) sc_core::sc_pause();
  }
  const bool pauses_;
  bool done = false;
  observe::Counts counts;
  sc_core::sc_out<bool> irq{"irq"};
};

struct Bench {
  explicit Bench(bool pauses)
      : toy("toy", pauses),
        probe(
            "power", sc_core::sc_time(10, SC_NS),
            [this] {
              ++samples;
              return toy.counts;
            },
            energy) {
    toy.irq.bind(irq);
    probe.irq.bind(irq);
  }
  double watts() const { return *std::get<const double*>(probe.waves().at(0).variable); }

  sc_core::sc_signal<bool> irq;
  ToyAccelerator toy;
  int samples = 0;
  PowerProbe probe;
};

}  // namespace

TEST_CASE("power is the mean of the window before, across jobs whose counts begin again") {
  Bench bench(true);
  std::vector<double> seen;
  bench.probe.simulate([&] {
    seen.push_back(bench.watts());
    return bench.toy.done;
  });
  // Windows of 10 ns hold 4, 0, 1 + 6 conversions: 8, 0, 14 J; the fourth was not complete when the simulation ended.
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == 0.0);
  CHECK(seen[1] == Approx(8.0 / 10e-9));
  CHECK(seen[2] == 0.0);
  CHECK(seen[3] == Approx(14.0 / 10e-9));
  CHECK(sc_core::sc_time_stamp() == sc_core::sc_time(38, SC_NS));
}

TEST_CASE("windows come to an end when nothing is left to happen") {
  Bench bench(false);
  bench.probe.simulate([] { return false; });
  CHECK(bench.watts() == Approx(3.0 / 10e-9));  // the byte
  CHECK(sc_core::sc_time_stamp() <= sc_core::sc_time(50, SC_NS));
}

TEST_CASE("a probe that nobody follows does not sample") {
  Bench bench(true);
  sc_core::sc_start();
  CHECK(bench.samples == 1);  // at the first interrupt; the simulation pauses before the second is seen
  CHECK(bench.watts() == 0.0);
}

TEST_CASE("a window of no time is refused") {
  CHECK_THROWS_AS(PowerProbe(
                      "power", sc_core::SC_ZERO_TIME, [] { return observe::Counts{}; }, energy),
                  std::invalid_argument);
}
