// SPDX-License-Identifier: Apache-2.0
// Slicings that the search of models/mapping found, kept beside the network so that the next run need not search: a
// small YAML file in the folder `.slicing` next to the network's file or, where that cannot be written, in
// $XDG_CACHE_HOME/mho or ~/.cache/mho. A cache never changes a result: what is damaged, of another version or of
// anything else than this search is searched again, and where nothing can be written nothing is kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/mapping/slicing_search.h"

namespace mho {

/// mapping::search_slicings, or what it gave before for the same network, machine, inputs and options.
/// `network_file`: path of the network, empty: nothing is kept. Throws as search_slicings; never because of files.
mapping::LayerSlicings adaptive_slicings(const dnn::Graph& graph, const mapping::Machine& machine,
                                         const mapping::CalibrationInputs& inputs,
                                         const mapping::SlicingSearch& options, const std::string& network_file,
                                         const mapping::SlicingProgress& progress = {});

/// 128 bits over everything that a search's result depends on, as 32 hexadecimal digits: the graph with its weights,
/// the geometry, converters and encoding of the machine, calibration inputs, options, and the version of search and
/// file.
std::string slicing_key(const dnn::Graph& graph, const mapping::Machine& machine,
                        const mapping::CalibrationInputs& inputs, const mapping::SlicingSearch& options);

/// Where the slicings of a network may be kept, the first choice first.
std::vector<std::string> slicing_files(const std::string& network_file, const std::string& key);

}  // namespace mho
