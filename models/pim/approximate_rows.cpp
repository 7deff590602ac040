// SPDX-License-Identifier: Apache-2.0
// Starting of approximately timed rows: which windows may start, and the vectors they are cut into.
#include "models/pim/approximate_rows.h"

#include <algorithm>

#include "models/pim/bus.h"
#include "models/pim/scheduler.h"

namespace mho::pim {

using sc_core::sc_time;

ApproximateRows::ApproximateRows(Scheduler& scheduler, const ApproximateTiming& timing)
    : scheduler_(scheduler), timing_(timing), tile_queues_(scheduler.windows.size()) {
  for (std::size_t tile = 0; tile < scheduler_.windows.size(); ++tile) {
    auto& windows = scheduler_.windows[tile];
    auto& jobs = scheduler_.jobs[tile];
    window_links_.push_back(std::make_unique<tlm_kit::RequestLink>(
        [&windows](auto& payload, auto& phase, auto& delay) { return windows->nb_transport_fw(payload, phase, delay); },
        [this](auto& payload) { arrive(payload, Kind::kRead); },
        [this](auto& payload) {
          --payloads_;
          arrive(payload, Kind::kRegisterFree);
        }));
    job_links_.push_back(std::make_unique<tlm_kit::RequestLink>(
        [&jobs](auto& payload, auto& phase, auto& delay) { return jobs->nb_transport_fw(payload, phase, delay); },
        nullptr,
        [this](auto& payload) {
          --payloads_;
          arrive(payload, Kind::kCollected);
        }));
  }
}

void ApproximateRows::prepare() {
  const mapping::Program& program = scheduler_.program_;
  rows_.clear();
  rows_.resize(program.graph.nodes.size());
  chosen_.assign(program.graph.nodes.size(), timing_.nodes.empty());
  for (const int node : timing_.nodes)
    if (std::size_t(node) < chosen_.size()) chosen_[std::size_t(node)] = true;
  const auto in_tile = [&](int tile) {
    return timing_.tiles.empty() || std::count(timing_.tiles.begin(), timing_.tiles.end(), tile) > 0;
  };
  for (const mapping::FunctionPlan& function : program.functions)
    if (!in_tile(function.tile)) chosen_[std::size_t(function.node)] = false;
  replicas_.clear();
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    const mapping::LayerPlan& layer = program.layers[i];
    std::vector<Replica> replicas(static_cast<std::size_t>(layer.replicas) * layer.parts.size());
    bool touched = false;
    for (std::size_t p = 0; p < layer.placements.size(); ++p) {
      const mapping::Placement& placement = layer.placements[p];
      Replica& replica = replicas[std::size_t(placement.replica) * layer.parts.size() + std::size_t(placement.part)];
      replica.feeds.push_back({int(i), placement.replica, p, true, {}});
      if (replica.tiles.empty() || replica.tiles.back().first != placement.tile)
        replica.tiles.emplace_back(placement.tile, 0);
      ++replica.tiles.back().second;
      touched = touched || in_tile(placement.tile);
    }
    if (!touched) chosen_[std::size_t(layer.node)] = false;
    replicas_.push_back(std::move(replicas));
  }
}

void ApproximateRows::start_job() {
  for (auto& rows : rows_) rows.clear();
  for (auto& layer : replicas_)
    for (Replica& replica : layer) replica.open = 0;
  due_ = {};
  changed_ = failed_ = abandoned_ = false;
}

bool ApproximateRows::wants(int node, std::uint64_t row) const {
  if (!timing_.enabled || !chosen_[std::size_t(node)] || row < timing_.first_row || row > timing_.last_row)
    return false;
  const double now = (sc_core::sc_time_stamp() - scheduler_.job_begin_).to_seconds();
  return now >= timing_.from_s && now < timing_.to_s;
}

bool ApproximateRows::issue(int node, std::uint64_t row_number) {
  auto& rows = rows_[std::size_t(node)];
  rows.push_back(std::make_unique<Row>());
  Row& row = *rows.back();
  row.node = node;
  row.row = row_number;
  row.command = scheduler_.command_;
  row.begin = sc_core::sc_time_stamp();
  if (scheduler_.layer_of_node_[std::size_t(node)] >= 0)
    issue_layer(row);
  else
    issue_function(row);
  return !failed_;
}

void ApproximateRows::issue_layer(Row& row) {
  const int index = scheduler_.layer_of_node_[std::size_t(row.node)];
  const mapping::LayerPlan& layer = scheduler_.program_.layers[std::size_t(index)];
  const dnn::Graph& graph = scheduler_.program_.graph;
  const int output = graph.nodes[std::size_t(row.node)].output;
  const int width = graph.tensors[std::size_t(output)].shape.width;
  const auto shares = scheduler_.shares_of(layer, row.row, scheduler_.layers_[std::size_t(index)].vectors);
  Scheduler::NodeState& state = scheduler_.nodes_[std::size_t(row.node)];
  for (const Scheduler::Share& share : shares) {
    state.replica_free[std::size_t(share.replica)] = sc_core::sc_max_time();
    for (int x = share.x_first; x < share.x_first + share.count; ++x)
      for (int part = 0; part < int(layer.parts.size()); ++part) {
        Replica& replica = replica_of(index, share.replica, part);
        Window& window = windows_.emplace_back();
        window.self = std::prev(windows_.end());
        window.row = &row;
        window.layer = index;
        window.replica = share.replica;
        window.part = part;
        window.x = x * layer.expansion;
        const int pixels = std::min(layer.expansion, width - window.x);
        window.codes.resize(std::size_t(pixels * (layer.parts[std::size_t(part)].count / layer.expansion)));
        replica.waiting.push_back(&window);
        ++row.windows_left;
        row.reads_left += replica.feeds.size();
      }
  }
  row.registers_left = row.reads_left;
  if (state.read_span > sc_core::SC_ZERO_TIME)
    scheduler_.expect_release(row.node, row.row, row.begin + state.read_span);
  for (const Scheduler::Share& share : shares)
    for (int part = 0; part < int(layer.parts.size()); ++part) start_windows(replica_of(index, share.replica, part));
}

ApproximateRows::Replica& ApproximateRows::replica_of(int layer, int replica, int part) {
  const std::size_t parts = scheduler_.program_.layers[std::size_t(layer)].parts.size();
  return replicas_[std::size_t(layer)][std::size_t(replica) * parts + std::size_t(part)];
}

bool ApproximateRows::is_free(int layer, int replica) {
  for (int part = 0; part < int(scheduler_.program_.layers[std::size_t(layer)].parts.size()); ++part) {
    const Replica& each = replica_of(layer, replica, part);
    if (!each.waiting.empty()) return false;
    for (const Feed& feed : each.feeds)
      if (!feed.register_free || !feed.queue.empty()) return false;
  }
  return true;
}

void ApproximateRows::start_windows(Replica& replica) {
  while (!abandoned_ && !failed_ && !replica.waiting.empty() && replica.open < timing_.psum_registers) {
    Window& window = *replica.waiting.front();
    replica.waiting.pop_front();
    start(replica, window);
  }
}

void ApproximateRows::start(Replica& replica, Window& window) {
  ++replica.open;
  window.number = ++last_number_;
  window.awaited = int(replica.tiles.size());
  window.payloads = int(replica.tiles.size() + replica.feeds.size());
  for (const auto& [tile, placements] : replica.tiles) collect(window, tile, placements);
  for (Feed& feed : replica.feeds) {
    feed.queue.push_back(&window);
    feed_next(feed);
  }
}

void ApproximateRows::address(tlm::tlm_generic_payload& payload, Window& window, Feed* feed, int tile) {
  auto* const pipeline = new Pipeline;
  pipeline->node = window.row->node;
  pipeline->command = window.row->command;
  pipeline->window = window.number;
  auto* const origin = new Origin;
  origin->window = &window;
  origin->feed = feed;
  origin->tile = tile;
  payload.set_extension(pipeline);
  payload.set_extension(origin);
  ++payloads_;
}

void ApproximateRows::collect(Window& window, int tile, int placements) {
  auto payload = pool_.acquire(0);
  auto* const job = new FunctionJob;
  job->kind = FunctionJob::Kind::kCollect;
  job->graph = &scheduler_.program_.graph;
  job->node = &scheduler_.program_.graph.nodes[std::size_t(window.row->node)];
  job->windows = placements;
  payload->set_extension(job);
  address(*payload, window, nullptr, tile);
  job_links_[std::size_t(tile)]->send(*payload);
}

void ApproximateRows::feed_next(Feed& feed) {
  if (!feed.register_free || feed.queue.empty()) return;
  Window& window = *feed.queue.front();
  feed.queue.pop_front();
  feed.register_free = false;
  send(feed, window);
}

void ApproximateRows::send(Feed& feed, Window& window) {
  const mapping::LayerPlan& layer = scheduler_.program_.layers[std::size_t(feed.layer)];
  const mapping::Placement& placement = layer.placements[feed.placement];
  auto* const batch = new Batch(scheduler_.batch_for(layer, placement, window.row->row, window.x / layer.expansion, 1));
  const std::size_t bytes = scheduler_.lay_out_placement(layer, placement, *batch);
  batch->pool = &pool_;
  auto payload = pool_.acquire(unsigned(bytes + kDataAlignment));
  const auto misaligned = reinterpret_cast<std::uintptr_t>(payload->get_data_ptr()) % kDataAlignment;
  payload->set_command(tlm::TLM_WRITE_COMMAND);
  payload->set_address(std::uint64_t(placement.crossbar_tile) << kCrossbarTileShift |
                       std::uint64_t(placement.first_crossbar));
  payload->set_data_ptr(payload->get_data_ptr() + (kDataAlignment - misaligned) % kDataAlignment);
  payload->set_data_length(unsigned(bytes));
  payload->set_streaming_width(unsigned(bytes));
  payload->set_extension(batch);
  address(*payload, window, &feed, placement.tile);
  tile_queues_[std::size_t(placement.tile)].waiting.push_back(payload.release());
  send_next(placement.tile);
}

void ApproximateRows::send_next(int tile) {
  TileQueue& queue = tile_queues_[std::size_t(tile)];
  if (queue.reading || queue.waiting.empty()) return;
  const tlm_kit::PayloadHandle payload(queue.waiting.front());
  queue.waiting.pop_front();
  queue.reading = true;
  window_links_[std::size_t(tile)]->send(*payload);
}

void ApproximateRows::issue_function(Row& row) {
  const dnn::Graph& graph = scheduler_.program_.graph;
  const dnn::Shape& shape = graph.output_of(graph.nodes[std::size_t(row.node)]).shape;
  Window& window = windows_.emplace_back();
  window.self = std::prev(windows_.end());
  window.row = &row;
  window.codes.resize(shape.row_bytes());
  window.items = std::uint64_t(shape.width);
  row.windows_left = 1;
  row.released = true;  // below
  sc_time delay;
  scheduler_.prepare_function_row(row.node, row.row);
  scheduler_.function_job_.destinations.clear();  // the codes are stored when they are due
  const int tile = scheduler_.tile_of_node_[std::size_t(row.node)];
  failed_ = failed_ || !submit(tile, window, window.codes.data(), window.codes.size(), delay);
  const Pipeline& pipeline = scheduler_.pipeline_;
  window.interval = row.interval = pipeline.interval;
  row.limited_by = pipeline.limited_by;
  const sc_time busy = pipeline.waiting + times(pipeline.interval, pipeline.count);
  scheduler_.nodes_[std::size_t(row.node)].free_at = row.begin + busy;
  scheduler_.progress_[std::size_t(row.node)].busy += busy;
  scheduler_.release_inputs(row.node, row.row, row.begin + busy);
  due_.push(action(Kind::kStore, window, row.begin + delay));
}

void ApproximateRows::abandon() {
  abandoned_ = true;
  for (auto& layer : replicas_)
    for (Replica& replica : layer) {
      for (Window* window : replica.waiting) windows_.erase(window->self);
      replica.waiting.clear();
    }
  for (Window* window : held_) end_window(*window);
  held_.clear();
}

}  // namespace mho::pim
