// SPDX-License-Identifier: Apache-2.0
// How the filters of a layer are cut into parts. The psums of a part meet in one tile, where they are requantised, so
// only psums that a tile cannot hold on its own cross the network. ISAAC (ISCA 2016) leaves open where the psums of a
// layer that is larger than a tile meet.
#pragma once

#include <vector>

#include "models/mapping/block_layout.h"

namespace mho::mapping {

/// Ranges of a layer's filters, in order, the same for every replica. All row blocks of a part fit the crossbars of
/// one tile; no part is smaller than a crossbar's worth of filters of one block, and where even that has more row
/// blocks than a tile has crossbars, it is a part whose psums cross tiles. Of all such cuts the one with the fewest
/// parts, and of those the one whose largest part takes the fewest crossbars. Blocks of small groups hold filters of
/// their own: a part is then a range of blocks. A layer of which one copy fits a tile is one part.
std::vector<arithmetic::FilterRange> parts_of(const BlockLayout& layout, int slices, const Machine& machine);

/// Filters of a part that a block holds, counted within the block; none: count 0.
arithmetic::FilterRange filters_in_block(const arithmetic::FilterRange& part, int filter_first, int filters);

}  // namespace mho::mapping
