// SPDX-License-Identifier: Apache-2.0
// Programming of the crossbars: one write a placement. Loosely timed, all writes are asked for at once and the longest
// one counts; approximately timed, each weight_writer gets its regions one after the other as it accepts them.
#include <algorithm>
#include <array>
#include <map>

#include "models/mapping/packed_levels.h"
#include "models/pim/approximate_rows.h"
#include "models/pim/crossbar_tile.h"
#include "models/pim/scheduler.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

/// What replicas of a placement have in common.
std::array<int, 3> part_of(const mapping::Placement& placement) {
  return {placement.block, placement.first_filter, placement.filters};
}

/// Filters of a placement that have a weight in each row, out of all filters of its block.
std::vector<arithmetic::FilterRange> part_of(std::vector<arithmetic::FilterRange> weighted,
                                             const mapping::Placement& placement) {
  for (arithmetic::FilterRange& range : weighted) {
    const int first = std::max(range.first, placement.first_filter);
    const int end = std::min(range.first + range.count, placement.first_filter + placement.filters);
    range = {first - placement.first_filter, std::max(end - first, 0)};
    if (range.count == 0) range.first = 0;
  }
  return weighted;
}

/// Of the devices of a placement; nothing where fidelity is not noisy. Replicas whose cells are as they ought to be
/// have the seed of the first one and share its array.
std::optional<arithmetic::ArrayNoise> noise_of(const mapping::LayerPlan& layer, mapping::Placement placement,
                                               const mapping::Machine& machine) {
  if (machine.fidelity != mapping::Fidelity::kNoisy) return std::nullopt;
  if (!machine.noise.changes_cells())
    placement = *std::find_if(layer.placements.begin(), layer.placements.end(),
                              [&](const auto& each) { return part_of(each) == part_of(placement); });
  const int tile = placement.tile * machine.crossbar_tiles_per_tile + placement.crossbar_tile;
  const std::int64_t crossbar = std::int64_t{tile} * machine.crossbar.crossbars + placement.first_crossbar;
  return arithmetic::ArrayNoise{machine.noise, arithmetic::mix(machine.noise_seed, std::uint64_t(crossbar))};
}

/// Columns of a placement out of all columns of its block, row by row.
void copy_levels(const mapping::Block& block, const mapping::Placement& placement, std::uint8_t* to) {
  const int per_filter = block.encoded.recombination.columns_per_filter;
  const std::size_t count = std::size_t(placement.filters * per_filter);
  for (std::size_t row = 0; row < std::size_t(block.encoded.rows); ++row, to += count)
    mapping::copy_levels(block, row, std::size_t(placement.first_filter * per_filter), count, to);
}

}  // namespace

Scheduler::Orders::Orders(Scheduler& scheduler, int writer)
    : link(
          [&scheduler, writer](auto& payload, auto& phase, auto& delay) {
            return scheduler.writers[std::size_t(writer)]->nb_transport_fw(payload, phase, delay);
          },
          [&scheduler, writer](auto&) { scheduler.order_next(writer); },
          [&scheduler](auto& payload) {
            scheduler.written_ = scheduler.written_ && payload.is_response_ok();
            --scheduler.unwritten_;
            scheduler.programmed_.notify(sc_core::SC_ZERO_TIME);
          }) {}

bool Scheduler::program(mapping::Program program) {
  program_ = std::move(program);
  stopped_ = false;
  completions_.clear();
  const bool ok = approximate_->enabled() ? write_by_turns() : write_at_once();
  for (mapping::LayerPlan& layer : program_.layers)
    for (mapping::Block& block : layer.blocks) mapping::drop_levels(block);
  if (ok) make_tables();
  return ok && !stopped_;
}

bool Scheduler::write_at_once() {
  // Replicas are given the order of the first one, so that levels are unpacked, counted and kept once.
  tlm_kit::PayloadPool pool;
  std::map<std::array<int, 3>, tlm_kit::PayloadHandle> orders;
  int layer = -1;
  sc_time longest;
  bool ok = true;
  for (const mapping::Command& command : program_.commands) {
    if (command.kind != mapping::Command::Kind::kWrite || !ok) continue;
    if (command.index != layer) orders.clear();
    layer = command.index;
    const mapping::LayerPlan& plan = program_.layers[std::size_t(layer)];
    const mapping::Placement& placement = plan.placements[std::size_t(command.placement)];
    if (plan.replicas == 1) orders.clear();
    tlm_kit::PayloadHandle& order = orders[part_of(placement)];
    if (order == nullptr) order = order_of(command, pool);
    RegionSetup& region = *order->get_extension<RegionSetup>();
    region.first_crossbar = placement.first_crossbar;
    region.noise = noise_of(plan, placement, machine_);
    if (region.common == nullptr) region.common = std::make_shared<RegionContent>();
    sc_time delay;
    order->set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    writers[std::size_t(writer_of(command))]->b_transport(*order, delay);
    ok = order->is_response_ok();
    longest = std::max(longest, delay);
  }
  wait(longest, stop_event_);
  return ok;
}

bool Scheduler::write_by_turns() {
  written_ = true;
  unwritten_ = 0;
  for (const mapping::Command& command : program_.commands) {
    if (command.kind != mapping::Command::Kind::kWrite) continue;
    orders_[std::size_t(writer_of(command))]->waiting.push_back(&command);
    ++unwritten_;
  }
  for (std::size_t i = 0; i < orders_.size(); ++i) order_next(int(i));
  while (unwritten_ > 0) {
    wait(programmed_ | stop_event_);
    if (written_ && !stopped_) continue;
    for (auto& orders : orders_) {  // what is being written comes to its end
      unwritten_ -= orders->waiting.size();
      orders->waiting.clear();
    }
  }
  return written_;
}

void Scheduler::order_next(int writer) {
  Orders& orders = *orders_[std::size_t(writer)];
  if (orders.waiting.empty()) return;
  const mapping::Command& command = *orders.waiting.front();
  orders.waiting.pop_front();
  auto payload = order_of(command, order_pool_);
  orders.link.send(*payload);
}

tlm::tlm_sync_enum Scheduler::receive_writer(int writer, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_time&) {
  return orders_[std::size_t(writer)]->link.receive(payload, phase);
}

int Scheduler::writer_of(const mapping::Command& command) const {
  const mapping::Placement& placement =
      program_.layers[std::size_t(command.index)].placements[std::size_t(command.placement)];
  return placement.tile * machine_.crossbar_tiles_per_tile + placement.crossbar_tile;
}

tlm_kit::PayloadHandle Scheduler::order_of(const mapping::Command& command, tlm_kit::PayloadPool& pool) {
  const mapping::LayerPlan& layer = program_.layers[std::size_t(command.index)];
  const mapping::Placement& placement = layer.placements[std::size_t(command.placement)];
  const mapping::Block& block = layer.blocks[std::size_t(placement.block)];
  const arithmetic::Recombination& whole = block.encoded.recombination;
  auto* const region = new RegionSetup;
  region->first_crossbar = placement.first_crossbar;
  region->crossbars = placement.crossbars;
  region->rows = block.encoded.rows;
  region->filters = placement.filters;
  region->cell_bits = block.encoded.cell_bits;
  region->paired = block.encoded.paired;
  region->recombination.digital_unit = whole.digital_unit;
  region->weighted = part_of(block.encoded.weighted, placement);
  region->noise = noise_of(layer, placement, machine_);
  region->columns_per_crossbar = machine_.filters_per_crossbar(whole.columns_per_filter) * whole.columns_per_filter;
  region->stream = layer.stream;
  region->content = (std::uint64_t(command.index) << 48) ^ (std::uint64_t(placement.block) << 24) ^
                    std::uint64_t(placement.first_filter);
  const auto first = whole.coefficient.begin() + placement.first_filter * whole.columns_per_filter;
  region->recombination.columns_per_filter = whole.columns_per_filter;
  region->recombination.coefficient.assign(first, first + placement.filters * whole.columns_per_filter);
  const auto unit = whole.unit_coefficient.begin() + placement.first_filter;
  region->recombination.unit_coefficient.assign(unit, unit + placement.filters);

  auto* const pipeline = new Pipeline;
  pipeline->node = layer.node;
  auto payload = pool.acquire(unsigned(block.encoded.rows * placement.filters * whole.columns_per_filter));
  copy_levels(block, placement, payload->get_data_ptr());
  payload->set_command(tlm::TLM_WRITE_COMMAND);
  payload->set_extension(region);
  payload->set_extension(pipeline);
  return payload;
}

}  // namespace mho::pim
