// SPDX-License-Identifier: Apache-2.0
// Chips and replicas of every layer. Capacity is counted in crossbar_tiles because no two layers share one.
#include "models/mapping/replicate.h"

#include <algorithm>
#include <queue>
#include <stdexcept>
#include <string>
#include <utility>

#include "models/input_error.h"
#include "models/mapping/block_layout.h"
#include "models/mapping/encode_blocks.h"

namespace mho::mapping {
namespace {

constexpr std::int64_t kMaxTiles = 1 << 24;  // as validate(Machine)

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::int64_t crossbar_tiles_per_chip(const Machine& m) {
  return std::int64_t(m.tiles_per_chip) * m.crossbar_tiles_per_tile;
}

std::int64_t crossbar_tiles_of(const std::vector<LayerDemand>& demands, const std::vector<int>& replicas,
                               const Machine& machine) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < demands.size(); ++i)
    sum += ceil_div(demands[i].crossbars * replicas[i], machine.crossbar.crossbars);
  return sum;
}

[[noreturn]] void refuse(const dnn::Graph& graph, const std::vector<LayerDemand>& demands, const Machine& machine) {
  std::int64_t needed = 0, given = std::int64_t(machine.chips) * machine.crossbars_per_chip();
  for (const LayerDemand& demand : demands) needed += demand.crossbars;
  std::string unit = "crossbars";
  if (needed <= given) {
    // Enough crossbars, but some stand in crossbar_tiles that belong to other layers.
    needed = crossbar_tiles_of(demands, std::vector<int>(demands.size(), 1), machine);
    given = machine.chips * crossbar_tiles_per_chip(machine);
    unit = "crossbar_tiles (each belongs to one layer)";
  }
  const std::string chips = std::to_string(machine.chips);
  throw InputError(graph.name, 0, 0,
                   "needs " + std::to_string(needed) + " " + unit + ", chips: " + chips + " has " +
                       std::to_string(given) + ", " + std::to_string(needed - given) + " are missing",
                   "chips: " + std::to_string(fewest_chips(demands, machine)) + " or more, or auto");
}

std::int64_t windows_of_last_convolution(const std::vector<LayerDemand>& demands) {
  for (auto it = demands.rbegin(); it != demands.rend(); ++it)
    if (!it->fully_connected) return it->windows;
  return 1;
}

/// 1 where the input cannot be streamed at all, which planning then refuses.
int cycles_of(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine) try {
  return arithmetic::count_cycles(make_stream(graph.input_of(node), machine)).all();
} catch (const std::invalid_argument&) {
  return 1;
}

std::vector<int> balanced(const std::vector<LayerDemand>& demands) {
  const std::int64_t last = windows_of_last_convolution(demands);
  std::vector<int> replicas;
  for (const LayerDemand& demand : demands) {
    const std::int64_t wanted = demand.fully_connected ? 1 : ceil_div(demand.windows, last);
    replicas.push_back(int(std::min<std::int64_t>({wanted, demand.windows, INT32_MAX})));
  }
  return replicas;
}

}  // namespace

std::vector<LayerDemand> layer_demands(const dnn::Graph& graph, const Machine& machine) {
  std::vector<LayerDemand> demands;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const dnn::Node& node = graph.nodes[i];
    if (node.op != dnn::Operator::kConvolution) continue;
    const dnn::Shape& output = graph.output_of(node).shape;
    const BlockLayout layout(graph, node, machine);
    demands.push_back({int(i), std::int64_t(output.height) * vectors_of_row(output.width, layout.expansion()),
                       layout.crossbars(), dnn::is_fully_connected(graph, node), cycles_of(graph, node, machine)});
  }
  return demands;
}

std::int64_t fewest_chips(const std::vector<LayerDemand>& demands, const Machine& machine) {
  const std::int64_t needed = crossbar_tiles_of(demands, std::vector<int>(demands.size(), 1), machine);
  return std::max<std::int64_t>(1, ceil_div(needed, crossbar_tiles_per_chip(machine)));
}

Allocation allocate(const dnn::Graph& graph, const Machine& machine, std::int64_t at_least) {
  const std::vector<LayerDemand> demands = layer_demands(graph, machine);
  const std::int64_t fewest = std::max(machine.chips > 0 ? 1 : at_least, fewest_chips(demands, machine));
  if (machine.chips > 0 && fewest > machine.chips) refuse(graph, demands, machine);
  if (fewest * machine.tiles_per_chip > kMaxTiles)
    throw InputError(graph.name, 0, 0, "needs " + std::to_string(fewest) + " chips",
                     "at most " + std::to_string(kMaxTiles / machine.tiles_per_chip) + " of this size");
  Allocation allocation;
  allocation.chips = machine.chips > 0 ? machine.chips : int(fewest);
  allocation.replicas =
      machine.replication == Replication::kBalanced ? balanced(demands) : std::vector<int>(demands.size(), 1);
  const std::int64_t given = allocation.chips * crossbar_tiles_per_chip(machine);
  while (crossbar_tiles_of(demands, allocation.replicas, machine) > given)
    for (int& replicas : allocation.replicas) replicas = replicas / 2 + replicas % 2;
  allocation.spare_crossbar_tiles = given - crossbar_tiles_of(demands, allocation.replicas, machine);
  return allocation;
}

Allocation replicate_greedily(const dnn::Graph& graph, const Machine& machine, Allocation allocation,
                              std::int64_t spare) {
  const std::vector<LayerDemand> demands = layer_demands(graph, machine);
  // The quotient of two integers, correctly rounded, is the same for equal quotients.
  const auto time = [&](std::size_t layer) {
    return double(demands[layer].windows * demands[layer].cycles) / allocation.replicas[layer];
  };
  std::priority_queue<std::pair<double, std::int64_t>> slowest;  // time, -layer
  for (std::size_t i = 0; i < demands.size(); ++i) slowest.emplace(time(i), -std::int64_t(i));
  std::int64_t left = std::min(spare, allocation.spare_crossbar_tiles);
  while (!slowest.empty()) {
    const auto layer = std::size_t(-slowest.top().second);
    slowest.pop();
    const LayerDemand& demand = demands[layer];
    int& replicas = allocation.replicas[layer];
    const std::int64_t taken = ceil_div(demand.crossbars * replicas, machine.crossbar.crossbars);
    const std::int64_t more = ceil_div(demand.crossbars * (replicas + 1), machine.crossbar.crossbars) - taken;
    if (more > left || replicas >= std::min<std::int64_t>(demand.windows, INT32_MAX)) continue;
    left -= more;
    allocation.spare_crossbar_tiles -= more;
    ++replicas;
    slowest.emplace(time(layer), -std::int64_t(layer));
  }
  return allocation;
}

}  // namespace mho::mapping
