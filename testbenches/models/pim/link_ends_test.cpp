// SPDX-License-Identifier: Apache-2.0
// The ends of a chain for modules that stand alone: what their payloads hold, and that requests wait for each other.
#include "models/pim/link_ends.h"

#include <catch2/catch.hpp>

#include "models/pim/shared_adc.h"
#include "models/pim/shift_add_unit.h"
#include "models/pim/weight_writer.h"
#include "testbenches/strict_reports.h"

using namespace mho;

namespace {

/// Two filters of two 2-bit cells over three rows, as in testbenches/standalone/crossbar_tile.cpp: psums 94 and -29.
arithmetic::EncodedBlock small_block() {
  return arithmetic::make_biased_encoding(arithmetic::Slicing({2, 2}))->encode({3, -2, 5, -8, 7, 1}, 3, 2);
}

const arithmetic::InputStream kStream{arithmetic::Slicing({1, 1, 1, 1}), false};

/// Crossbars of 4 rows and 2 columns, so that the block takes two of them.
struct Chain {
  Chain() { ledger.resize(2); }
  void bind() {
    programmer.out.bind(writer.program);
    writer.setup.bind(crossbars.setup);
    writer.cells.bind(crossbars.cells);
    inputs.out.bind(crossbars.input);
    crossbars.sums.bind(adc.sums);
    adc.codes.bind(shift_add.codes);
    shift_add.psums.bind(outputs.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  mapping::CrossbarTileConfig crossbar = [] {
    mapping::CrossbarTileConfig config;
    config.crossbars = 4;
    config.rows = 4;
    config.columns = 2;
    return config;
  }();
  observe::Ledger ledger, programming;
  pim::WeightStore store;
  std::vector<std::vector<std::int32_t>> psums;
  std::vector<int> nodes, answered;
  pim::CrossbarTile crossbars{"crossbars", crossbar, ledger, store};
  pim::SharedAdc adc{"adc", mapping::AdcConfig{}, 4, ledger};
  pim::ShiftAddUnit shift_add{"shift_add", 4, ledger};
  pim::WeightWriter writer{"writer", mapping::WriterConfig{}, crossbar, programming};
  pim::BatchSource programmer{"programmer"};
  pim::BatchSource inputs{"inputs", [this](const auto& payload) { answered.push_back(int(payload.get_address())); }};
  pim::PsumSink outputs{"outputs", [this](const pim::Pipeline& vector, const std::vector<std::int32_t>& values) {
                          nodes.push_back(vector.node);
                          psums.push_back(values);
                        }};
};

}  // namespace

TEST_CASE("a block that needs two crossbars becomes a region of two, and vectors sent at once are served in turn") {
  Chain chain;
  chain.bind();
  const arithmetic::EncodedBlock block = small_block();
  const pim::RegionSetup region = pim::region_for(block, kStream, 2, 1);
  CHECK(region.first_crossbar == 1);
  CHECK(region.crossbars == 2);
  CHECK(pim::region_for(block, kStream, 3).crossbars == 2);
  chain.programmer.call(chain.programmer.levels(region, block.levels));
  chain.inputs.send(chain.inputs.vector(region, {9, 4, 15}, 1));
  chain.inputs.send(chain.inputs.vector(region, {1, 0, 0}, 0));
  chain.inputs.send(chain.inputs.vector(region, {0, 0, 2}));
  sc_core::sc_start();
  CHECK(chain.psums == std::vector<std::vector<std::int32_t>>{{94, -29}, {3, -8}, {10, 2}});
  CHECK(chain.nodes == std::vector<int>{1, 0, -1});
  CHECK(chain.answered == std::vector<int>{1, 1, 1});
  CHECK(chain.ledger.of(1)[observe::Action::kVectors] == 1);
  CHECK(chain.inputs.under_way() == 0);
  CHECK(chain.programmer.under_way() == 0);
}

TEST_CASE("a vector lies on a cache line, and its payload has all attributes") {
  pim::BatchSource source("source");
  const pim::RegionSetup region = pim::region_for(small_block(), kStream, 2, 1);
  const tlm_kit::PayloadHandle first = source.vector(region, {9, 4, 15}), second = source.vector(region, {1, 2, 3});
  for (const auto* payload : {first.get(), second.get()}) {
    CHECK(reinterpret_cast<std::uintptr_t>(payload->get_data_ptr()) % pim::kDataAlignment == 0);
    CHECK(payload->get_address() == 1);
    CHECK(payload->is_write());
    CHECK(payload->get_streaming_width() == payload->get_data_length());
    CHECK(pim::is_single_vector(*payload, sc_core::SC_ZERO_TIME));
  }
  const auto& batch = *second->get_extension<pim::Batch>();
  CHECK(second->get_data_ptr()[batch.codes_at + 2] == 3);
}

TEST_CASE("a call that is refused is an error of SystemC's") {
  Chain chain;
  chain.bind();
  const arithmetic::EncodedBlock block = small_block();
  const pim::RegionSetup beyond = pim::region_for(block, kStream, 2, 3);  // crossbars 3 and 4 of 4
  testbenches::ExpectedReports reports("programmer");
  chain.programmer.call(chain.programmer.levels(beyond, block.levels));
  CHECK(reports.count() == 1);
}
