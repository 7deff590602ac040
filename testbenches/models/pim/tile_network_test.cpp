// SPDX-License-Identifier: Apache-2.0
// Routers, links and tiles as one network: two chips of nine tiles, each with a router of its own in a mesh of 3 x 3,
// every tile as source and as destination.
#include <catch2/catch.hpp>
#include <cstdlib>

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
  description.ranges = {{0, 4096, true, true, true, {}, false},
                        {pim::tile_address(18, 0), 48, true, true, true, {}, false}};
  auto& socket = device.accelerator.core().tiles()[11]->function.network;
  CHECK(violated_rules(*socket.operator->(), description) == std::vector<std::string>{});
}

}  // namespace
}  // namespace mho::testbenches
