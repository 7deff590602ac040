// SPDX-License-Identifier: Apache-2.0
// A function unit alone: the output register in which psums meet, requantisation, forwarding to another tile, and rows
// of element-wise operators and pools, against sums written out naively.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/pim/addresses.h"
#include "models/pim/function_unit.h"
#include "testbenches/models/pim/batch_links.h"
#include "testbenches/models/tlm/conformance.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;
using pim::Batch;
using pim::FunctionJob;

/// Bytes at any 64-bit address.
class SparseTarget : public sc_core::sc_module {
 public:
  explicit SparseTarget(sc_core::sc_module_name module_name) : sc_module(module_name), socket("socket") {
    socket.register_b_transport(this, &SparseTarget::access);
  }
  tlm_utils::simple_target_socket<SparseTarget> socket;
  std::map<std::uint64_t, std::uint8_t> bytes;
  bool refuses = false;

 private:
  void access(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    payload.set_response_status(refuses ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE);
    const unsigned char* const enables = payload.get_byte_enable_ptr();
    for (unsigned i = 0; i < payload.get_data_length() && !refuses; ++i) {
      if (enables != nullptr && enables[i % payload.get_byte_enable_length()] == TLM_BYTE_DISABLED) continue;
      std::uint8_t& byte = bytes[payload.get_address() + i];
      (payload.is_read() ? payload.get_data_ptr()[i] : byte) = payload.is_read() ? byte : payload.get_data_ptr()[i];
    }
  }
};

/// Tile 3.
struct UnitBench {
  UnitBench()
      : unit("unit", 3, {}, ledger),
        psums("psums"),
        jobs("jobs"),
        remote("remote"),
        buffer("buffer"),
        network("network") {
    ledger.resize(4);
    psums.out.bind(unit.psums);
    jobs.out.bind(unit.jobs);
    remote.socket.bind(unit.remote_psums);
    unit.buffer.bind(buffer.socket);
    unit.network.bind(network.socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  /// Psums [windows][filters] of filters first .. of a layer of `all`.
  tlm::tlm_response_status add(const std::vector<std::int32_t>& values, int windows, int first, int all,
                               pim::Pipeline* pipeline = nullptr) {
    Batch batch;
    batch.form = Batch::Form::kPsums;
    batch.count = windows;
    batch.filters = int(values.size()) / windows;
    batch.first_filter = first;
    batch.layer_filters = all;
    std::vector<std::uint8_t> bytes;
    for (const std::int32_t value : values)
      for (int i = 0; i < 4; ++i) bytes.push_back(std::uint8_t(std::uint32_t(value) >> (8 * i)));
    return psums.send(0, bytes, &batch, pipeline);
  }
  std::int32_t sum(std::uint64_t index) {
    std::int32_t value = 0;
    CHECK(remote.send(tlm::TLM_READ_COMMAND, 4 * index, &value, 4).response == tlm::TLM_OK_RESPONSE);
    return value;
  }
  tlm::tlm_response_status submit(FunctionJob& job, pim::Pipeline* pipeline = nullptr) {
    std::vector<std::uint8_t> none(1);
    return jobs.send(0, none, &job, pipeline);
  }

  observe::Ledger ledger;
  pim::FunctionUnit unit;
  BatchSource psums, jobs;
  TestInitiator<> remote;
  SparseTarget buffer, network;
};

TEST_CASE("psums of row blocks add up modulo 2^32, whatever their order and wherever they come from") {
  // Window 0: filter 0 gets 1 + 10 + 2^31 - 1, which wraps to -2^31 + 10; filter 2 gets 5 from another tile only.
  UnitBench bench;
  std::int32_t from_elsewhere[] = {10, 0, 5, 0, -7, 0};
  REQUIRE(bench.add({1, 2, 3, 4}, 2, 0, 3) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.remote.send(tlm::TLM_WRITE_COMMAND, 0, from_elsewhere, 24).response == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.add({INT32_MAX, INT32_MIN}, 2, 0, 3) == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.add({-1, 40}, 2, 2, 3) == tlm::TLM_OK_RESPONSE);
  const std::vector<std::int32_t> expected = {INT32_MIN + 10, 2, 4, INT32_MIN + 3, -3, 40};
  for (std::uint64_t i = 0; i < 6; ++i) CHECK(bench.sum(i) == expected[std::size_t(i)]);
  CHECK(bench.ledger.total()[Action::kTileShiftAdds] == 4 + 6 + 2 + 2);
}

TEST_CASE("psums that do not fit the layer or are none are refused") {
  UnitBench bench;
  CHECK(bench.add({1, 2}, 1, 2, 3) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  CHECK(bench.add({1, 2}, 1, -1, 3) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  CHECK(bench.add({1, 2}, 1, INT32_MAX, 3) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  std::vector<std::uint8_t> bytes(4);
  Batch batch;
  batch.form = Batch::Form::kPsums;
  batch.count = batch.filters = batch.layer_filters = 2;  // 16 bytes of psums in a payload of 4
  CHECK(bench.psums.send(0, bytes, &batch) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  batch.count = batch.filters = batch.layer_filters = 1;
  batch.form = Batch::Form::kConverted;
  CHECK(bench.psums.send(0, bytes, &batch) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  CHECK(bench.psums.send(0, bytes, static_cast<Batch*>(nullptr)) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  std::int32_t value = 0;
  CHECK(bench.remote.send(tlm::TLM_READ_COMMAND, 0, &value, 4).response == tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_CASE("the psum window keeps the rules of a target of whole psums whose writes add") {
  UnitBench bench;
  REQUIRE(bench.add(std::vector<std::int32_t>(40, 1), 10, 0, 4) == tlm::TLM_OK_RESPONSE);
  TargetDescription description;
  description.ranges = {{0, 160, true, true, false, {4, 8, 12, 16}, false}};
  CHECK(violated_rules(bench.remote.target(), description) == std::vector<std::string>{});
  const std::int32_t poked = 99;
  std::int32_t value = poked;
  CHECK(bench.remote.debug(tlm::TLM_WRITE_COMMAND, 8, &value, 4) == 4);
  CHECK(bench.sum(2) == poked);  // debug sets, it does not add
  CHECK(bench.remote.send(tlm::TLM_WRITE_COMMAND, 8, &value, 4).response == tlm::TLM_OK_RESPONSE);
  CHECK(bench.sum(2) == 2 * poked);
}

/// A convolution of three filters on a signed map, one pixel high and four wide.
dnn::Graph small_layer() {
  dnn::GraphBuilder net("layer", 5);
  dnn::ConvolutionOptions options;
  options.relu = false;
  net.convolution(net.input({1, 4, 2}, dnn::CodeType::kInt8), 3, dnn::square_window(1), options);
  dnn::Graph graph = net.build();
  graph.tensors[1].zero_point = -5;
  graph.nodes[0].lower = -100;
  graph.nodes[0].upper = 90;
  return graph;
}

TEST_CASE("requantised psums go to every destination at their pixel, and the accumulators are empty again") {
  UnitBench bench;
  const dnn::Graph graph = small_layer();
  const dnn::Node& node = graph.nodes[0];
  const dnn::Requantiser requantiser(graph, node);
  std::vector<std::int32_t> values;
  for (int i = 0; i < 6; ++i) values.push_back((i - 3) * 3000);
  REQUIRE(bench.add(values, 2, 0, 3) == tlm::TLM_OK_RESPONSE);
  FunctionJob job;
  job.kind = FunctionJob::Kind::kRequantise;
  job.graph = &graph;
  job.node = &node;
  job.requantiser = &requantiser;
  job.x_first = 2;
  job.windows = 2;
  job.filters = 3;
  job.destinations = {{3, 100, false}, {7, 200, true}};
  pim::Pipeline pipeline;
  pipeline.node = 1;
  REQUIRE(bench.submit(job, &pipeline) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.buffer.bytes.size() == 6);
  CHECK(bench.network.bytes.size() == 6);
  for (int i = 0; i < 6; ++i) {
    const auto filter = std::size_t(i % 3);
    // The input's zero point is 0, so the bias stands as it is.
    const double real = double(values[std::size_t(i)] + node.weights.bias[filter]) *
                        (graph.tensors[0].scale * node.weights.scale[filter] / graph.tensors[1].scale);
    const auto code = std::uint8_t(int(std::min(90.0, std::max(-100.0, std::nearbyint(real) - 5))));
    CHECK(bench.buffer.bytes[std::uint64_t(100 + 2 * 3 + i)] == code);
    CHECK(bench.network.bytes[pim::tile_address(7, std::uint64_t(200 + 2 * 3 + i))] == code);
  }
  CHECK(bench.ledger.of(1)[Action::kFunctionOutputs] == 6);
  CHECK(bench.ledger.of(1)[Action::kSpilledBytes] == 6);
  CHECK(bench.submit(job) == tlm::TLM_COMMAND_ERROR_RESPONSE);  // nothing is left to requantise
}

TEST_CASE("a part of the filters is written where its codes lie in each pixel, and nothing else is touched") {
  // Filters 1 and 2 of three; pixels 1 and 2 of four, later pixel 3.
  UnitBench bench;
  const dnn::Graph graph = small_layer();
  const dnn::Requantiser requantiser(graph, graph.nodes[0]);
  const std::vector<std::int32_t> psums = {-9000, 9000, 3000, -3000};
  REQUIRE(bench.add(psums, 2, 0, 2) == tlm::TLM_OK_RESPONSE);
  FunctionJob job;
  job.kind = FunctionJob::Kind::kRequantise;
  job.graph = &graph, job.node = &graph.nodes[0], job.requantiser = &requantiser;
  job.x_first = job.first_filter = 1;
  job.windows = job.filters = 2;
  job.destinations = {{3, 100, true}, {7, 200, true}};
  pim::Pipeline pipeline;
  pipeline.count = 2;
  REQUIRE(bench.submit(job, &pipeline) == tlm::TLM_OK_RESPONSE);
  CHECK(pipeline.multicast == 0);  // what is sent next is no copy
  std::map<std::uint64_t, std::uint8_t> here, there;
  for (int i = 0; i < 4; ++i) {
    const int at = (1 + i / 2) * 3 + 1 + i % 2;
    std::uint8_t& code = here[std::uint64_t(100 + at)];
    requantiser.apply(&psums[std::size_t(i)], 1, 1 + i % 2, 1, &code, 1);
    there[pim::tile_address(7, std::uint64_t(200 + at))] = code;
  }
  CHECK(bench.buffer.bytes == here);
  CHECK(bench.network.bytes == there);
  CHECK(bench.ledger.total()[Action::kSpilledBytes] == 2 * 4);
  job.kind = FunctionJob::Kind::kStore;
  job.x_first = 3;
  std::vector<std::uint8_t> codes = {11, 12};
  REQUIRE(bench.jobs.send(0, codes, &job) == tlm::TLM_OK_RESPONSE);
  here[110] = 11, here[111] = 12;
  CHECK(bench.buffer.bytes == here);
  job.first_filter = 2;  // two filters from the last one on
  CHECK(bench.jobs.send(0, codes, &job) == tlm::TLM_COMMAND_ERROR_RESPONSE);
}

TEST_CASE("forwarded psums are sent to the home tile's window, once") {
  UnitBench bench;
  const dnn::Graph graph = small_layer();
  REQUIRE(bench.add({-1, 2, 3, 4, 5, 70000}, 2, 0, 3) == tlm::TLM_OK_RESPONSE);
  FunctionJob job;
  job.kind = FunctionJob::Kind::kForward;
  job.graph = &graph;
  job.node = &graph.nodes[0];
  job.home_tile = 9;
  REQUIRE(bench.submit(job) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.buffer.bytes.empty());
  CHECK(bench.network.bytes.size() == 24);
  const std::uint64_t base = (std::uint64_t{9} << 32) | (1u << 30);
  CHECK(int(bench.network.bytes[base + 3]) == 0xff);
  CHECK(int(bench.network.bytes[base + 4]) == 2);
  CHECK(int(bench.network.bytes[base + 20]) == 0x70);
  CHECK(int(bench.network.bytes[base + 21]) == 0x11);
  CHECK(int(bench.network.bytes[base + 22]) == 0x01);
  CHECK(bench.submit(job) == tlm::TLM_COMMAND_ERROR_RESPONSE);
}

TEST_CASE("jobs without their parts, of another size, or that a target refuses are answered with an error") {
  UnitBench bench;
  const dnn::Graph graph = small_layer();
  const dnn::Requantiser requantiser(graph, graph.nodes[0]);
  const auto error = tlm::TLM_COMMAND_ERROR_RESPONSE;
  FunctionJob good;
  good.kind = FunctionJob::Kind::kRequantise;
  good.graph = &graph;
  good.node = &graph.nodes[0];
  good.requantiser = &requantiser;
  good.windows = 2;
  good.filters = 3;
  good.destinations = {{3, 0, false}};
  const auto refused = [&](const std::function<void(FunctionJob&)>& spoil) {
    REQUIRE(bench.add({1, 2, 3, 4, 5, 6}, 2, 0, 3) == tlm::TLM_OK_RESPONSE);
    FunctionJob job = good;
    spoil(job);
    CHECK(bench.submit(job) == error);
  };
  refused([](FunctionJob& j) { j.graph = nullptr; });
  refused([](FunctionJob& j) { j.node = nullptr; });
  refused([](FunctionJob& j) { j.requantiser = nullptr; });
  refused([](FunctionJob& j) { j.windows = 3; });
  refused([](FunctionJob& j) { j.filters = 2; });
  refused([](FunctionJob& j) { j.kind = FunctionJob::Kind::kRow; });  // a convolution, and no source for its input
  bench.buffer.refuses = true;
  refused([](FunctionJob&) {});
  std::vector<std::uint8_t> none(1);
  CHECK(bench.jobs.send(0, none, static_cast<FunctionJob*>(nullptr)) == error);
}

TEST_CASE("psums that an operation has left behind, because it failed, count for nothing in the next one") {
  UnitBench bench;
  pim::Pipeline failed, next;
  failed.operation = 7;
  next.operation = 8;
  REQUIRE(bench.add({1, 2, 3}, 1, 0, 3, &failed) == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.add({10, 20}, 1, 0, 3, &next) == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.add({30, 40}, 1, 1, 3, &next) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.sum(0) == 10);
  CHECK(bench.sum(1) == 20 + 30);
  CHECK(bench.sum(2) == 40);
}

/// Rows of two maps of 6 x 3 x 2 in rings of four slots, as third inference of a stream: row y lies in slot
/// (2 * 6 + y) % 4. Map i has zero point 3 + i and scale 0.5 + i.
struct Rows {
  Rows() {
    dnn::GraphBuilder net("rows", 5);
    const int a = net.input({6, 3, 2}), b = net.input({6, 3, 2}, dnn::CodeType::kInt8);
    net.add(a, b, false);
    net.concat({b, a});
    net.max_pool(a, dnn::square_window(3, 2, 1));
    net.average_pool(b, dnn::square_window(3, 2, 1), true);
    net.average_pool(a, dnn::square_window(2, 2));
    for (int i = 2; i < 7; ++i) net.output(i);
    graph = net.build();
    for (int i = 0; i < 7; ++i) {
      graph.tensors[std::size_t(i)].zero_point = 3 + i;
      graph.tensors[std::size_t(i)].scale = 0.5 + i % 3;
    }
    graph.tensors[4].scale = graph.tensors[0].scale;  // a max pool passes codes on
    graph.tensors[4].zero_point = graph.tensors[0].zero_point;
  }
  int code(int map, int y, int x, int c) const {
    const int value = (37 * y + 11 * x + 5 * c + 90 * map) % 256;
    return map == 0 ? value : value - 128;
  }
  double real(int map, int y, int x, int c) const { return (code(map, y, x, c) - 3 - map) * (0.5 + map); }
  pim::RingView ring(int map) const { return {std::uint64_t(1000 * map), 4, 6, 12, false}; }
  void write(UnitBench& bench, int map, int y) const {
    for (int i = 0; i < 6; ++i)
      bench.buffer.bytes[std::uint64_t(1000 * map + (12 + y) % 4 * 6 + i)] = std::uint8_t(code(map, y, i / 2, i % 2));
  }
  /// One row of node `node` through the unit, as codes.
  std::vector<int> compute(UnitBench& bench, int node, int y) const {
    FunctionJob job;
    job.graph = &graph;
    job.node = &graph.nodes[std::size_t(node)];
    job.y = y;
    for (const int input : job.node->inputs) job.sources.push_back(ring(input));
    job.destinations = {{3, 5000, false}};
    REQUIRE(bench.submit(job) == tlm::TLM_OK_RESPONSE);
    const dnn::Tensor& out = graph.output_of(*job.node);
    std::vector<int> codes;
    for (std::size_t i = 0; i < out.shape.row_bytes(); ++i) {
      const std::uint8_t byte = bench.buffer.bytes[5000 + i];
      codes.push_back(out.type == dnn::CodeType::kInt8 ? int(std::int8_t(byte)) : int(byte));
    }
    return codes;
  }
  int quantised(int node, double real_value) const {
    const dnn::Tensor& out = graph.output_of(graph.nodes[std::size_t(node)]);
    const double steps = std::nearbyint(real_value / out.scale) + out.zero_point;
    return out.type == dnn::CodeType::kInt8 ? int(std::min(127.0, std::max(-128.0, steps)))
                                            : int(std::min(255.0, std::max(0.0, steps)));
  }
  dnn::Graph graph;
};

TEST_CASE("rows of an addition and a concatenation come from the right slots of their rings") {
  UnitBench bench;
  const Rows rows;
  for (int y = 0; y < 6; ++y) {
    for (const int map : {0, 1}) rows.write(bench, map, y);
    const std::vector<int> sum = rows.compute(bench, 0, y), both = rows.compute(bench, 1, y);
    REQUIRE(sum.size() == 6);
    REQUIRE(both.size() == 12);
    for (int x = 0; x < 3; ++x)
      for (int c = 0; c < 2; ++c) {
        CHECK(sum[std::size_t(2 * x + c)] == rows.quantised(0, rows.real(0, y, x, c) + rows.real(1, y, x, c)));
        CHECK(both[std::size_t(4 * x + c)] == rows.quantised(1, rows.real(1, y, x, c)));
        CHECK(both[std::size_t(4 * x + 2 + c)] == rows.quantised(1, rows.real(0, y, x, c)));
      }
  }
  CHECK(bench.ledger.total()[Action::kPoolInputs] == 6 * 4 * 6);
  CHECK(bench.ledger.total()[Action::kFunctionOutputs] == 6 * (6 + 12));
}

TEST_CASE("rows of pools read only what their windows cover, padding apart") {
  UnitBench bench;
  const Rows rows;
  int written = 0;
  std::uint64_t read = 0;
  for (int y = 0; y < 3; ++y) {
    for (; written < std::min(6, 2 * y + 2); ++written)
      for (const int map : {0, 1}) rows.write(bench, map, written);
    const std::vector<int> largest = rows.compute(bench, 2, y), mean = rows.compute(bench, 3, y);
    const std::vector<int> small_mean = rows.compute(bench, 4, y);
    read += 2u * (y == 0 ? 2 : 3) * 6 + 2 * 6;
    for (int x = 0; x < 2; ++x)
      for (int c = 0; c < 2; ++c) {
        int most = 0;
        double sum = 0.0;
        for (int row = std::max(0, 2 * y - 1); row <= std::min(5, 2 * y + 1); ++row)
          for (int column = std::max(0, 2 * x - 1); column <= std::min(2, 2 * x + 1); ++column) {
            most = std::max(most, rows.code(0, row, column, c));
            sum += rows.real(1, row, column, c);
          }
        CHECK(largest[std::size_t(2 * x + c)] == most);
        CHECK(mean[std::size_t(2 * x + c)] == rows.quantised(3, sum / 9));  // padding counts in the divisor
        if (x == 1) continue;
        double of_four = 0.0;
        for (int i = 0; i < 4; ++i) of_four += rows.real(0, 2 * y + i / 2, i % 2, c);
        CHECK(small_mean[std::size_t(c)] == rows.quantised(4, of_four / 4));
      }
  }
  CHECK(bench.ledger.total()[Action::kPoolInputs] == read);
}

}  // namespace
}  // namespace mho::testbenches
