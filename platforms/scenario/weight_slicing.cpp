// SPDX-License-Identifier: Apache-2.0
// Names against the network, and the search, whose results are kept beside the network (slicing_cache.h).
#include "platforms/scenario/weight_slicing.h"

#include <stdexcept>
#include <utility>

#include "platforms/scenario/layer_trace.h"
#include "platforms/scenario/slicing_cache.h"

namespace mho {
namespace {

mapping::LayerSlicings found_slicings(const Scenario& scenario, const Workload& workload,
                                      const mapping::SlicingProgress& progress) try {
  const SlicingChoice& choice = scenario.slicing;
  return adaptive_slicings(workload.graph, scenario.platform.machine,
                           calibration_inputs(scenario, workload.graph, choice.inputs), choice.search, scenario.model,
                           progress);
} catch (const std::invalid_argument& error) {
  throw scenario.slicing.at.error(std::string("weight_slicing: adaptive does not suit the machine: ") + error.what(),
                                  "`uniform`, a list, or a map from layers to lists");
}

}  // namespace

void settle_weight_slicing(Scenario& scenario, const Workload& workload, const mapping::SlicingProgress& progress) {
  const SlicingChoice& choice = scenario.slicing;
  // A replay has only some of the layers that a map may name.
  if (!choice.layers.empty() && !scenario.trace) weighted_layers(choice.layers, workload.graph, "weight_slicing");
  if (!choice.adaptive) return;
  if (scenario.trace)
    throw choice.at.error("weight_slicing: adaptive needs the whole network, and `trace` replays layers of it",
                          "a map, as effective.yaml of a run with `weight_slicing: adaptive` has it");
  mapping::Machine& machine = scenario.platform.machine;
  machine.layer_slicings = found_slicings(scenario, workload, progress);
  if (!machine.layer_slicings.empty()) scenario.effective.set("weight_slicing", slicings_node(machine.layer_slicings));
}

}  // namespace mho
