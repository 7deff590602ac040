// SPDX-License-Identifier: Apache-2.0
// Issuing of one output row: which windows go to which replica, the batches, and when the row is through.
#include <algorithm>

#include "models/pim/addresses.h"
#include "models/pim/bus.h"
#include "models/pim/scheduler.h"

namespace mho::pim {

using sc_core::sc_time;

std::vector<Scheduler::Share> Scheduler::shares_of(const mapping::LayerPlan& layer, std::uint64_t row,
                                                   int vectors) const {
  // Windows are dealt out evenly; the replicas that get one more go round from row to row.
  const int replicas = layer.replicas, each = vectors / replicas, more = vectors % replicas;
  const int first = int(row * std::uint64_t(vectors) % std::uint64_t(replicas));
  std::vector<Share> shares;
  int x = 0;
  for (int i = 0; i < std::min(replicas, vectors); ++i) {
    Share share;
    share.replica = (first + i) % replicas;
    share.x_first = x;
    share.count = each + (i < more ? 1 : 0);
    x += share.count;
    shares.push_back(share);
  }
  return shares;
}

sc_time Scheduler::resource_free(int index, std::uint64_t row, bool first_of_all) const {
  const NodeState& state = nodes_[std::size_t(index)];
  const int layer = layer_of_node_[std::size_t(index)];
  if (layer < 0) return state.free_at;
  const mapping::LayerPlan& plan = program_.layers[std::size_t(layer)];
  const int vectors = layers_[std::size_t(layer)].vectors;
  const int taking_part = std::min(plan.replicas, vectors);
  const int first = int(row * std::uint64_t(vectors) % std::uint64_t(plan.replicas));
  sc_time earliest = sc_core::sc_max_time(), latest;
  for (int i = 0; i < taking_part; ++i) {
    const sc_time& free = state.replica_free[std::size_t((first + i) % plan.replicas)];
    earliest = std::min(earliest, free);
    latest = std::max(latest, free);
  }
  return first_of_all ? earliest : latest;
}

Scheduler::RowTimes Scheduler::issue_layer_row(int index, std::uint64_t row) {
  const LayerTables& tables = layers_[std::size_t(layer_of_node_[std::size_t(index)])];
  const mapping::LayerPlan& layer = program_.layers[std::size_t(tables.layer)];
  const std::vector<Share> shares = shares_of(layer, row, tables.vectors);
  RowTimes times;
  for (int done = 0; done < shares.front().count && times.ok; done += tables.windows_a_batch)
    compute_batch(tables, row, shares, done, times);
  NodeState& state = nodes_[std::size_t(index)];
  for (const Share& share : shares)
    state.replica_free[std::size_t(share.replica)] = sc_core::sc_time_stamp() + times.busy;
  return times;
}

void Scheduler::compute_batch(const LayerTables& tables, std::uint64_t row, const std::vector<Share>& shares, int done,
                              RowTimes& times) {
  const mapping::LayerPlan& layer = program_.layers[std::size_t(tables.layer)];
  const sc_time begin = times.busy;
  sc_time interval, waiting, fetched;
  std::vector<FirstItem> first_items;
  ++operation_;
  for (const Share& whole : shares) {
    Share share = whole;
    share.x_first += done;
    share.count = std::min(tables.windows_a_batch, whole.count - done);
    for (int part = 0; share.count > 0 && part < int(layer.parts.size()); ++part) {
      pipeline_ = Pipeline{};
      pipeline_.operation = operation_;
      pipeline_.node = layer.node;
      pipeline_.command = command_;
      pipeline_.count = std::uint64_t(share.count);
      sc_time delay = begin;
      times.ok = times.ok && compute_share(tables, row, share, part, delay);
      first_items.push_back({delay, pipeline_.count});
      interval = std::max(interval, pipeline_.interval);
      waiting = std::max(waiting, pipeline_.waiting);
      fetched = std::max(fetched, pipeline_.fetched);
      if (pipeline_.interval > times.interval) {
        times.interval = pipeline_.interval;
        times.limited_by = pipeline_.limited_by;
      }
    }
  }
  if (done == 0) times.first_write = first_items.front().delay;
  for (const FirstItem& first : first_items) {
    if (done == 0) times.first_write = std::min(times.first_write, first.delay);
    times.done = std::max(times.done, first.delay + mho::pim::times(interval, first.count - 1));
  }
  // Nothing is buffered between the stages: while the first item waits for one, those before it are held.
  const auto count = std::uint64_t(std::min(tables.windows_a_batch, shares.front().count - done));
  times.busy = begin + waiting + mho::pim::times(interval, count);
  times.read = fetched + mho::pim::times(interval, count - 1);
}

bool Scheduler::compute_share(const LayerTables& tables, std::uint64_t row, const Share& share, int part,
                              sc_time& delay) {
  const mapping::LayerPlan& layer = program_.layers[std::size_t(tables.layer)];
  sc_time last = delay;
  const std::size_t index = std::size_t(share.replica) * layer.parts.size() + std::size_t(part);
  for (std::size_t i = tables.first_placement[index]; i < tables.first_placement[index + 1]; ++i) {
    sc_time through = delay;
    if (!send_placement(layer, layer.placements[i], row, share, through)) return false;
    last = std::max(last, through);
  }
  delay = last;
  return collect(tables, row, share, part, delay);
}

Batch Scheduler::batch_for(const mapping::LayerPlan& layer, const mapping::Placement& placement, std::uint64_t row,
                           int x_first, int count) const {
  const dnn::Graph& graph = program_.graph;
  const dnn::Node& node = graph.nodes[std::size_t(layer.node)];
  const LayerTables& tables = layers_[std::size_t(layer_of_node_[std::size_t(layer.node)])];
  const mapping::Block& block = layer.blocks[std::size_t(placement.block)];
  const int input = node.inputs.front();
  const auto out_height = std::uint64_t(height_of(node.output));
  Batch batch;
  batch.exact = layer.lossless;
  batch.count = count;
  batch.rows = block.encoded.rows;
  batch.filters = placement.filters;
  batch.input = &graph.tensors[std::size_t(input)];
  batch.window = &tables.window;
  batch.groups = node.weights.groups;
  batch.slice = {int(row % out_height), x_first, count, block.row_first, block.encoded.rows};
  batch.ring = ring_of(input, placement.tile, row / out_height * std::uint64_t(height_of(input)));
  const arithmetic::FilterRange& part = layer.parts[std::size_t(placement.part)];
  batch.first_filter = block.filter_first + placement.first_filter - part.first;
  batch.first_vector = (row * std::uint64_t(tables.vectors)) + std::uint64_t(x_first);
  batch.layer_filters = part.count;
  return batch;
}

std::size_t Scheduler::lay_out_placement(const mapping::LayerPlan& layer, const mapping::Placement& placement,
                                         Batch& batch) const {
  const mapping::Block& block = layer.blocks[std::size_t(placement.block)];
  return lay_out(batch, arithmetic::count_cycles(layer.stream),
                 placement.filters * block.encoded.recombination.columns_per_filter);
}

bool Scheduler::send_placement(const mapping::LayerPlan& layer, const mapping::Placement& placement, std::uint64_t row,
                               const Share& share, sc_time& delay) {
  batch_ = batch_for(layer, placement, row, share.x_first, share.count);
  const std::size_t bytes = lay_out_placement(layer, placement, batch_);
  if (data_.size() < bytes + kDataAlignment) data_.resize(bytes + kDataAlignment);
  const auto misaligned = reinterpret_cast<std::uintptr_t>(data_.data()) % kDataAlignment;

  payload_.set_command(tlm::TLM_WRITE_COMMAND);
  payload_.set_address(std::uint64_t(placement.crossbar_tile) << kCrossbarTileShift |
                       std::uint64_t(placement.first_crossbar));
  payload_.set_data_ptr(data_.data() + (kDataAlignment - misaligned));
  payload_.set_data_length(unsigned(bytes));
  payload_.set_streaming_width(unsigned(bytes));
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  windows[std::size_t(placement.tile)]->b_transport(payload_, delay);
  return payload_.is_response_ok();
}

bool Scheduler::submit(int tile, sc_time& delay, std::uint8_t* bytes, std::size_t length) {
  payload_.set_command(length == 0 ? tlm::TLM_IGNORE_COMMAND : tlm::TLM_WRITE_COMMAND);
  payload_.set_address(0);
  payload_.set_data_ptr(bytes);
  payload_.set_data_length(unsigned(length));
  payload_.set_streaming_width(unsigned(length));
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  jobs[std::size_t(tile)]->b_transport(payload_, delay);
  return payload_.is_response_ok();
}

void Scheduler::prepare_collection(const mapping::LayerPlan& layer, int replica, int part, int windows_collected) {
  const dnn::Node& node = program_.graph.nodes[std::size_t(layer.node)];
  function_job_ = FunctionJob{};
  function_job_.graph = &program_.graph;
  function_job_.node = &node;
  function_job_.windows = windows_collected;
  function_job_.first_filter = layer.parts[std::size_t(part)].first;
  function_job_.filters = layer.parts[std::size_t(part)].count / layer.expansion;
  function_job_.expansion = layer.expansion;
  function_job_.home_tile = layer.home_of(replica, part);
}

bool Scheduler::collect(const LayerTables& tables, std::uint64_t row, const Share& share, int part, sc_time& delay) {
  const mapping::LayerPlan& layer = program_.layers[std::size_t(tables.layer)];
  const int home = layer.home_of(share.replica, part);
  const std::size_t index = std::size_t(share.replica) * layer.parts.size() + std::size_t(part);
  prepare_collection(layer, share.replica, part, share.count);
  function_job_.kind = FunctionJob::Kind::kForward;
  sc_time last = delay;
  int forwarded = home;  // placements of a part lie in ascending tiles
  for (std::size_t i = tables.first_placement[index]; i < tables.first_placement[index + 1]; ++i) {
    const int tile = layer.placements[i].tile;
    if (tile == home || tile == forwarded) continue;
    forwarded = tile;
    sc_time arrival = delay;
    if (!submit(tile, arrival)) return false;
    last = std::max(last, arrival);
  }
  delay = last;
  function_job_.kind = FunctionJob::Kind::kRequantise;
  function_job_.requantiser = &tables.requantiser;
  function_job_.x_first = share.x_first * layer.expansion;
  function_job_.destinations = places_of(program_.graph.nodes[std::size_t(layer.node)].output, row);
  return submit(home, delay);
}

void Scheduler::prepare_function_row(int index, std::uint64_t row) {
  const dnn::Graph& graph = program_.graph;
  const dnn::Node& node = graph.nodes[std::size_t(index)];
  const auto height = std::uint64_t(height_of(node.output));
  function_job_ = FunctionJob{};
  function_job_.kind = FunctionJob::Kind::kRow;
  function_job_.graph = &graph;
  function_job_.node = &node;
  function_job_.y = int(row % height);
  function_job_.destinations = places_of(node.output, row);
  for (const int input : node.inputs)
    function_job_.sources.push_back(
        ring_of(input, tile_of_node_[std::size_t(index)], row / height * std::uint64_t(height_of(input))));
}

Scheduler::RowTimes Scheduler::issue_function_row(int index, std::uint64_t row) {
  const dnn::Graph& graph = program_.graph;
  prepare_function_row(index, row);
  pipeline_ = Pipeline{};
  pipeline_.operation = ++operation_;
  pipeline_.node = index;
  pipeline_.command = command_;
  pipeline_.count = std::uint64_t(graph.output_of(graph.nodes[std::size_t(index)]).shape.width);
  RowTimes times;
  sc_time delay;
  times.ok = submit(tile_of_node_[std::size_t(index)], delay);
  times.interval = pipeline_.interval;
  times.limited_by = pipeline_.limited_by;
  times.first_write = delay;
  times.done = delay + mho::pim::times(times.interval, pipeline_.count - 1);
  times.busy = times.read = pipeline_.waiting + mho::pim::times(times.interval, pipeline_.count);
  nodes_[std::size_t(index)].free_at = sc_core::sc_time_stamp() + times.busy;
  return times;
}

}  // namespace mho::pim
