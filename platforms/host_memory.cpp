// SPDX-License-Identifier: Apache-2.0
// Bytes of noisy cells, as models/arithmetic/noisy_cells.h and column_levels.h take them, against what Linux reports.
#include "platforms/host_memory.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "models/input_error.h"
#include "models/mapping/block_layout.h"

namespace mho {
namespace {

/// Of everything else: modules, payloads and the image of a full chip.
constexpr std::uint64_t kBesideArrays = std::uint64_t{1} << 30;
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// Levels; products of two bytes, of pairs' totals as well; columns that are read again, once more as much.
std::uint64_t bits_of_a_cell(const mapping::Machine& machine, const mapping::LayerPlan& layer) {
  const bool paired = machine.crossbar.cell == mapping::CellKind::k2T2R;
  const unsigned conductances = paired && machine.noise.proportional_noise > 0.0 ? 2 : 1;
  const unsigned copies = layer.stream.speculates() ? 2 : 1;
  return (paired ? 8u : unsigned(machine.crossbar.cell_bits)) + conductances * copies * 16u;
}

/// The first number in a file, or `otherwise`.
std::uint64_t number_in(const char* path, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? number : otherwise;
}

std::uint64_t available_on_the_computer() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  for (std::uint64_t kibibytes = 0; file >> key >> kibibytes; std::getline(file, unit))
    if (key == "MemAvailable:") return kibibytes * 1024;
  return kUnlimited;
}

/// What is left under the limits of a control group, of either version.
std::uint64_t available_in_the_group() {
  const std::uint64_t limit =
      number_in("/sys/fs/cgroup/memory.max", number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", kUnlimited));
  const std::uint64_t used =
      number_in("/sys/fs/cgroup/memory.current", number_in("/sys/fs/cgroup/memory/memory.usage_in_bytes", 0));
  return limit == kUnlimited ? limit : limit - std::min(limit, used);
}

std::uint64_t address_space() {
  rlimit limit{};
  return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : kUnlimited;
}

/// In GiB, rounded up.
std::string gibibytes(std::uint64_t bytes) { return std::to_string((bytes >> 30) + 1) + " GiB"; }

}  // namespace

std::uint64_t noisy_array_bytes(const mapping::Program& planned, const dnn::Graph& graph,
                                const mapping::Machine& machine) {
  if (machine.fidelity != mapping::Fidelity::kNoisy || !machine.noise.changes_cells()) return 0;
  std::uint64_t bits = 0;
  for (const mapping::LayerPlan& layer : planned.layers) {
    const mapping::BlockLayout layout(graph, graph.nodes[std::size_t(layer.node)], machine);
    std::uint64_t cells = 0;
    for (const mapping::Placement& placement : layer.placements)
      cells += std::uint64_t(layout.at(placement.block).rows) * std::uint64_t(placement.filters);
    bits += cells * std::uint64_t(layer.weight_slicing.count()) * bits_of_a_cell(machine, layer);
  }
  return bits / 8;
}

std::uint64_t available_memory_bytes() {
  return std::min({available_on_the_computer(), available_in_the_group(), address_space()});
}

void check_noisy_memory(const mapping::Program& planned, const dnn::Graph& graph, const mapping::Machine& machine,
                        std::uint64_t available) {
  const std::uint64_t arrays = noisy_array_bytes(planned, graph, machine), needed = arrays + kBesideArrays;
  if (arrays == 0 || needed <= available) return;
  throw InputError(graph.name, 0, 0,
                   "replicas with conductances of their own need about " + gibibytes(needed) +
                       " of this computer's memory, " + gibibytes(available) + " are available",
                   "`replication: none`, or noise that changes no cell: read_noise, proportional_noise");
}

}  // namespace mho
