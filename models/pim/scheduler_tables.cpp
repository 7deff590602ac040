// SPDX-License-Identifier: Apache-2.0
// The tables that a loaded Program is played from, and those of what is shown while it is.
#include <algorithm>
#include <numeric>

#include "models/mapping/block_layout.h"
#include "models/pim/approximate_rows.h"
#include "models/pim/scheduler.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

/// Sums of one payload: with codes and psums they should stay in a core's second-level cache.
constexpr std::size_t kSumBytesInCache = std::size_t{256} << 10;
constexpr int kWindowsOfExactBatch = 64;

}  // namespace

Scheduler::Scheduler(sc_core::sc_module_name module_name, const mapping::Machine& machine,
                     const std::vector<int>& groups, int chips, Dma& dma, const ApproximateTiming& timing,
                     observe::Recorder* recorder)
    : sc_module(module_name),
      windows("windows", groups.size()),
      jobs("jobs", groups.size()),
      writers("writers", std::size_t(std::accumulate(groups.begin(), groups.end(), 0))),
      machine_(machine),
      groups_(groups),
      staging_tile_(chips * machine.tiles_per_chip),
      dma_(dma),
      recorder_(recorder) {
  for (std::size_t tile = 0; tile < groups.size(); ++tile) {
    windows[tile].register_nb_transport_bw(this, &Scheduler::receive_window, int(tile));
    jobs[tile].register_nb_transport_bw(this, &Scheduler::receive_job, int(tile));
  }
  for (std::size_t i = 0; i < writers.size(); ++i) {
    writers[i].register_nb_transport_bw(this, &Scheduler::receive_writer, int(i));
    orders_.push_back(std::make_unique<Orders>(*this, int(i)));
  }
  approximate_ = std::make_unique<ApproximateRows>(*this, timing);
  payload_.set_extension(&batch_);
  payload_.set_extension(&pipeline_);
  payload_.set_extension(&function_job_);
}

Scheduler::~Scheduler() {
  payload_.clear_extension(&batch_);
  payload_.clear_extension(&pipeline_);
  payload_.clear_extension(&function_job_);
}

bool Scheduler::fits(const mapping::Program& program) const {
  const auto built = [&](int tile, int crossbar_tile) {
    return tile >= 0 && std::size_t(tile) < groups_.size() && crossbar_tile < groups_[std::size_t(tile)];
  };
  for (const mapping::LayerPlan& layer : program.layers)
    for (const mapping::Placement& placement : layer.placements)
      if (!built(placement.tile, placement.crossbar_tile)) return false;
  return std::all_of(program.functions.begin(), program.functions.end(),
                     [&](const mapping::FunctionPlan& function) { return built(function.tile, 0); });
}

void Scheduler::make_tables() {
  const dnn::Graph& graph = program_.graph;
  layer_of_node_.assign(graph.nodes.size(), -1);
  tile_of_node_.assign(graph.nodes.size(), -1);
  nodes_.assign(graph.nodes.size(), {});
  layers_.clear();
  for (const mapping::FunctionPlan& function : program_.functions)
    tile_of_node_[std::size_t(function.node)] = function.tile;
  for (std::size_t i = 0; i < program_.layers.size(); ++i) {
    const mapping::LayerPlan& layer = program_.layers[i];
    LayerTables tables{
        int(i), dnn::Requantiser(graph, graph.nodes[std::size_t(layer.node)]), {0}, kWindowsOfExactBatch};
    for (std::size_t p = 0; p < layer.placements.size(); ++p) {
      const mapping::Placement& placement = layer.placements[p];
      const std::size_t index = std::size_t(placement.replica) * layer.parts.size() + std::size_t(placement.part);
      tables.first_placement.resize(index + 2, p);
      tables.first_placement.back() = p + 1;
      if (layer.lossless) continue;
      const int columns =
          placement.filters * layer.blocks[std::size_t(placement.block)].encoded.recombination.columns_per_filter;
      const std::size_t bytes =
          std::size_t(arithmetic::count_cycles(layer.stream).whole) * std::size_t(sums_stride(columns)) * 2;
      tables.windows_a_batch = std::min(tables.windows_a_batch, std::max(1, int(kSumBytesInCache / bytes)));
    }
    const dnn::Node& node = graph.nodes[std::size_t(layer.node)];
    tables.window = mapping::expanded_window(node.window, layer.expansion);
    tables.vectors = mapping::vectors_of_row(graph.output_of(node).shape.width, layer.expansion);
    layer_of_node_[std::size_t(layer.node)] = int(i);
    nodes_[std::size_t(layer.node)].replica_free.resize(std::size_t(layer.replicas));
    layers_.push_back(std::move(tables));
  }
  find_consumers();
  approximate_->prepare();
}

tlm::tlm_sync_enum Scheduler::receive_window(int tile, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_time&) {
  return approximate_->receive_window(tile, payload, phase);
}

tlm::tlm_sync_enum Scheduler::receive_job(int tile, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                          sc_time&) {
  return approximate_->receive_job(tile, payload, phase);
}

void Scheduler::find_consumers() {
  const dnn::Graph& graph = program_.graph;
  rings_.assign(graph.tensors.size(), {});
  tensors_.assign(graph.tensors.size(), {});
  for (const mapping::Ring& ring : program_.rings) rings_[std::size_t(ring.tensor)].push_back(&ring);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) tensors_[std::size_t(graph.nodes[i].output)].producer = int(i);
  std::uint64_t staging = 0;
  for (const mapping::RowBuffer& buffer : program_.buffers) {
    TensorState& tensor = tensors_[std::size_t(buffer.tensor)];
    Consumer consumer;
    consumer.node = buffer.consumer;
    consumer.rows = std::uint64_t(buffer.rows);
    tensor.consumers.push_back(std::move(consumer));
    if (buffer.consumer >= 0) continue;
    tensor.staged_at = staging;
    tensor.staged_rows = std::uint64_t(buffer.rows);
    staging += tensor.staged_rows * graph.tensors[std::size_t(buffer.tensor)].shape.row_bytes();
  }
  dma_.resize_staging(staging);
  input_bytes_ = output_bytes_ = 0;
  for (const int input : graph.inputs) {
    tensors_[std::size_t(input)].job_offset = input_bytes_;
    input_bytes_ += graph.tensors[std::size_t(input)].shape.bytes();
  }
  for (const int output : graph.outputs) {
    tensors_[std::size_t(output)].job_offset = output_bytes_;
    output_bytes_ += graph.tensors[std::size_t(output)].shape.bytes();
  }
}

RingView Scheduler::ring_of(int tensor, int tile, std::uint64_t first_row) const {
  RingView view;
  view.row_bytes = program_.graph.tensors[std::size_t(tensor)].shape.row_bytes();
  view.first_row = first_row;
  for (const mapping::Ring* ring : rings_[std::size_t(tensor)]) {
    if (ring->tile != tile) continue;
    view.offset = ring->offset;
    view.rows = ring->rows;
    view.spilled = ring->spilled_to >= 0;
  }
  return view;
}

std::vector<RowPlace> Scheduler::places_of(int tensor, std::uint64_t row) const {
  const std::size_t row_bytes = program_.graph.tensors[std::size_t(tensor)].shape.row_bytes();
  std::vector<RowPlace> places;
  for (const mapping::Ring* ring : rings_[std::size_t(tensor)])
    places.push_back({ring->tile, ring->offset + row % std::uint64_t(ring->rows) * row_bytes, ring->spilled_to >= 0});
  const TensorState& state = tensors_[std::size_t(tensor)];
  if (state.staged_rows > 0)
    places.push_back({staging_tile_, state.staged_at + row % state.staged_rows * row_bytes, false});
  return places;
}

std::vector<observe::Statistic> Scheduler::statistics() const {
  return {
      {"rows", "output rows of nodes that are complete, all jobs", "rows", double(rows_done_)},
      {"approximate_rows", "output rows that were approximately timed, all jobs", "rows", double(approximate_rows_)},
      {"inferences", "inferences whose outputs are in main memory, all jobs", "inferences", double(inferences_)}};
}

std::vector<observe::Wave> Scheduler::waves() const {
  return {{"rows", "output rows of nodes that are complete", "rows", &rows_done_},
          {"inferences", "inferences whose outputs are in main memory", "inferences", &inferences_}};
}

}  // namespace mho::pim
