// SPDX-License-Identifier: Apache-2.0
// Netlist of the tile, its windows and its psums.
#include "testbenches/models/pim/approximate_tile_bench.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <utility>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/pim/addresses.h"

namespace mho::testbenches {

namespace {
double now_ns() { return sc_core::sc_time_stamp().to_seconds() * 1e9; }
}  // namespace

TileChain::TileChain(sc_core::sc_module_name module_name, const TileOptions& options)
    : sc_module(module_name),
      options_(options),
      windows_("windows"),
      jobs_("jobs"),
      window_link_(
          [this](auto& payload, auto& phase, auto& delay) { return windows_->nb_transport_fw(payload, phase, delay); },
          [this](auto& payload) {
            answered[std::size_t(payload.template get_extension<Number>()->vector)].accepted = now_ns();
          },
          [this](auto& payload) {
            const int number = payload.template get_extension<Number>()->vector;
            Answered& answer = answered[std::size_t(number)];
            answer.register_free = now_ns();
            answer.response = payload.get_response_status();
            ready_.push_back(vectors_[std::size_t(number)]->region);
            ready_settle_.news();
          }),
      job_link_(
          [this](auto& payload, auto& phase, auto& delay) { return jobs_->nb_transport_fw(payload, phase, delay); },
          nullptr, [this](auto& payload) { take_psums(payload.template get_extension<Number>()->vector, payload); }) {
  ledger.resize(512);
  graph_.nodes.resize(1);
  SC_HAS_PROCESS(TileChain);
  SC_METHOD(resend);
  sensitive << ready_settle_.event;
  dont_initialize();
  windows_.register_nb_transport_bw(this, &TileChain::back_windows);
  jobs_.register_nb_transport_bw(this, &TileChain::back_jobs);
  groups_.resize(std::size_t(options.groups));
  const int parts = 3 + options.groups;
  for (int i = 0; i < parts; ++i) build(options.reversed ? parts - 1 - i : i);
  link("to_buffer", windows_, buffer_->windows);
  link("to_bus", buffer_->bus, bus_->from_buffer);
  link("to_function", jobs_, function_->jobs);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const std::string index = std::to_string(i);
    Group& each = groups_[i];
    link("to_crossbars_" + index, bus_->to_crossbar_tile[i], each.tile->input);
    link("to_adc_" + index, each.tile->sums, each.adc->sums);
    link("to_shift_add_" + index, each.adc->codes, each.shift_add->codes);
    link("psums_" + index, each.shift_add->psums, function_->psums);
    each.setup->out.bind(each.tile->setup);
    each.cells->socket.bind(each.tile->cells);
  }
  function_->buffer.bind(buffer_->port);
  function_->network.bind(network_->socket);
  remote_->socket.bind(function_->remote_psums);
}

TileChain::~TileChain() = default;

void TileChain::build(int part) {
  switch (part) {
    case 0:
      buffer_ = std::make_unique<pim::EdramBuffer>("buffer", options_.edram, 1, ledger, &records);
      break;
    case 1:
      bus_ = std::make_unique<pim::Bus>("bus", options_.bus, options_.groups, 1, ledger, &records);
      break;
    case 2:
      function_ = std::make_unique<pim::FunctionUnit>("function", 1, options_.function, ledger, &records);
      remote_ = std::make_unique<TestInitiator<>>("remote");
      network_ = std::make_unique<UnkindMemory<32>>("network", pim::tile_address(0, pim::kPsumWindow), 4096);
      break;
    default: {
      Group& each = groups_[std::size_t(part - 3)];
      const std::string index = "_" + std::to_string(part - 3);
      const int crossbars = options_.crossbars.crossbars;
      const auto tile = [&] {
        each.tile = std::make_unique<pim::CrossbarTile>(("crossbars" + index).c_str(), options_.crossbars, ledger,
                                                        store_, &records);
      };
      if (!options_.reversed) tile();
      each.adc = std::make_unique<pim::SharedAdc>(("adc" + index).c_str(), options_.adc, crossbars, ledger, &records);
      each.shift_add = std::make_unique<pim::ShiftAddUnit>(("shift_add" + index).c_str(), crossbars, ledger, &records);
      if (options_.reversed) tile();
      each.setup = std::make_unique<BatchSource>(("setup" + index).c_str());
      each.cells = std::make_unique<TestInitiator<>>(("cells" + index).c_str());
    }
  }
}

template <typename From, typename To>
void TileChain::link(const std::string& name, From& from, To& to) {
  tlm_kit::PhaseOptions options;
  options.allow_address_change = true;
  monitors_.push_back(std::make_unique<Monitor>(("monitor_" + name).c_str(), options));
  from.bind(monitors_.back()->target_socket);
  monitors_.back()->initiator_socket.bind(to);
}

int TileChain::add_region(unsigned seed, int group, int first_crossbar, int rows, int filters, int slices) {
  RegionData region = random_region(seed, rows, filters, first_crossbar, options_.crossbars.columns);
  region.setup.stream.slicing = arithmetic::Slicing::uniform(slices, 1);
  Group& each = groups_[std::size_t(group)];
  std::vector<std::uint8_t> none(1);
  REQUIRE(each.setup->send(0, none, &region.setup) == tlm::TLM_OK_RESPONSE);
  const int per_crossbar = options_.crossbars.columns;
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < region.columns(); column += per_crossbar) {
      const int crossbar = first_crossbar + column / per_crossbar;
      const auto at = std::uint64_t((crossbar * options_.crossbars.rows + row) * per_crossbar);
      each.cells->send(tlm::TLM_WRITE_COMMAND, at, region.levels.data() + row * region.columns() + column,
                       unsigned(std::min(per_crossbar, region.columns() - column)));
    }
  regions_.push_back(std::move(region));
  region_groups_.push_back(group);
  rest_.emplace_back();
  return int(regions_.size()) - 1;
}

int TileChain::send(int number, const std::vector<std::uint8_t>& codes, bool exact) {
  const RegionData& region = regions_[std::size_t(number)];
  const int vector = int(vectors_.size());
  vectors_.push_back(std::make_unique<Vector>());
  answered.emplace_back();
  Vector& each = *vectors_.back();
  each.region = number;
  each.codes = codes;
  each.tensor.shape = {1, 1, region.rows};
  each.window = dnn::square_window(1);
  const std::uint64_t at = std::uint64_t(vector) * 64;
  tlm::tlm_generic_payload store;
  store.set_write();
  store.set_address(at);
  store.set_data_ptr(each.codes.data());
  store.set_data_length(unsigned(codes.size()));
  function_->buffer->transport_dbg(store);

  const auto tag = [&](tlm::tlm_generic_payload& payload) {
    auto* const pipeline = new pim::Pipeline;
    pipeline->node = vector;
    pipeline->window = std::uint64_t(vector) + 1;
    auto* const mark = new Number;
    mark->vector = vector;
    payload.set_extension(pipeline);
    payload.set_extension(mark);
  };
  auto job = pool_.acquire(0);
  auto* const collect = new pim::FunctionJob;
  collect->kind = pim::FunctionJob::Kind::kCollect;
  collect->windows = 1;
  job->set_extension(collect);
  tag(*job);
  job_link_.send(*job);

  auto* const batch = new pim::Batch;
  batch->exact = exact;
  batch->count = 1;
  batch->rows = region.rows;
  batch->filters = batch->layer_filters = region.filters;
  batch->input = &each.tensor;
  batch->window = &each.window;
  batch->slice = {0, 0, 1, 0, region.rows};
  batch->ring.offset = at;
  batch->ring.row_bytes = std::size_t(region.rows);
  batch->pool = &pool_;
  const std::size_t bytes = pim::lay_out(*batch, arithmetic::count_cycles(region.setup.stream), region.columns());
  auto payload = pool_.acquire(unsigned(bytes + pim::kDataAlignment));
  const auto beyond = reinterpret_cast<std::uintptr_t>(payload->get_data_ptr()) % pim::kDataAlignment;
  payload->set_data_ptr(payload->get_data_ptr() + (pim::kDataAlignment - beyond) % pim::kDataAlignment);
  payload->set_data_length(unsigned(bytes));
  payload->set_streaming_width(unsigned(bytes));
  payload->set_command(tlm::TLM_WRITE_COMMAND);
  payload->set_address(std::uint64_t(region_groups_[std::size_t(number)]) << pim::kCrossbarTileShift |
                       std::uint64_t(region.setup.first_crossbar));
  payload->set_extension(batch);
  tag(*payload);
  window_link_.send(*payload);
  return vector;
}

void TileChain::send_all(int region, int vectors, unsigned seed, bool exact) {
  rest_[std::size_t(region)] = {vectors - 1, seed + 1, exact};
  send(region, random_codes(seed, 1, regions_[std::size_t(region)].rows), exact);
}

std::int32_t TileChain::expected(int vector, int filter) const {
  const Vector& each = *vectors_[std::size_t(vector)];
  return dot(regions_[std::size_t(each.region)], each.codes.data(), filter);
}

void TileChain::resend() {
  if (!ready_settle_.settled()) return;
  std::sort(ready_.begin(), ready_.end());
  for (const int region : std::exchange(ready_, {})) {
    Rest& rest = rest_[std::size_t(region)];
    if (rest.vectors == 0) continue;
    --rest.vectors;
    send(region, random_codes(rest.seed++, 1, regions_[std::size_t(region)].rows), rest.exact);
  }
}

std::vector<Answered> TileChain::answered_of(int region) const {
  std::vector<Answered> found;
  for (std::size_t i = 0; i < vectors_.size(); ++i)
    if (vectors_[i]->region == region) found.push_back(answered[i]);
  return found;
}

void TileChain::take_psums(int vector, tlm::tlm_generic_payload& collected) {
  Answered& answer = answered[std::size_t(vector)];
  answer.collected = now_ns();
  answer.collection = collected.get_response_status();
  if (!collected.is_response_ok()) return;
  pim::FunctionJob job;
  job.kind = pim::FunctionJob::Kind::kForward;
  job.graph = &graph_;
  job.node = &graph_.nodes.front();
  pim::Pipeline pipeline = *collected.get_extension<pim::Pipeline>();
  tlm::tlm_generic_payload payload;
  payload.set_extension(&job);
  payload.set_extension(&pipeline);
  sc_core::sc_time delay;
  jobs_->b_transport(payload, delay);
  CHECK(payload.is_response_ok());
  payload.clear_extension(&job);
  payload.clear_extension(&pipeline);
  answer.psums.resize(std::size_t(regions_[std::size_t(vectors_[std::size_t(vector)]->region)].filters));
  std::memcpy(answer.psums.data(), network_->bytes.data(), answer.psums.size() * sizeof(std::int32_t));
}

void TileChain::check_all() {
  for (std::size_t i = 0; i < answered.size(); ++i) {
    INFO("vector " << i);
    CHECK(answered[i].response == tlm::TLM_OK_RESPONSE);
    CHECK(answered[i].collection == tlm::TLM_OK_RESPONSE);
    for (std::size_t f = 0; f < answered[i].psums.size(); ++f) CHECK(answered[i].psums[f] == expected(int(i), int(f)));
  }
  for (const auto& each : monitors_) {
    INFO(each->name());
    CHECK(each->checks().total() == 0);
    CHECK(each->checks().open() == 0);
  }
  CHECK(pool_.in_use() == 0);
}

std::vector<observe::Occupation> TileChain::of(observe::Kind kind, int vector) const {
  std::vector<observe::Occupation> found = records.of(kind);
  found.erase(std::remove_if(found.begin(), found.end(), [&](const auto& each) { return each.node != vector; }),
              found.end());
  return found;
}

}  // namespace mho::testbenches
