// SPDX-License-Identifier: Apache-2.0
// Netlist of the tile network and its routing tables.
#include "models/pim/tile_network.h"

#include <cmath>

namespace mho::pim {

TileNetwork::TileNetwork(sc_core::sc_module_name module_name, const mapping::Machine& machine, int chips,
                         const std::vector<std::unique_ptr<PimTile>>& tiles, Dma& dma, const Observation& observation)
    : sc_module(module_name),
      machine_(machine),
      chips_(chips),
      tiles_(chips * machine.tiles_per_chip),
      built_(int(tiles.size())) {
  const int needed = (machine.tiles_per_chip + machine.router.tiles_per_router - 1) / machine.router.tiles_per_router;
  columns_ = int(std::ceil(std::sqrt(double(needed))));
  per_chip_ = (needed + columns_ - 1) / columns_ * columns_;
  local_tiles_.resize(std::size_t(chips_ * per_chip_));
  for (int tile = 0; tile < built_; ++tile) {
    const Place place = place_of(tile);
    local_tiles_[std::size_t(place.chip * per_chip_ + place.router)].push_back(tile);
  }
  local_tiles_[0].push_back(tiles_);
  if (chips_ > 1) {
    RoutingTable chip_of_tile;
    for (int tile = 0; tile <= tiles_; ++tile) chip_of_tile.push_back(place_of(tile).chip);
    links = std::make_unique<HyperTransport>("links", machine.hypertransport, chips_, chip_of_tile,
                                             machine.router.multicast, observation.ledger, observation.recorder);
  }
  for (int chip = 0; chip < chips_; ++chip)
    for (int router = 0; router < per_chip_; ++router) routers.push_back(make_router({chip, router}, observation));
  bind_tiles(tiles, dma);
  bind_routers();
}

TileNetwork::Place TileNetwork::place_of(int tile) const {
  if (tile == tiles_) return {0, 0};
  return {tile / machine_.tiles_per_chip, tile % machine_.tiles_per_chip / machine_.router.tiles_per_router};
}

TileNetwork::Step TileNetwork::step_to(const Place& from, int tile) const {
  const Place to = place_of(tile);
  const int target = to.chip == from.chip ? to.router : 0;
  const int x = from.router % columns_, y = from.router / columns_;
  const int target_x = target % columns_, target_y = target / columns_;
  if (target_x != x) return target_x > x ? Step::kEast : Step::kWest;
  if (target_y != y) return target_y > y ? Step::kSouth : Step::kNorth;
  return to.chip == from.chip ? Step::kHere : Step::kLink;
}

std::unique_ptr<TileRouter> TileNetwork::make_router(const Place& place, const Observation& observation) {
  const std::size_t index = std::size_t(place.chip * per_chip_ + place.router);
  std::vector<Step> ways;
  if (place.router % columns_ + 1 < columns_) ways.push_back(Step::kEast);
  if (place.router % columns_ > 0) ways.push_back(Step::kWest);
  if (place.router + columns_ < per_chip_) ways.push_back(Step::kSouth);
  if (place.router >= columns_) ways.push_back(Step::kNorth);
  if (chips_ > 1 && place.router == 0) ways.push_back(Step::kLink);

  const std::vector<int>& local = local_tiles_[index];
  RoutingTable table(std::size_t(tiles_) + 1, -1);
  for (int tile = 0; tile <= tiles_; ++tile) {
    if (tile >= built_ && tile != tiles_) continue;
    const Step step = step_to(place, tile);
    const int locals = int(local.size());
    for (int i = 0; step == Step::kHere && i < locals; ++i)
      if (local[std::size_t(i)] == tile) table[std::size_t(tile)] = i;
    for (std::size_t i = 0; i < ways.size(); ++i)
      if (ways[i] == step) table[std::size_t(tile)] = locals + int(i);
  }
  const int outputs = int(local.size() + ways.size());
  ways_.push_back(std::move(ways));
  const std::string router_name = "router_" + std::to_string(index);
  return std::make_unique<TileRouter>(router_name.c_str(), machine_.router, outputs, int(local.size()),
                                      int(local.size()), std::move(table), observation.ledger, observation.recorder);
}

void TileNetwork::bind_tiles(const std::vector<std::unique_ptr<PimTile>>& tiles, Dma& dma) {
  for (std::size_t r = 0; r < routers.size(); ++r)
    for (std::size_t i = 0; i < local_tiles_[r].size(); ++i) {
      const int tile = local_tiles_[r][i];
      if (tile == tiles_) {
        dma.network.bind(routers[r]->in);
        routers[r]->out[i].bind(dma.staging);
      } else {
        tiles[std::size_t(tile)]->function.network.bind(routers[r]->in);
        routers[r]->out[i].bind(tiles[std::size_t(tile)]->decoder.from_initiator[0]);
      }
    }
}

void TileNetwork::bind_routers() {
  for (std::size_t r = 0; r < routers.size(); ++r)
    for (std::size_t i = 0; i < ways_[r].size(); ++i) {
      auto& out = routers[r]->out[local_tiles_[r].size() + i];
      switch (ways_[r][i]) {
        case Step::kEast:
          out.bind(routers[r + 1]->in);
          break;
        case Step::kWest:
          out.bind(routers[r - 1]->in);
          break;
        case Step::kSouth:
          out.bind(routers[r + std::size_t(columns_)]->in);
          break;
        case Step::kNorth:
          out.bind(routers[r - std::size_t(columns_)]->in);
          break;
        case Step::kLink:
          out.bind(links->in);
          break;
        case Step::kHere:
          break;
      }
    }
  for (int chip = 0; links != nullptr && chip < chips_; ++chip)
    links->out[std::size_t(chip)].bind(routers[std::size_t(chip * per_chip_)]->in);
}

}  // namespace mho::pim
