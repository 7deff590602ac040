// SPDX-License-Identifier: Apache-2.0
// One tile slice by slice, worked by hand: 100 ns a cycle, 16 codes a vector (one line of 1.5625 ns, then 16 B at 20.48
// GB/s on the bus), 8 input slices, 8 columns a crossbar.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>

#include "testbenches/models/pim/approximate_tile_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using mapping::Arbitration;
using observe::Kind;

double ns(const sc_core::sc_time& time) { return time.to_seconds() * 1e9; }

/// Slice i of a vector begins at begin(i) and ends `takes` later.
void check_slices(const std::vector<observe::Occupation>& records, std::size_t slices,
                  const std::function<double(int)>& begin, double takes) {
  REQUIRE(records.size() == slices);
  for (std::size_t i = 0; i < slices; ++i) {
    INFO("slice " << i);
    CHECK(ns(records[i].begin) == Approx(begin(int(i))).margin(0.01));
    CHECK(ns(records[i].end) == Approx(begin(int(i)) + takes).margin(0.01));
  }
}

/// Two vectors of `slices` slices, the second as soon as the register is free.
void check_alone(int slices, bool exact) {
  TileOptions options;
  TileChain chain("tile", options);
  const int region = chain.add_region(1, 0, 0, 16, 2, slices);
  chain.send_all(region, 2, 7, exact);
  sc_core::sc_start();
  for (int v = 0; v < 2; ++v) {
    INFO("vector " << v);
    // Cycle 1: read and bus. 2 to 1 + slices: crossbar. Converters and additions one and two cycles later.
    const double begin = 100.0 + 100.0 * slices * v;
    const auto cycle = [&](double first) { return [=](int i) { return first + 100.0 * i; }; };
    check_slices(chain.of(Kind::kArray, v), std::size_t(slices), cycle(begin), 100);
    check_slices(chain.of(Kind::kConversion, v), std::size_t(slices), cycle(begin + 100), 6.25);  // 8 at 1.28 GS/s
    check_slices(chain.of(Kind::kShiftAdd, v), std::size_t(slices), cycle(begin + 200), 100);
    const Answered& answer = chain.answered[std::size_t(v)];
    CHECK(answer.register_free == Approx(begin + 100 * (slices - 1)).margin(0.01));
    // The output register's cycle ends slices + 4 cycles after the begin of cycle 1; sigmoid and write make 6 of it.
    CHECK(answer.collected == Approx(begin + 100 * (slices + 3)).margin(0.01));
  }
  // The second is fetched while the last slice is read.
  const double sent = 100.0 * slices;
  CHECK(ns(chain.of(Kind::kBuffer, 1)[0].begin) == Approx(sent).margin(0.01));
  CHECK(ns(chain.of(Kind::kTransfer, 1)[0].begin) == Approx(sent + 1.5625).margin(0.01));
  CHECK(chain.answered[1].accepted == Approx(sent + 1.5625).margin(0.01));
  chain.check_all();
}

TEST_CASE("a vector of 8 slices takes 8 + 6 cycles, the next follows after 8") { check_alone(8, false); }
TEST_CASE("a vector of 16 slices takes 16 + 6 cycles, the next follows after 16") { check_alone(16, false); }
TEST_CASE("a vector whose product is exact takes the same cycles") { check_alone(8, true); }

mapping::AdcConfig shared(int converters, double slice_ns, Arbitration rule, int queue = 8) {
  mapping::AdcConfig adc;
  adc.converters = converters;
  adc.rate_hz = 8e9 / slice_ns;  // 8 columns
  adc.arbitration = rule;
  adc.queue = queue;
  return adc;
}

/// Eight crossbars with one region each; slice i of region r of those that share a converter is converted at
/// begin(i, r) for 100 ns.
void check_shared(const mapping::AdcConfig& adc, const std::function<double(int, int)>& begin) {
  TileOptions options;
  options.crossbars.crossbars = 8;
  options.adc = adc;
  TileChain chain("tile", options);
  for (int r = 0; r < 8; ++r) chain.add_region(unsigned(r) + 1, 0, r, 16, 2);
  for (int r = 0; r < 8; ++r) chain.send(r, random_codes(unsigned(r), 1, 16));
  sc_core::sc_start();
  const int sharing = 8 / adc.converters;
  for (int r = 0; r < 8; ++r) {
    INFO("crossbar " << r);
    check_slices(
        chain.of(Kind::kConversion, r), 8, [&](int i) { return begin(i, r % sharing); }, 100);
    // Slices 0 and 1 are read in the first two cycles; each later one from when its forerunner was sampled, and that
    // is when the conversion before has ended.
    check_slices(
        chain.of(Kind::kArray, r), 8,
        [&](int i) { return i < 2 ? 100.0 + 100.0 * i : begin(i - 2, r % sharing) + 100.0; }, 100);
  }
  chain.check_all();
}

// All are sampled at 200. One conversion is one cycle: slice i of the r-th of c crossbars is the (c i + r)-th, and the
// next vector follows after 8 c cycles.
TEST_CASE("two crossbars take turns at a converter") {
  check_shared(shared(4, 100, Arbitration::kRoundRobin), [](int i, int r) { return 200.0 + 100 * (2 * i + r); });
}
TEST_CASE("four crossbars take turns at a converter") {
  check_shared(shared(2, 100, Arbitration::kRoundRobin), [](int i, int r) { return 200.0 + 100 * (4 * i + r); });
}
TEST_CASE("eight crossbars take turns at a converter") {
  check_shared(shared(1, 100, Arbitration::kRoundRobin), [](int i, int r) { return 200.0 + 100 * (8 * i + r); });
}
TEST_CASE("the first to come is converted first: crossbars take turns too") {
  // A crossbar that was converted asks again at that moment, behind those that have waited.
  check_shared(shared(1, 100, Arbitration::kFirstCome), [](int i, int r) { return 200.0 + 100 * (8 * i + r); });
}
TEST_CASE("with fixed priority a crossbar is converted when those before it have no slice left") {
  // Its next slice is sampled at the moment its last conversion ends, so the lowest goes first again.
  check_shared(shared(2, 100, Arbitration::kFixedPriority), [](int i, int r) { return 200.0 + 100 * (8 * r + i); });
}
TEST_CASE("a queue of one slice hides the others from the arbiter") {
  // The one that waits at the link cannot be passed, whatever its priority: first come, first served.
  check_shared(shared(1, 100, Arbitration::kFixedPriority, 1), [](int i, int r) { return 200.0 + 100 * (8 * i + r); });
}

TEST_CASE("a queue holds as many slices as it has places, however many wait") {
  std::vector<std::unique_ptr<TileChain>> chains;
  for (int queue = 1; queue <= 8; ++queue) {
    TileOptions options;
    options.crossbars.crossbars = 8;
    options.adc = shared(1, 100, Arbitration::kRoundRobin, queue);
    chains.push_back(std::make_unique<TileChain>(("tile_" + std::to_string(queue)).c_str(), options));
    for (int r = 0; r < 8; ++r) chains.back()->send(chains.back()->add_region(1, 0, r, 16, 2), random_codes(1, 1, 16));
  }
  sc_core::sc_start();
  for (int queue = 1; queue <= 8; ++queue) {
    INFO("queue of " << queue);
    CHECK(statistic_of(*chains[std::size_t(queue) - 1], "adc_0", "longest_queue") == double(queue));
  }
}

TEST_CASE("a converter that takes one and a half cycles holds sample and hold, and that the array") {
  TileOptions options;
  options.adc = shared(4, 150, Arbitration::kRoundRobin);
  TileChain chain("tile", options);
  chain.send_all(chain.add_region(1, 0, 0, 16, 2), 2, 7);
  sc_core::sc_start();
  // Slice i of both vectors together: converted from 200 + 150 i; sampled then, so the array reads i + 1 from then on.
  for (int v = 0; v < 2; ++v) {
    INFO("vector " << v);
    const auto converted = [&](int i) { return 200.0 + 150.0 * (8 * v + i); };
    check_slices(chain.of(Kind::kConversion, v), 8, converted, 150);
    check_slices(
        chain.of(Kind::kArray, v), 8, [&](int i) { return v == 0 && i == 0 ? 100.0 : converted(i - 1); }, 100);
    check_slices(
        chain.of(Kind::kShiftAdd, v), 8, [&](int i) { return converted(i) + 150; }, 100);
    CHECK(chain.answered[std::size_t(v)].collected == Approx(converted(7) + 150 + 200).margin(0.01));
  }
  chain.check_all();
}

/// Six vectors to two regions in each of three crossbar_tiles, all at once in the order 2 1 0 2 1 0; which are carried
/// when, by number of the crossbar_tile.
void check_bus(Arbitration rule, int queue, const std::vector<int>& order) {
  TileOptions options;
  options.groups = 3;
  options.bus.arbitration = rule;
  options.bus.queue = queue;
  options.bus.latency_s = 50e-9 - 16 / options.bus.bytes_per_s;
  TileChain chain("tile", options);
  std::vector<int> groups;
  for (int i = 0; i < 6; ++i) {
    groups.push_back(2 - i % 3);
    chain.add_region(unsigned(i) + 1, groups.back(), i / 3, 16, 2);
  }
  for (int i = 0; i < 6; ++i) chain.send(i, random_codes(unsigned(i), 1, 16));
  sc_core::sc_start();
  const auto transfers = chain.records.of(Kind::kTransfer);
  REQUIRE(transfers.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    INFO("transfer " << i);
    CHECK(groups[std::size_t(transfers[i].node)] == order[i]);
    CHECK(ns(transfers[i].begin) == Approx(1.5625 + 50.0 * double(i)).margin(0.01));  // once the first was read
    CHECK(ns(transfers[i].end - transfers[i].begin) == Approx(50).margin(0.01));
  }
  chain.check_all();
}

// The first is alone when it comes; the others wait when it is through.
TEST_CASE("crossbar_tiles take turns on the bus") { check_bus(Arbitration::kRoundRobin, 6, {2, 0, 1, 2, 0, 1}); }
TEST_CASE("the lowest crossbar_tile goes first on the bus") {
  check_bus(Arbitration::kFixedPriority, 6, {2, 0, 0, 1, 1, 2});
}
TEST_CASE("the first to come goes first on the bus") { check_bus(Arbitration::kFirstCome, 6, {2, 1, 0, 2, 1, 0}); }
TEST_CASE("a bus with a place for one vector sees no other") {
  check_bus(Arbitration::kFixedPriority, 1, {2, 1, 0, 2, 1, 0});
}

/// Random regions, vectors and queues in a tile.
void random_tile(unsigned seed, const std::string& name, bool reversed, Arbitration rule,
                 std::vector<std::unique_ptr<TileChain>>& chains) {
  std::mt19937 random(seed);
  const auto pick = [&](int most) { return 1 + int(random() % unsigned(most)); };
  TileOptions options;
  options.groups = pick(3);
  options.adc = shared(1 << random() % 3, 20.0 * pick(10), rule);
  options.adc.queue = pick(4);
  options.bus.arbitration = rule;
  options.bus.queue = pick(3);
  if (pick(2) == 1) options.bus.latency_s = pick(300) * 1e-9;
  if (pick(2) == 1) options.edram.line_s = pick(300) * 1e-9;
  options.reversed = reversed;
  chains.push_back(std::make_unique<TileChain>(name.c_str(), options));
  TileChain& chain = *chains.back();
  int regions = 0;
  for (int group = 0; group < options.groups; ++group)
    for (int first = 0; first < 4; ++regions) {
      const int crossbars = std::min(4 - first, pick(3));
      chain.add_region(random(), group, first, pick(16), 2 * crossbars);
      first += crossbars;
    }
  for (int region = 0; region < regions; ++region) chain.send_all(region, pick(6), random(), pick(2) == 1);
}

void check_tiles(unsigned begin, unsigned seeds) {
  std::vector<std::unique_ptr<TileChain>> chains;
  for (unsigned seed = begin; seed < begin + seeds; ++seed)
    for (int variant = 0; variant < 4; ++variant)
      random_tile(seed, "tile_" + std::to_string(seed) + "_" + std::to_string(variant), variant == 1,
                  variant < 2 ? Arbitration(seed % 3) : Arbitration((seed + unsigned(variant) - 1) % 3), chains);
  sc_core::sc_start();
  for (unsigned i = 0; i < seeds; ++i) {
    INFO("seed " << begin + i);
    const TileChain& first = *chains[4 * i];
    for (unsigned variant = 0; variant < 4; ++variant) {
      TileChain& chain = *chains[4 * i + variant];
      INFO("variant " << variant);
      chain.check_all();
      CHECK(chain.answered.size() == first.answered.size());
      CHECK(chain.ledger.total().values == first.ledger.total().values);
      if (variant != 1) continue;
      // Vectors are numbered as they are sent, and of those sent at one moment any may be the first.
      for (int region = 0; region < 12; ++region) {
        INFO("region " << region);
        const std::vector<Answered> one = first.answered_of(region), other = chain.answered_of(region);
        REQUIRE(one.size() == other.size());
        for (std::size_t v = 0; v < one.size(); ++v) {
          CHECK(one[v].collected == other[v].collected);
          CHECK(one[v].register_free == other[v].register_free);
        }
      }
    }
  }
}

TEST_CASE("random tiles keep the rules of all links, whatever the order in which their modules are made") {
  check_tiles(0, 40);
}

TEST_CASE("tiles of seeds from the environment", "[.]") {
  check_tiles(unsigned(std::atoi(std::getenv("FIRST"))), unsigned(std::atoi(std::getenv("COUNT"))));
}

}  // namespace
}  // namespace mho::testbenches
