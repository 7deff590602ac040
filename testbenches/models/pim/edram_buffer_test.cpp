// SPDX-License-Identifier: Apache-2.0
// A tile's buffer and the bus behind it, each alone: storage, windows gathered out of rings, lines counted, and which
// crossbar_tile a batch reaches.
#include <catch2/catch.hpp>
#include <functional>

#include "models/pim/bus.h"
#include "models/pim/edram_buffer.h"
#include "testbenches/models/pim/batch_links.h"
#include "testbenches/models/tlm/conformance.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;
using pim::Batch;

/// 1000 bytes in lines of 32; values of two bytes on the wires.
struct BufferBench {
  explicit BufferBench(int value_bytes = 2)
      : buffer("buffer", config(), value_bytes, ledger), port("port"), windows("windows"), sink("sink") {
    ledger.resize(4);
    port.socket.bind(buffer.port);
    windows.out.bind(buffer.windows);
    buffer.bus.bind(sink.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  static mapping::EdramConfig config() {
    mapping::EdramConfig config;
    config.bytes = 1000;
    return config;
  }
  observe::Ledger ledger;
  pim::EdramBuffer buffer;
  TestInitiator<> port;
  BatchSource windows;
  BatchSink sink;
};

TEST_CASE("the port of a buffer keeps every rule, also where a neighbour lends space") {
  BufferBench bench;
  TargetDescription description;
  description.ranges = {{0, 1000, true, true, true, {}, false}};
  description.byte_enables = true;
  CHECK(violated_rules(bench.port.target(), description) == std::vector<std::string>{});
  bench.buffer.reach(1500);
  bench.buffer.reach(10);  // reaches less than before: nothing changes
  description.ranges[0].size = 1500;
  CHECK(violated_rules(bench.port.target(), description) == std::vector<std::string>{});
}

TEST_CASE("lines are counted at the machine's width, reads and writes apart") {
  // 33 codes of two bytes are 66 bytes: 3 lines of 32. A pipelined transfer of 4 items rounds each item up: 33 codes
  // are 9 an item, 18 bytes, 1 line, 4 lines in all.
  BufferBench bench;
  std::vector<std::uint8_t> bytes(33);
  bench.port.send(tlm::TLM_WRITE_COMMAND, 0, bytes.data(), 33);
  CHECK(bench.ledger.of(-1)[Action::kEdramLinesWritten] == 3);
  CHECK(bench.ledger.of(-1)[Action::kEdramLinesRead] == 0);
  bench.port.send(tlm::TLM_READ_COMMAND, 0, bytes.data(), 33);
  CHECK(bench.ledger.of(-1)[Action::kEdramLinesRead] == 3);
  pim::Pipeline pipeline;
  pipeline.node = 2;
  pipeline.count = 4;
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_data_ptr(bytes.data());
  payload.set_data_length(33);
  payload.set_streaming_width(33);
  payload.set_extension(&pipeline);
  sc_core::sc_time delay;
  bench.port.socket->b_transport(payload, delay);
  payload.clear_extension(&pipeline);
  CHECK(payload.is_response_ok());
  CHECK(bench.ledger.of(2)[Action::kEdramLinesWritten] == 4);
}

TEST_CASE("bytes that are not enabled keep what they were and cost no line") {
  // 2 of every 5 bytes, three times and the 2 of a fourth: 8 codes of two bytes in 4 items, a line each.
  BufferBench bench;
  std::vector<std::uint8_t> bytes(17, 9), enables = {TLM_BYTE_ENABLED, TLM_BYTE_ENABLED, 0, 0, 0};
  pim::Pipeline pipeline;
  pipeline.node = 2;
  pipeline.count = 4;
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_address(100);
  payload.set_data_ptr(bytes.data());
  payload.set_data_length(17);
  payload.set_streaming_width(17);
  payload.set_byte_enable_ptr(enables.data());
  payload.set_byte_enable_length(5);
  payload.set_extension(&pipeline);
  sc_core::sc_time delay;
  bench.port.socket->b_transport(payload, delay);
  payload.clear_extension(&pipeline);
  CHECK(payload.is_response_ok());
  CHECK(bench.ledger.of(2)[Action::kEdramLinesWritten] == 4);
  std::vector<std::uint8_t> seen(18);
  CHECK(bench.port.debug(tlm::TLM_READ_COMMAND, 100, seen.data(), 18) == 18);
  CHECK(seen == std::vector<std::uint8_t>{9, 9, 0, 0, 0, 9, 9, 0, 0, 0, 9, 9, 0, 0, 0, 9, 9, 0});
  // Alone, 24 of 40 codes are 48 bytes, two lines.
  bytes.assign(40, 7);
  enables = {TLM_BYTE_ENABLED, TLM_BYTE_ENABLED, TLM_BYTE_ENABLED, 0, 0};
  payload.set_data_ptr(bytes.data());
  payload.set_data_length(40);
  payload.set_streaming_width(40);
  payload.set_byte_enable_ptr(enables.data());
  bench.port.socket->b_transport(payload, delay);
  CHECK(bench.ledger.of(-1)[Action::kEdramLinesWritten] == 2);
}

/// Rows of a 5 x 4 x 4 map with zero point 7 that pass through a ring of four rows, as second inference of a stream.
struct Map {
  Map() {
    tensor.shape = {5, 4, 4};
    tensor.zero_point = 7;
    window = {3, 3, 2, 1, 1, 1, 1, 1, 1, 1};  // 3 x 3, stride 2 down and 1 across, one element of padding
    ring = {40, 4, tensor.shape.row_bytes(), 5, false};
  }
  int code(int y, int x, int c) const { return (31 * y + 7 * x + 3 * c + 50) % 251; }
  /// Element k of window (y, x): the order is [group][ky][kx][c of the group].
  int element(int y, int x, int k, int groups) const {
    const int channels = 4 / groups, group = k / (9 * channels), c = group * channels + k % channels;
    const int row = 2 * y - 1 + k / channels % 9 / 3, column = x - 1 + k / channels % 3;
    return row < 0 || row >= 5 || column < 0 || column >= 4 ? 7 : code(row, column, c);
  }
  void write_row(BufferBench& bench, int y) const {
    std::vector<std::uint8_t> row;
    for (int x = 0; x < 4; ++x)
      for (int c = 0; c < 4; ++c) row.push_back(std::uint8_t(code(y, x, c)));
    // Row y of the second inference is row 5 + y of the stream; slots lie 16 bytes apart from byte 40 on.
    bench.port.send(tlm::TLM_WRITE_COMMAND, std::uint64_t(40 + (5 + y) % 4 * 16), row.data(), 16);
  }
  Batch batch(int y, int x_first, int count, int k_first, int k_count, int groups) const {
    Batch batch;
    batch.count = count;
    batch.rows = k_count;
    batch.input = &tensor;
    batch.window = &window;
    batch.groups = groups;
    batch.slice = {y, x_first, count, k_first, k_count};
    batch.ring = ring;
    batch.codes_at = 64;
    return batch;
  }
  dnn::Tensor tensor;
  dnn::Window window;
  pim::RingView ring;
};

TEST_CASE("windows are gathered out of a ring that wraps, with padding as the zero point and any piece of the window") {
  BufferBench bench;
  const Map map;
  struct Piece {
    int k_first, k_count, groups;
  };
  int written = 0;
  for (int y = 0; y < 3; ++y) {  // output row y needs input rows up to 2 y + 1
    for (; written < std::min(5, 2 * y + 2); ++written) map.write_row(bench, written);
    for (const Piece piece : {Piece{0, 36, 1}, Piece{5, 20, 1}, Piece{0, 36, 2}, Piece{13, 11, 2}, Piece{0, 36, 4}}) {
      pim::Pipeline pipeline;
      pipeline.node = 1;
      bench.ledger.resize(4);
      Batch batch = map.batch(y, 1, 3, piece.k_first, piece.k_count, piece.groups);
      std::vector<std::uint8_t> bytes(64 + std::size_t(3 * piece.k_count), 0xee);
      REQUIRE(bench.windows.send(77, bytes, &batch, &pipeline) == tlm::TLM_OK_RESPONSE);
      CHECK(batch.form == Batch::Form::kCodes);
      CHECK(bench.sink.address == 77);
      for (int w = 0; w < 3; ++w)
        for (int k = 0; k < piece.k_count; ++k)
          CHECK(int(bytes[std::size_t(64 + w * piece.k_count + k)]) ==
                map.element(y, 1 + w, piece.k_first + k, piece.groups));
      CHECK(bytes[63] == 0xee);
      const int lines = (piece.k_count * 2 + 31) / 32;
      CHECK(bench.ledger.of(1)[Action::kEdramLinesRead] == std::uint64_t(3 * lines));
    }
  }
}

TEST_CASE("windows that lie outside the buffer or the payload are refused and reach no bus") {
  BufferBench bench;
  const Map map;
  const auto refused = [&](const std::function<void(Batch&)>& spoil) {
    Batch batch = map.batch(0, 0, 3, 0, 36, 1);
    std::vector<std::uint8_t> bytes(64 + 3 * 36);
    spoil(batch);
    const Batch::Form form = batch.form;
    CHECK(bench.windows.send(0, bytes, &batch) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
    CHECK(batch.form == form);
    CHECK(bench.sink.calls == 0);
  };
  refused([](Batch& b) { b.form = Batch::Form::kCodes; });
  refused([](Batch& b) { b.input = nullptr; });
  refused([](Batch& b) { b.window = nullptr; });
  refused([](Batch& b) { b.ring.offset = 1000 - 63; });
  refused([](Batch& b) { b.ring.offset = ~std::uint64_t{0} - 10; });
  refused([](Batch& b) { b.ring.rows = 0; });
  refused([](Batch& b) { b.ring.row_bytes = 15; });
  refused([](Batch& b) { b.codes_at = 65; });
  refused([](Batch& b) { b.codes_at = std::size_t(-1); });
  refused([](Batch& b) { b.slice.count = b.count = 4; });
  refused([](Batch& b) { b.slice.count = 2; });
  refused([](Batch& b) { b.slice.k_count = 35; });
  refused([](Batch& b) { b.slice.count = b.count = 0; });
  std::vector<std::uint8_t> bytes(172);
  CHECK(bench.windows.send(0, bytes, static_cast<Batch*>(nullptr)) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  Batch good = map.batch(0, 0, 3, 0, 36, 1);
  good.ring.offset = 1000 - 64;
  CHECK(bench.windows.send(0, bytes, &good) == tlm::TLM_OK_RESPONSE);
}

TEST_CASE("a bus leads to the crossbar_tile of the address, gives it its own address, and counts bits") {
  observe::Ledger ledger;
  ledger.resize(4);
  pim::Bus bus("bus", {}, 3, 2, ledger);
  BatchSource source("source");
  BatchSink first("first"), second("second"), third("third");
  source.out.bind(bus.from_buffer);
  bus.to_crossbar_tile[0].bind(first.in);
  bus.to_crossbar_tile[1].bind(second.in);
  bus.to_crossbar_tile[2].bind(third.in);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  Batch batch;
  batch.form = Batch::Form::kCodes;
  batch.count = 5;
  batch.rows = 10;
  pim::Pipeline pipeline;
  pipeline.node = 3;
  std::vector<std::uint8_t> bytes(50);
  CHECK(source.send((1ull << 16) + 7, bytes, &batch, &pipeline) == tlm::TLM_OK_RESPONSE);
  CHECK(first.calls + third.calls == 0);
  CHECK(second.calls == 1);
  CHECK(second.address == 7);
  CHECK(ledger.of(3)[Action::kBusBits] == 5 * 10 * 2 * 8);
  CHECK(source.send((2ull << 16) + 0xffff, bytes, &batch) == tlm::TLM_OK_RESPONSE);
  CHECK(third.address == 0xffff);
  for (const std::uint64_t address : {3ull << 16, 1ull << 48, ~0ull})
    CHECK(source.send(address, bytes, &batch) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  batch.form = Batch::Form::kEmpty;
  CHECK(source.send(0, bytes, &batch) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(source.send(0, bytes, static_cast<Batch*>(nullptr)) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  second.answer = tlm::TLM_GENERIC_ERROR_RESPONSE;
  batch.form = Batch::Form::kCodes;
  CHECK(source.send(1ull << 16, bytes, &batch) == tlm::TLM_GENERIC_ERROR_RESPONSE);
}

}  // namespace
}  // namespace mho::testbenches
