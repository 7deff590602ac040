// SPDX-License-Identifier: Apache-2.0
// What `validate`'s two halves share: how a fault is reported, and the small tests of numbers.
#pragma once

#include <cstdint>
#include <string>

#include "models/dnn/graph.h"
#include "models/input_error.h"

namespace mho::dnn {

/// Reports faults of one graph.
struct Refusal {
  const Graph& graph;
  [[noreturn]] void tensor(const Tensor& t, const std::string& problem, const std::string& allowed) const {
    throw InputError(graph.name, 0, 0, "tensor " + excerpt(t.name) + ": " + problem, allowed);
  }
  [[noreturn]] void node(const Node& n, const std::string& problem, const std::string& allowed) const {
    throw InputError(graph.name, 0, 0, "node " + excerpt(n.name) + " (" + name_of(n.op) + "): " + problem, allowed);
  }
  [[noreturn]] void whole(const std::string& problem, const std::string& allowed) const {
    throw InputError(graph.name, 0, 0, problem, allowed);
  }
};

inline std::string range_text(std::int64_t low, std::int64_t high) {
  return std::to_string(low) + " to " + std::to_string(high);
}

inline bool within(std::int64_t value, std::int64_t low, std::int64_t high) { return value >= low && value <= high; }

/// False for NaN as well.
inline bool is_scale(double scale) { return scale >= kSmallestScale && scale <= kLargestScale; }

inline constexpr const char* kScales = "a positive number within float's range";

/// Windows, weights and shapes of one node, whose tensors are known to exist and to have sane shapes. Returns the
/// number of weights.
std::uint64_t check_node(const Refusal& refuse, const Node& node);

/// The part of check_node for operators that have neither a window nor weights.
void check_activations(const Refusal& refuse, const Node& node);

/// Refuses an output of another shape.
void check_shape(const Refusal& refuse, const Node& node, const Shape& expected);

}  // namespace mho::dnn
