// SPDX-License-Identifier: Apache-2.0
// The network of an accelerator as a netlist: a mesh of routers on every chip, links between chips at their router 0,
// and the DMA attached to router 0 of chip 0. The mesh is the smallest near-square one; routers without tiles fill it.
#pragma once

#include <memory>
#include <systemc>
#include <vector>

#include "models/pim/dma.h"
#include "models/pim/pim_tile.h"
#include "models/pim/tile_router.h"

namespace mho::pim {

struct TileNetwork : sc_core::sc_module {
  /// `tiles`: the built ones, number = index; all chips together have chips * tiles_per_chip.
  TileNetwork(sc_core::sc_module_name name, const mapping::Machine& machine, int chips,
              const std::vector<std::unique_ptr<PimTile>>& tiles, Dma& dma, const Observation& observation);

  std::vector<std::unique_ptr<TileRouter>> routers;  ///< [chip][router]
  std::unique_ptr<HyperTransport> links;             ///< null on a single chip

 private:
  struct Place {
    int chip = 0, router = 0;  ///< router within the chip
  };
  Place place_of(int tile) const;
  /// First step of the way: 0 here, else direction.
  enum class Step { kHere, kEast, kWest, kSouth, kNorth, kLink };
  Step step_to(const Place& from, int tile) const;
  std::unique_ptr<TileRouter> make_router(const Place& place, const Observation& observation);
  void bind_tiles(const std::vector<std::unique_ptr<PimTile>>& tiles, Dma& dma);
  void bind_routers();

  const mapping::Machine& machine_;
  const int chips_, tiles_, built_;
  int per_chip_ = 1, columns_ = 1;             ///< routers of a chip, and of one row of its mesh
  std::vector<std::vector<int>> local_tiles_;  ///< [router]: built tiles, the staging buffer as number `tiles_`
  std::vector<std::vector<Step>> ways_;        ///< [router]: outputs after the local ones
};

}  // namespace mho::pim
