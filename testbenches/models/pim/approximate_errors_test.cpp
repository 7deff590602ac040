// SPDX-License-Identifier: Apache-2.0
// Requests that no module of a tile can serve: each is answered by an error at BEGIN_RESP at once, takes no time,
// counts nothing, and the next good one is served as if it had not been.
#include <catch2/catch.hpp>
#include <functional>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/pim/bus.h"
#include "models/pim/edram_buffer.h"
#include "models/pim/function_unit.h"
#include "models/pim/slice.h"
#include "testbenches/models/pim/device_bench.h"
#include "testbenches/models/pim/region_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

/// Plays initiator and target of a module by hand.
struct Ends : sc_core::sc_module {
  explicit Ends(sc_core::sc_module_name module_name) : sc_module(module_name), out("out"), in("in") {
    out.register_nb_transport_bw(this, &Ends::backward);
    in.register_nb_transport_fw(this, &Ends::forward);
  }
  /// BEGIN_REQ; the response where it came at once, else TLM_INCOMPLETE_RESPONSE.
  tlm::tlm_response_status begin(tlm::tlm_generic_payload& payload, const sc_core::sc_time& ahead = {}) {
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay = ahead;
    const tlm::tlm_sync_enum answer = out->nb_transport_fw(payload, phase, delay);
    CHECK(answer != tlm::TLM_COMPLETED);
    accepted += answer == tlm::TLM_UPDATED && phase == tlm::END_REQ;
    if (answer != tlm::TLM_UPDATED || phase != tlm::BEGIN_RESP) return tlm::TLM_INCOMPLETE_RESPONSE;
    const tlm::tlm_response_status response = payload.get_response_status();
    phase = tlm::END_RESP;
    CHECK(out->nb_transport_fw(payload, phase, delay) == tlm::TLM_COMPLETED);
    return response;
  }
  tlm::tlm_sync_enum backward(tlm::tlm_generic_payload&, tlm::tlm_phase& phase, sc_core::sc_time&) {
    (phase == tlm::BEGIN_RESP ? responses : accepted) += 1;
    return phase == tlm::BEGIN_RESP ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
  }
  tlm::tlm_sync_enum forward(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
    ++requests;
    CHECK(payload.get_ref_count() > 0);
    return tlm::TLM_ACCEPTED;
  }
  tlm_utils::simple_initiator_socket<Ends, 32, pim::BatchProtocol> out;
  tlm_utils::simple_target_socket<Ends, 32, pim::BatchProtocol> in;
  int responses = 0, accepted = 0, requests = 0;
};

/// What a good request is made of; a test spoils one part.
struct Parts {
  std::unique_ptr<pim::Batch> batch;
  std::unique_ptr<pim::Pipeline> pipeline = std::make_unique<pim::Pipeline>();
  std::unique_ptr<pim::FunctionJob> job;
  std::vector<std::uint8_t> bytes;
  std::uint64_t address = 0;
  sc_core::sc_time delay;
  bool memory_management = true;
};

using Spoil = std::function<void(Parts&)>;

const std::vector<Spoil>& spoilt_vectors() {
  static const std::vector<Spoil> all = {
      [](Parts& parts) { parts.batch.reset(); },
      [](Parts& parts) { parts.pipeline.reset(); },
      [](Parts& parts) { parts.batch->pool = nullptr; },
      [](Parts& parts) { parts.memory_management = false; },
      [](Parts& parts) { parts.batch->count = 2; },
      [](Parts& parts) { parts.batch->count = 0; },
      [](Parts& parts) { parts.batch->form = pim::Batch::Form::kConverted; },
      [](Parts& parts) { parts.address = 1 << 20; },
      [](Parts& parts) { parts.delay = sc_core::sc_time(1, sc_core::SC_NS); },
  };
  return all;
}

struct Bench {
  Bench() : ends("ends") { ledger.resize(4); }
  tlm::tlm_response_status send(Parts& parts) {
    auto handle = pool.acquire(0);
    tlm::tlm_generic_payload bare;
    tlm::tlm_generic_payload& payload = parts.memory_management ? *handle : bare;
    payload.set_command(tlm::TLM_WRITE_COMMAND);
    payload.set_address(parts.address);
    payload.set_data_ptr(parts.bytes.data());
    payload.set_data_length(unsigned(parts.bytes.size()));
    payload.set_streaming_width(unsigned(parts.bytes.size()));
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    if (parts.batch) payload.set_extension(parts.batch.release());
    if (parts.pipeline) payload.set_extension(parts.pipeline.release());
    if (parts.job) payload.set_extension(parts.job.release());
    const tlm::tlm_response_status answer = ends.begin(payload, parts.delay);
    bare.free_all_extensions();
    return answer;
  }
  /// Every spoilt request is refused; `make` gives a good one.
  void check_refused(const std::function<Parts()>& make, const std::vector<Spoil>& spoilt) {
    if (sc_core::sc_get_status() == sc_core::SC_ELABORATION) sc_core::sc_start(sc_core::SC_ZERO_TIME);
    for (std::size_t i = 0; i < spoilt.size(); ++i) {
      INFO("spoilt " << i);
      Parts parts = make();
      spoilt[i](parts);
      const tlm::tlm_response_status answer = send(parts);
      CHECK(int(answer) < int(tlm::TLM_INCOMPLETE_RESPONSE));
    }
    if (sc_core::sc_pending_activity()) sc_core::sc_start();
    CHECK(sc_core::sc_time_stamp() == sc_core::SC_ZERO_TIME);
    CHECK(ledger.total().values == observe::Counts().values);
    CHECK(pool.in_use() == 0);
    CHECK(ends.responses == 0);
    CHECK(ends.requests == 0);
    Parts good = make();
    CHECK(send(good) == tlm::TLM_INCOMPLETE_RESPONSE);  // under way
    if (sc_core::sc_pending_activity()) sc_core::sc_start();
  }

  observe::Ledger ledger;
  tlm_kit::PayloadPool pool;
  Ends ends;
  RegionData region = random_region(1, 16, 2, 1, 8);
};

Parts codes(Bench& bench) {
  Parts parts;
  const BatchOfCodes good(bench.region, random_codes(1, 1, 16), false);
  parts.batch = std::make_unique<pim::Batch>(good.batch);
  parts.batch->pool = &bench.pool;
  parts.bytes = good.bytes;
  parts.address = 1;
  return parts;
}

/// A crossbar_tile whose first region is set up as the bench's.
struct TileBetweenEnds {
  explicit TileBetweenEnds(Bench& bench) : tile("tile", small_crossbars(), bench.ledger, store) {
    bench.ends.out.bind(tile.input);
    tile.sums.bind(bench.ends.in);
    setup.out.bind(tile.setup);
    cells.socket.bind(tile.cells);
    set_up(bench.region.setup);
  }
  void set_up(pim::RegionSetup& region) { REQUIRE(setup.send(0, none, &region) == tlm::TLM_OK_RESPONSE); }

  pim::WeightStore store;
  pim::CrossbarTile tile;
  BatchSource setup{"setup"};
  TestInitiator<> cells{"cells"};
  std::vector<std::uint8_t> none = std::vector<std::uint8_t>(1);
};

TEST_CASE("a crossbar_tile refuses what is no single vector of codes for one of its regions") {
  Bench bench;
  TileBetweenEnds tile(bench);
  std::vector<Spoil> spoilt = spoilt_vectors();
  spoilt.push_back([](Parts& parts) { parts.address = 0; });
  spoilt.push_back([](Parts& parts) { parts.batch->rows = 15; });
  spoilt.push_back([](Parts& parts) { parts.batch->filters = 1; });
  spoilt.push_back([](Parts& parts) { parts.batch->sums_at += 2; });
  spoilt.push_back([](Parts& parts) { parts.bytes.resize(parts.bytes.size() / 2); });
  bench.check_refused([&] { return codes(bench); }, spoilt);
  CHECK(bench.ends.requests == 1);  // the peer never answers, so no second slice goes
  CHECK(bench.ends.accepted == 1);
  // Slices of the first are still to be read from the register.
  Parts second = codes(bench);
  CHECK(bench.send(second) == tlm::TLM_INCOMPLETE_RESPONSE);
  if (sc_core::sc_pending_activity()) sc_core::sc_start();
  CHECK(bench.ends.accepted == 1);
}

TEST_CASE("a vector in the input register is refused where its region is gone when it would be driven") {
  Bench bench;
  TileBetweenEnds tile(bench);
  // Between two edges of the clock, so that the register has taken it and the array has not begun.
  sc_core::sc_start(sc_core::sc_time(30, sc_core::SC_NS));
  Parts parts = codes(bench);
  REQUIRE(bench.send(parts) == tlm::TLM_INCOMPLETE_RESPONSE);
  pim::RegionSetup other = bench.region.setup;
  other.rows = 8;
  tile.set_up(other);
  sc_core::sc_start();
  CHECK(sc_core::sc_time_stamp() == sc_core::sc_time(100, sc_core::SC_NS));
  CHECK(bench.ends.responses == 1);
  CHECK(bench.ends.requests == 0);
  CHECK(bench.ledger.total().values == observe::Counts().values);
  CHECK(bench.pool.in_use() == 0);
}

TEST_CASE("a slice keeps the array it was read from") {
  // Its converter still asks the array for columns when the region has been programmed and driven again.
  Bench bench;
  arithmetic::EncodedBlock block;
  block.rows = 16;
  block.filters = 2;
  block.cell_bits = 2;
  block.levels = bench.region.levels;
  block.recombination = bench.region.setup.recombination;
  auto array = std::make_shared<const arithmetic::ProgrammedArray>(std::move(block), bench.region.setup.stream);
  const std::weak_ptr<const arithmetic::ProgrammedArray> watched = array;
  auto vector = bench.pool.acquire(0);
  auto slice = bench.pool.acquire(0);
  slice->set_extension(new pim::Slice(*vector, std::move(array), 0, 8));
  CHECK_FALSE(watched.expired());
  { const pim::Slice copy(*slice->get_extension<pim::Slice>()); }
  CHECK(bench.pool.in_use() == 2);
  slice = {};
  CHECK(watched.expired());
  vector = {};
  CHECK(bench.pool.in_use() == 0);
}

TEST_CASE("a bus refuses what is no single vector of codes for one of its crossbar_tiles") {
  Bench bench;
  pim::Bus bus("bus", {}, 1, 1, bench.ledger);
  bench.ends.out.bind(bus.from_buffer);
  bus.to_crossbar_tile[0].bind(bench.ends.in);
  bench.check_refused([&] { return codes(bench); }, spoilt_vectors());
  CHECK(bench.ends.requests == 1);
}

TEST_CASE("a buffer refuses what is no single empty vector whose window lies in it") {
  Bench bench;
  pim::EdramBuffer buffer("buffer", {}, 1, bench.ledger);
  TestInitiator<> port("port");
  bench.ends.out.bind(buffer.windows);
  buffer.bus.bind(bench.ends.in);
  port.socket.bind(buffer.port);
  dnn::Tensor tensor;
  tensor.shape = {1, 1, 16};
  const dnn::Window window = dnn::square_window(1);
  std::vector<Spoil> spoilt = spoilt_vectors();
  spoilt[7] = [](Parts& parts) { parts.batch->ring.offset = 64 * 1024 - 8; };
  spoilt.push_back([](Parts& parts) { parts.batch->input = nullptr; });
  spoilt.push_back([](Parts& parts) { parts.batch->codes_at = parts.bytes.size() - 3; });
  bench.check_refused(
      [&] {
        Parts parts = codes(bench);
        parts.batch->form = pim::Batch::Form::kEmpty;
        parts.batch->input = &tensor;
        parts.batch->window = &window;
        parts.batch->slice = {0, 0, 1, 0, 16};
        parts.batch->ring.row_bytes = 16;
        return parts;
      },
      spoilt);
  CHECK(bench.ends.requests == 1);
}

TEST_CASE("a function unit refuses psums that belong to no open window, and jobs that collect nothing") {
  Bench bench;
  pim::FunctionUnit function("function", 0, {}, bench.ledger);
  Ends jobs("jobs");
  BatchSource unused("unused"), idle("idle");
  TestInitiator<> remote("remote");
  UnkindMemory<32> buffer("buffer", 0, 64), network("network", 0, 64);
  bench.ends.out.bind(function.psums);
  jobs.out.bind(function.jobs);
  remote.socket.bind(function.remote_psums);
  function.buffer.bind(buffer.socket);
  function.network.bind(network.socket);
  unused.out.bind(bench.ends.in);
  idle.out.bind(jobs.in);
  const auto collect = [&](std::uint64_t window, const Spoil& spoil) {
    Parts parts;
    parts.pipeline->window = window;
    parts.job = std::make_unique<pim::FunctionJob>();
    parts.job->kind = pim::FunctionJob::Kind::kCollect;
    parts.job->windows = 1;
    spoil(parts);
    auto payload = bench.pool.acquire(0);
    if (parts.pipeline) payload->set_extension(parts.pipeline.release());
    if (parts.job) payload->set_extension(parts.job.release());
    return jobs.begin(*payload, parts.delay);
  };
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const std::vector<Spoil> spoilt_jobs = {
      [](Parts& parts) { parts.pipeline.reset(); },
      [](Parts& parts) { parts.job.reset(); },
      [](Parts& parts) { parts.pipeline->window = 0; },
      [](Parts& parts) { parts.job->windows = -1; },
      [](Parts& parts) { parts.job->kind = pim::FunctionJob::Kind::kRow; },
      [](Parts& parts) { parts.delay = sc_core::sc_time(1, sc_core::SC_NS); },
  };
  for (const Spoil& spoil : spoilt_jobs) CHECK(int(collect(5, spoil)) < int(tlm::TLM_INCOMPLETE_RESPONSE));
  REQUIRE(collect(5, [](Parts&) {}) == tlm::TLM_INCOMPLETE_RESPONSE);         // waits for psums
  CHECK(int(collect(5, [](Parts&) {})) < int(tlm::TLM_INCOMPLETE_RESPONSE));  // is open already
  CHECK(collect(6, [](Parts& parts) { parts.job->windows = 0; }) == tlm::TLM_OK_RESPONSE);
  const auto psums = [&](std::uint64_t window) {
    Parts parts = codes(bench);
    parts.batch->form = pim::Batch::Form::kPsums;
    parts.pipeline->window = window;
    return parts;
  };
  Parts nobodys = psums(7);
  CHECK(int(bench.send(nobodys)) < int(tlm::TLM_INCOMPLETE_RESPONSE));
  CHECK(jobs.responses == 0);
  std::vector<Spoil> spoilt = spoilt_vectors();
  spoilt.erase(spoilt.begin() + 7);  // an address means nothing here
  for (const Spoil& spoil : spoilt) {
    Parts parts = psums(8);
    spoil(parts);
    CHECK(int(bench.send(parts)) < int(tlm::TLM_INCOMPLETE_RESPONSE));
  }
  // Psums that are refused can never complete their window: whoever collects them is told.
  Parts wrong = psums(5);
  wrong.batch->form = pim::Batch::Form::kCodes;
  CHECK(int(bench.send(wrong)) < int(tlm::TLM_INCOMPLETE_RESPONSE));
  CHECK(jobs.responses == 1);
}

/// A slice of a vector that a crossbar_tile has driven.
void replace_slice(tlm::tlm_generic_payload& of, std::shared_ptr<const arithmetic::ProgrammedArray> array, int cycle) {
  const std::unique_ptr<pim::Slice> old(of.get_extension<pim::Slice>());
  of.set_extension(new pim::Slice(old->vector(), std::move(array), cycle, 8));
}

TEST_CASE("converters and shift_add_units refuse what is no slice of a vector they can serve") {
  Bench bench;
  mapping::AdcConfig config;
  config.converters = 4;
  pim::SharedAdc adc("adc", config, 4, bench.ledger);
  pim::ShiftAddUnit shift_add("shift_add", 4, bench.ledger);
  Ends second("second");
  bench.ends.out.bind(adc.sums);
  adc.codes.bind(bench.ends.in);
  second.out.bind(shift_add.codes);
  shift_add.psums.bind(second.in);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  arithmetic::EncodedBlock block;
  block.rows = 16;
  block.filters = 2;
  block.cell_bits = 2;
  block.levels = bench.region.levels;
  block.recombination = bench.region.setup.recombination;
  const auto array = std::make_shared<const arithmetic::ProgrammedArray>(std::move(block), bench.region.setup.stream);
  const auto check = [&](Ends& ends, const std::function<void(tlm::tlm_generic_payload&, pim::Batch&)>& spoil,
                         bool with_slice, bool good) {
    const BatchOfCodes data(bench.region, random_codes(1, 1, 16), false);
    auto vector = bench.pool.acquire(unsigned(data.bytes.size()));
    vector->set_address(1);
    auto* const batch = new pim::Batch(data.batch);
    batch->form = pim::Batch::Form::kSums;
    batch->array = array.get();
    batch->crossbars = 1;
    batch->columns_per_crossbar = 8;
    batch->pool = &bench.pool;
    batch->slice_time = sc_core::sc_time(100, sc_core::SC_NS);
    vector->set_extension(batch);
    vector->set_extension(new pim::Pipeline);
    auto slice = bench.pool.acquire(0);
    slice->set_address(1);
    slice->set_data_ptr(vector->get_data_ptr() + batch->sums_at);
    if (with_slice) slice->set_extension(new pim::Slice(*vector, array, 0, 8));
    spoil(*slice, *batch);
    const tlm::tlm_response_status answer = ends.begin(*slice);
    if (good)
      CHECK(answer == tlm::TLM_INCOMPLETE_RESPONSE);
    else
      CHECK(int(answer) < int(tlm::TLM_INCOMPLETE_RESPONSE));
  };
  for (Ends* const ends : {&bench.ends, &second}) {
    check(
        *ends, [](auto&, auto&) {}, false, false);
    check(
        *ends, [](auto&, auto& batch) { batch.array = nullptr; }, true, false);
    check(
        *ends, [](auto& slice, auto&) { slice.set_address(77); }, true, false);
    for (const int cycle : {-1, 0, 8})
      check(
          *ends, [&](auto& s, auto&) { replace_slice(s, cycle == 0 ? nullptr : array, cycle); }, true, false);
  }
  check(
      bench.ends, [](auto&, auto& batch) { batch.form = pim::Batch::Form::kCodes; }, true, false);
  check(
      bench.ends, [](auto&, auto& batch) { batch.crossbars = 4; }, true, false);
  check(
      bench.ends, [](auto&, auto& batch) { batch.sums_at = 0; }, true, false);
  check(
      second, [](auto&, auto& batch) { batch.pool = nullptr; }, true, false);
  if (sc_core::sc_pending_activity()) sc_core::sc_start();
  CHECK(sc_core::sc_time_stamp() == sc_core::SC_ZERO_TIME);
  CHECK(bench.ledger.total().values == observe::Counts().values);
  CHECK(bench.pool.in_use() == 0);
  check(
      bench.ends, [](auto&, auto&) {}, true, true);
  check(
      second, [](auto&, auto&) {}, true, true);
  sc_core::sc_start();
  CHECK(bench.ends.responses == 1);
  CHECK(second.responses == 1);
  CHECK(bench.ledger.total()[observe::Action::kConversions] == 8);
  CHECK(bench.ledger.total()[observe::Action::kShiftAdds] == 9);
}

}  // namespace
}  // namespace mho::testbenches
