// SPDX-License-Identifier: Apache-2.0
// A row of a layer table while it is read: its keys become the numbers of a node, and the shape of the output follows.
#pragma once

#include <string>
#include <utility>

#include "models/dnn/synthetic/layer_table.h"
#include "platforms/config/reader.h"
#include "platforms/scenario/layer_kind.h"
#include "platforms/scenario/layer_scope.h"

namespace mho {

/// Reads the keys of one kind into `node`, whose inputs are known. Every function throws mho::InputError at the key
/// that is wrong.
struct LayerReading {
  config::Reader& reader;
  const LayerScope& scope;
  const dnn::LayerTable& table;
  dnn::Node& node;
  dnn::Shape input;  ///< of the first input

  /// Shape of the output.
  dnn::Shape shape_of(LayerKind kind);

  /// A number that must be there, at least 1.
  int number(const char* key, const char* description);
  std::pair<int, int> extent(const char* key, int min, int otherwise, const char* description);
  InputError error(const char* key, const std::string& problem, const std::string& allowed) const;

 private:
  // layer_windows.cpp
  int span_of(std::int64_t kernel, std::int64_t dilation) const;
  void read_window(bool pool);
  int read_groups(LayerKind kind, int filters);
  dnn::Shape read_products(LayerKind kind);
  dnn::Shape read_pool(LayerKind kind);
  dnn::Shape read_padding();
  // layer_channels.cpp
  dnn::Shape read_element_wise() const;
  dnn::Shape read_concat() const;
  dnn::Shape read_slice();
  dnn::Shape read_shuffle();
  dnn::Shape read_matmul();
  int read_heads(int channels);
  void read_function(LayerKind kind);
};

}  // namespace mho
