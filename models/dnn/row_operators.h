// SPDX-License-Identifier: Apache-2.0
// The row functions behind compute_row, one an operator; same arguments, same meaning.
#pragma once

#include "models/dnn/operators.h"

namespace mho::dnn {

void max_pool_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void average_pool_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void add_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void multiply_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void function_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void affine_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void select_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void pad_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void softmax_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void layer_norm_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
/// Asks for all rows of input 1, whatever `y` is.
void matmul_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void concat_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);
void requantise_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);

/// `count` codes of tensor `from` as codes of tensor `to` within [lower, upper].
void rescale(const Tensor& from, const Tensor& to, int lower, int upper, const std::uint8_t* codes, std::size_t count,
             std::uint8_t* out);

}  // namespace mho::dnn
