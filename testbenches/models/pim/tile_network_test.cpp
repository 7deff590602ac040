// SPDX-License-Identifier: Apache-2.0
// Routers, links and tiles as one network: two chips of nine tiles, each with a router of its own in a mesh of 3 x 3,
// every tile as source and as destination.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "models/observe/instrument.h"
#include "models/pim/addresses.h"
#include "testbenches/models/pim/device_bench.h"
#include "testbenches/models/tlm/conformance.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;

mapping::Machine two_chips() {
  mapping::Machine machine = small_machine();
  machine.chips = 2;
  machine.tiles_per_chip = 9;
  machine.router.tiles_per_router = 1;
  return machine;
}

/// Routers that a packet passes between two tiles of one chip, both ends counted.
int routers_between(int from, int to) { return std::abs(from % 3 - to % 3) + std::abs(from / 3 - to / 3) + 1; }

int routers_on_the_way(int from, int to) {
  if (from / 9 == to / 9) return routers_between(from % 9, to % 9);
  return routers_between(from % 9, 0) + routers_between(0, to % 9);
}

tlm::tlm_response_status send(pim::PimTile& from, tlm::tlm_command command, std::uint64_t address,
                              std::vector<std::uint8_t>& bytes) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(bytes.data());
  payload.set_data_length(unsigned(bytes.size()));
  payload.set_streaming_width(unsigned(bytes.size()));
  sc_core::sc_time delay;
  from.function.network->b_transport(payload, delay);
  CHECK(payload.get_address() == address);
  return payload.get_response_status();
}

TEST_CASE("every tile reaches every other one the short way, on its own chip and on the other") {
  // 14 bytes are 4 flits at each router; between chips they pass the links once, 112 bits.
  Device<> device("pim", two_layers(), two_chips());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  pim::AcceleratorCore& core = device.accelerator.core();
  const auto& tiles = core.tiles();
  REQUIRE(tiles.size() == 18);
  for (int from = 0; from < 18; ++from)
    for (int to = 0; to < 18; ++to) {
      std::vector<std::uint8_t> sent(14), arrived(14);
      for (int i = 0; i < 14; ++i) sent[std::size_t(i)] = std::uint8_t(18 * from + to + i);
      const observe::Counts before = core.ledger().of(-1);
      const std::uint64_t address = pim::tile_address(to, std::uint64_t(100 + from));
      REQUIRE(send(*tiles[std::size_t(from)], tlm::TLM_WRITE_COMMAND, address, sent) == tlm::TLM_OK_RESPONSE);
      const observe::Counts after = core.ledger().of(-1);
      CHECK(after[Action::kRouterFlits] - before[Action::kRouterFlits] == 4u * unsigned(routers_on_the_way(from, to)));
      CHECK(after[Action::kHyperTransportBits] - before[Action::kHyperTransportBits] ==
            (from / 9 == to / 9 ? 0u : 112u));
      // The destination sees it at its own offset.
      tlm::tlm_generic_payload payload;
      payload.set_read();
      payload.set_address(std::uint64_t(100 + from));
      payload.set_data_ptr(arrived.data());
      payload.set_data_length(14);
      CHECK(tiles[std::size_t(to)]->function.buffer->transport_dbg(payload) == 14);
      CHECK(arrived == sent);
    }
}

/// Names of the routers and links that were occupied, in order.
struct Route : observe::Recorder {
  void record(const observe::Occupation& occupation) override {
    const std::string module = occupation.module;
    if (module.find("router_") != std::string::npos || module.find("links") != std::string::npos)
      names.insert(names.begin(), module.substr(module.rfind('.') + 1));  // stages are left in reverse
  }
  std::vector<std::string> names;
};

TEST_CASE("packets go along x first, then along y, and to another chip by way of router 0") {
  Route route;
  DeviceOptions options;
  options.recorder = &route;
  Device<> device("pim", two_layers(), two_chips(), options);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const auto& tiles = device.accelerator.core().tiles();
  std::vector<std::uint8_t> bytes(4);
  const auto way = [&](std::size_t from, int to) {
    route.names.clear();
    CHECK(send(*tiles[from], tlm::TLM_WRITE_COMMAND, pim::tile_address(to, 0), bytes) == tlm::TLM_OK_RESPONSE);
    return route.names;
  };
  using Names = std::vector<std::string>;
  CHECK(way(0, 8) == Names{"router_0", "router_1", "router_2", "router_5", "router_8"});
  CHECK(way(7, 3) == Names{"router_7", "router_6", "router_3"});
  CHECK(way(4, 15) == Names{"router_4", "router_3", "router_0", "links", "router_9", "router_12", "router_15"});
}

/// What writes of 14 bytes from one tile to others, with the same number, cost together, and when they arrive.
observe::Counts cost(Device<>& device, std::size_t from, const std::vector<int>& to, std::uint64_t number,
                     std::vector<double>* arrivals_ns = nullptr) {
  pim::AcceleratorCore& core = device.accelerator.core();
  observe::Counts cost = core.ledger().of(-1);
  pim::Pipeline pipeline;
  pipeline.multicast = number;
  std::vector<std::uint8_t> bytes(14, 1);
  for (const int tile : to) {
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(pim::tile_address(tile, 0));
    payload.set_data_ptr(bytes.data());
    payload.set_data_length(14);
    payload.set_streaming_width(14);
    payload.set_extension(&pipeline);
    sc_core::sc_time delay;
    core.tiles()[from]->function.network->b_transport(payload, delay);
    payload.clear_extension(&pipeline);
    CHECK(payload.is_response_ok());
    if (arrivals_ns != nullptr) arrivals_ns->push_back(delay.to_seconds() * 1e9);
  }
  for (const Action action : {Action::kRouterFlits, Action::kHyperTransportBits})
    cost[action] = core.ledger().of(-1)[action] - cost[action];
  return cost;
}

TEST_CASE("what goes to several tiles passes a link once and is copied where the ways part") {
  // 14 bytes are 4 flits. From 0 to 2, 5 and 8 of a 3 x 3 mesh: out of routers 0 and 1 once, out of 2 to its tile and
  // down, out of 5 to its tile and down, out of 8 to its tile: 7 outputs. One by one they pass 3 + 4 + 5 routers.
  mapping::Machine machine = two_chips();
  Device<> forking("forking", two_layers(), machine);
  machine.router.multicast = false;
  Device<> plain("plain", two_layers(), machine);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::vector<double> together;
  CHECK(cost(forking, 0, {2, 5, 8}, 5, &together)[Action::kRouterFlits] == 4 * 7);
  CHECK(cost(plain, 0, {2, 5, 8}, 5)[Action::kRouterFlits] == 4 * (3 + 4 + 5));
  CHECK(cost(forking, 0, {2, 5, 8}, 0)[Action::kRouterFlits] == 4 * (3 + 4 + 5));
  CHECK(cost(forking, 0, {2}, 7)[Action::kRouterFlits] == 4 * 3);
  CHECK(cost(forking, 0, {2}, 8)[Action::kRouterFlits] == 4 * 3);  // other bytes
  // Tiles 12 and 15 stand on the other chip.
  CHECK(cost(forking, 0, {12, 15}, 9)[Action::kHyperTransportBits] == 112);
  CHECK(cost(plain, 0, {12, 15}, 9)[Action::kHyperTransportBits] == 224);
  // A copy is one hop of 1 / 1.2 GHz behind the one that stays at the router before it: it waits for none of them. The
  // eDRAM write of the first has no part in it, each tile has its own.
  REQUIRE(together.size() == 3);
  CHECK(together[1] - together[0] == Approx(1 / 1.2).margin(0.002));
  CHECK(together[2] - together[1] == Approx(1 / 1.2).margin(0.002));
}

/// A stream of 4 items of 48 bytes, 12 flits and 10 ns of a link each, that is sent now.
struct Stream {
  double arrival_ns = 0.0, waiting_ns = 0.0, interval_ns = 0.0;
};

Stream stream(Device<>& device, int from, int to, std::uint64_t operation, std::uint64_t number = 0) {
  pim::Pipeline pipeline;
  pipeline.operation = operation;
  pipeline.multicast = number;
  pipeline.count = 4;
  std::vector<std::uint8_t> bytes(4 * 48, 1);
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_address(pim::tile_address(to, 0));
  payload.set_data_ptr(bytes.data());
  payload.set_data_length(unsigned(bytes.size()));
  payload.set_streaming_width(unsigned(bytes.size()));
  payload.set_extension(&pipeline);
  sc_core::sc_time delay;
  device.accelerator.core().tiles()[std::size_t(from)]->function.network->b_transport(payload, delay);
  payload.clear_extension(&pipeline);
  CHECK(payload.is_response_ok());
  return {delay.to_seconds() * 1e9, pipeline.waiting.to_seconds() * 1e9, pipeline.interval.to_seconds() * 1e9};
}

void check(const Stream& stream, double arrival_ns, double waiting_ns, double interval_ns = 10) {
  CHECK(stream.arrival_ns == Approx(arrival_ns).margin(0.005));
  CHECK(stream.waiting_ns == Approx(waiting_ns).margin(0.005));
  CHECK(stream.interval_ns == Approx(interval_ns).margin(0.005));
}

/// Lanes of one router or of the links, in the order in which they were left.
struct Lanes : observe::Recorder {
  explicit Lanes(std::string module_name) : module(std::move(module_name)) {}
  void record(const observe::Occupation& occupation) override {
    const std::string name = occupation.module;
    if (name.substr(name.rfind('.') + 1) != module) return;
    lanes.push_back(occupation.lane);
    flits += occupation.work;
  }
  const std::string module;
  std::vector<int> lanes;
  std::uint64_t flits = 0;
};

/// Values of a router or of the links.
std::map<std::string, double> statistics_of(const std::string& module) {
  std::map<std::string, double> values;
  observe::for_each_instrument(nullptr, [&](const sc_core::sc_object& object, const observe::Instrument& instrument) {
    if (object.basename() != module) return;
    for (const observe::Statistic& each : instrument.statistics()) values[each.name] = each.value;
  });
  return values;
}

constexpr double kHop = 1 / 1.2;  // ns

TEST_CASE("packets wait for those that leave by the same output, and for no others") {
  // A stream holds each output it leaves by for 4 x 10 ns. Its first item is there after 10 ns and a hop a router.
  Lanes lanes("router_3");
  DeviceOptions options;
  options.recorder = &lanes;
  Device<> device("pim", two_layers(), two_chips(), options);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  check(stream(device, 3, 5, 1), 10 + 3 * kHop, 0);        // out of 3 and 4 to the east, out of 5 to its tile
  check(stream(device, 3, 0, 2), 10 + 2 * kHop, 0);        // to the north
  check(stream(device, 3, 6, 3), 10 + 2 * kHop, 0);        // to the south
  check(stream(device, 5, 3, 4), 10 + 3 * kHop, 0);        // to the west, against the first
  check(stream(device, 3, 4, 5), 40 + 10 + 2 * kHop, 40);  // to the east, behind the first
  // By way of 1 and 2 and then south: at 10 + 3 hops out of router 5, whose tile the first has had since 10 + 2 hops.
  check(stream(device, 0, 5, 6), 40 + 10 + 3 * kHop, 40 - kHop);
  // Outputs are numbered: the tile 0, then east 1, south 2, north 3 where the mesh has them.
  CHECK(lanes.lanes == std::vector<int>{1, 3, 2, 0, 1});
  CHECK(lanes.flits == 5 * 4 * 12);
  CHECK(statistics_of("router_3")["busy"] == Approx(5 * 40e-9));
  CHECK(statistics_of("router_3")["flits"] == 5 * 4 * 12);
}

TEST_CASE("streams of one operation take turns at an output, and single packets go one after the other") {
  // Two streams of an operation to the east: an item of each every 20 ns. A third of it to the south has the link
  // alone. Approximately timed packets belong to no operation: each waits until the one before it is through, here 40
  // ns.
  Device<> turns("turns", two_layers(), two_chips()), single("single", two_layers(), two_chips());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  check(stream(turns, 3, 4, 1), 10 + 2 * kHop, 0);
  check(stream(turns, 3, 5, 1), 10 + 10 + 3 * kHop, 0, 20);
  check(stream(turns, 3, 6, 1), 10 + 2 * kHop, 0);
  check(stream(single, 3, 4, 0), 10 + 2 * kHop, 0);
  check(stream(single, 3, 5, 0), 40 + 10 + 3 * kHop, 40);
  check(stream(single, 3, 6, 0), 10 + 2 * kHop, 0);
}

TEST_CASE("a copy waits only for the output it leaves by, and where the bytes have left already it holds nothing") {
  // Another stream has the link from 3 to the east for 40 ns. The bytes for 4, 6, 5 and 0 leave 3 to the east at 40 ns,
  // for both 4 and 5, and at once to the south and to the north.
  Lanes lanes("router_3");
  DeviceOptions options;
  options.recorder = &lanes;
  Device<> device("pim", two_layers(), two_chips(), options);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const auto flits = [&] { return device.accelerator.core().ledger().of(-1)[Action::kRouterFlits]; };
  check(stream(device, 3, 4, 1), 10 + 2 * kHop, 0);
  const std::uint64_t before = flits();
  check(stream(device, 3, 4, 2, 9), 40 + 10 + 2 * kHop, 40);
  check(stream(device, 3, 6, 2, 9), 10 + 2 * kHop, 0);
  check(stream(device, 3, 5, 2, 9), 40 + 10 + 3 * kHop, 0);
  check(stream(device, 3, 0, 2, 9), 10 + 2 * kHop, 0);
  // Outputs: 3 to the east, south and north, 4 to its tile and to the east, and to the tiles of 5, 6 and 0.
  CHECK(flits() - before == 8 * 4 * 12);
  check(stream(device, 3, 4, 3), 80 + 10 + 2 * kHop, 80);
  CHECK(lanes.lanes == std::vector<int>{1, 1, 2, 3, 1});
}

TEST_CASE("what a chip sends waits for its own links, not for those of the chip that answers") {
  // Two links of 0.6 GB/s: 40 ns an item, 50 ns late. Router 0 passes the first item on after 10 ns and a hop, and the
  // link is taken for 160 ns then. Tile 12 is two routers away from the link, tile 9 one. A copy for tile 10, which is
  // two away as well, holds nothing and is as late as the bytes it is a copy of.
  mapping::Machine machine = two_chips();
  machine.hypertransport.links = 2;
  machine.hypertransport.bytes_per_s = 0.6e9;
  Lanes lanes("links");
  DeviceOptions options;
  options.recorder = &lanes;
  Device<> device("pim", two_layers(), machine, options);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const double way = 10 + kHop + 90;
  check(stream(device, 0, 9, 1), way + kHop, 0, 40);
  check(stream(device, 9, 0, 2), way + kHop, 0, 40);
  check(stream(device, 0, 12, 3, 9), 160 + way + 2 * kHop, 160, 40);
  const double copied = stream(device, 0, 10, 3, 9).arrival_ns;
  CHECK(copied == Approx(160 + way + 2 * kHop).margin(0.005));
  CHECK(lanes.lanes == std::vector<int>{0, 1, 0});
  CHECK(statistics_of("links")["busy"] == Approx(3 * 160e-9));
  CHECK(statistics_of("links")["bits"] == 3 * 4 * 48 * 8);
}

TEST_CASE("tiles that are not built, lie beyond the machine or have no such offset are unmapped") {
  DeviceOptions options;
  options.crossbar_tiles_built = 2 * 11 - 1;  // tiles 0 to 10
  Device<> device("pim", two_layers(), two_chips(), options);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const auto& tiles = device.accelerator.core().tiles();
  REQUIRE(tiles.size() == 11);
  CHECK(tiles[10]->groups.size() == 1);
  std::vector<std::uint8_t> bytes(4);
  for (const int from : {0, 4, 10}) {
    pim::PimTile& tile = *tiles[std::size_t(from)];
    const auto expect = [&](tlm::tlm_response_status response, std::uint64_t address) {
      CHECK(send(tile, tlm::TLM_WRITE_COMMAND, address, bytes) == response);
    };
    expect(tlm::TLM_OK_RESPONSE, pim::tile_address(10, 0));
    expect(tlm::TLM_OK_RESPONSE, pim::tile_address(10, 4096 - 4));
    expect(tlm::TLM_ADDRESS_ERROR_RESPONSE, pim::tile_address(10, 4096 - 3));
    for (const int to : {11, 17, 19, 1 << 30}) expect(tlm::TLM_ADDRESS_ERROR_RESPONSE, pim::tile_address(to, 0));
    expect(tlm::TLM_ADDRESS_ERROR_RESPONSE, ~std::uint64_t{0} - 3);
    expect(tlm::TLM_ADDRESS_ERROR_RESPONSE, pim::tile_address(18, 0));                // the staging buffer is empty
    expect(tlm::TLM_ADDRESS_ERROR_RESPONSE, pim::tile_address(1, pim::kPsumWindow));  // no psums are there
    expect(tlm::TLM_ADDRESS_ERROR_RESPONSE, pim::tile_address(1, pim::kPsumWindow + pim::kPsumWindowBytes));
  }
}

TEST_CASE("the network keeps the rules of a memory map, seen from a tile of either chip") {
  Device<> device("pim", two_layers(), two_chips());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  TargetDescription description;
  description.byte_enables = true;
  for (const int tile : {0, 5, 12})
    description.ranges.push_back({pim::tile_address(tile, 0), 4096, true, true, true, {}, false});
  for (const std::size_t from : {2, 17}) {
    auto& socket = device.accelerator.core().tiles()[from]->function.network;
    CHECK(violated_rules(*socket.operator->(), description) == std::vector<std::string>{});
  }
}

TEST_CASE("the staging buffer keeps the rules once a program has given it a size") {
  // Two rows of 6 x 4 codes.
  Device<> device("pim", two_layers(), two_chips());
  device.program();
  TargetDescription description;
  description.byte_enables = true;
  description.ranges = {{0, 4096, true, true, true, {}, false},
                        {pim::tile_address(18, 0), 48, true, true, true, {}, false}};
  auto& socket = device.accelerator.core().tiles()[11]->function.network;
  CHECK(violated_rules(*socket.operator->(), description) == std::vector<std::string>{});
}

}  // namespace
}  // namespace mho::testbenches
