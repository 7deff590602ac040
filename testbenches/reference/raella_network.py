# SPDX-License-Identifier: Apache-2.0
"""A whole quantised network on RAELLA's crossbars in numpy: the products of every convolution are those of raella_reference.py, everything
else is the integer executor's.

How a layer lies on crossbars is worked out here again: row blocks, small groups side by side in one block, and several windows computed by
one vector where rows and columns are free (partial Toeplitz expansion). Cells without a weight hold weight 0 and take part in the search of
centres. Which crossbar of which tile a filter lies in changes no value, so tiles and replicas do not occur.
"""
from collections import Counter
from typing import NamedTuple

import numpy as np

import raella_reference as raella
from integer_operators import conv, flatten, gemm, matmul, window_geometry
from quantised_values import Quantised

COLUMNS = 512
TILE = 32   # crossbars of a tile
PASSED = ("QuantizeLinear", "DequantizeLinear", "Identity", "Relu", "Clip")


class Shape(NamedTuple):
    """Of a convolution: what decides how it lies on crossbars."""
    filters: int
    channels: int         # of one group
    kernel: tuple         # height, width
    stride: int           # along a row
    dilation: int
    groups: int
    out_width: int


def crossbars_of_copy(rows, filters, crossbar):
    return -(-rows // crossbar.rows) * -(-filters // (COLUMNS // len(crossbar.slicing)))


def expansion(shape, crossbar):
    """Most neighbouring windows that fit into as many crossbars as one window takes; one where a copy does not fit a tile."""
    if shape.groups > 1 or shape.dilation > 1:
        return 1

    def crossbars(windows):
        width = shape.kernel[1] + (windows - 1) * shape.stride
        return crossbars_of_copy(shape.channels * shape.kernel[0] * width, windows * shape.filters, crossbar)

    most = shape.out_width if crossbars(1) <= TILE else 1
    return max(windows for windows in range(1, most + 1) if crossbars(windows) <= crossbars(1))


def expanded_weights(weights, windows, stride):
    """weights [filter][ky][kx][c] -> [window * filter][ky][wider kx][c], window p moved p * stride to the right, 0 elsewhere."""
    filters, height, width, channels = weights.shape
    wide = np.zeros((windows, filters, height, width + (windows - 1) * stride, channels), np.int64)
    for window in range(windows):
        wide[window, :, :, window * stride:window * stride + width] = weights
    return wide.reshape(windows * filters, height, -1, channels)


def row_windows(codes, kernel, strides, dilations, pads, counts, fill):
    """codes [N][C][H][W] -> [N][count y][count x][ky][kx][C]; what lies beyond the map is `fill`."""
    spans = [(counts[axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1 for axis in range(2)]
    after = [max(0, spans[axis] - codes.shape[2 + axis] - pads[axis]) for axis in range(2)]
    padded = np.pad(codes, [(0, 0), (0, 0), (pads[0], after[0]), (pads[1], after[1])], constant_values=fill)
    y, x = (np.arange(counts[axis])[:, None] * strides[axis] + np.arange(kernel[axis])[None, :] * dilations[axis] for axis in range(2))
    return padded[:, :, y[:, None, :, None], x[None, :, None, :]].transpose(0, 2, 3, 4, 5, 1)


def grouped_psums(codes, weights, groups, crossbar):
    """codes [vector][group][element], weights [filter][element] -> psums [vector][filter], counts. As many groups share a block as fit."""
    vectors, length, per_group = len(codes), weights.shape[1], len(weights) // groups
    together = max(1, crossbar.rows // length) if groups > 1 else 1
    psums, counts = [], Counter()
    for first in range(0, groups, together):
        last = min(first + together, groups)
        block = np.zeros(((last - first) * per_group, last - first, length), np.int64)
        for group in range(last - first):
            filters = slice(group * per_group, (group + 1) * per_group)
            block[filters, group] = weights[first * per_group:last * per_group][filters]
        encoded = raella.encode_layer(block.reshape(len(block), -1), crossbar)
        part, counted = raella.layer_psums(codes[:, first:last].reshape(vectors, -1), encoded, crossbar)
        psums.append(part)
        counts.update(counted)
    return np.concatenate(psums, axis=1), counts


def row_of(positions):
    """Positions of a sequence that stand in one row of a map: the largest divisor up to 16."""
    return max(length for length in range(1, 17) if positions % length == 0)


class RaellaLayers:
    """Takes the place of Conv and of Gemm and MatMul with constant weights; keeps counts and expansions by name of the node."""

    def __init__(self, crossbar, slicings=None, toeplitz=True):
        self.crossbar, self.slicings, self.toeplitz = crossbar, slicings or {}, toeplitz
        self.counts, self.expansions = {}, {}
        self.made, self.constants, self.flattened = {}, set(), {}

    def install(self, model):
        model.operators.update(Conv=self.conv, Gemm=self.gemm, MatMul=self.matmul, Flatten=self.flatten)
        self.made = {name: node for node in model.nodes for name in node.outputs}
        self.constants = {name for name, node in self.made.items()
                          if node.operator == "DequantizeLinear" and node.inputs[0] in model.constants}

    def crossbar_for(self, node, x):
        slicing = self.slicings.get(node.name, self.crossbar.slicing)
        return self.crossbar._replace(slicing=tuple(slicing), signed_inputs=x.codes.dtype == np.int8)

    def lost(self, node, x, weight, strides, dilations, pads, groups, out):
        """Psums of the crossbars less exact products, [N][filter][out y][out x]; x.codes [N][C][H][W], weight [filter][c][ky][kx]."""
        crossbar, (height, width) = self.crossbar_for(node, x), weight.shape[2:]
        shape = Shape(len(weight), weight.shape[1], (height, width), strides[1], dilations[1], groups, out[1])
        windows = expansion(shape, crossbar) if self.toeplitz else 1
        wide = expanded_weights(weight.transpose(0, 2, 3, 1), windows, strides[1])
        codes = row_windows(x.codes.astype(np.int64), wide.shape[1:3], (strides[0], strides[1] * windows), dilations, pads,
                            (out[0], -(-out[1] // windows)), int(np.reshape(x.zero, ())))
        places = codes.shape[:3]
        codes = codes.reshape(*places, height, -1, groups, shape.channels).transpose(0, 1, 2, 5, 3, 4, 6).reshape(-1, groups, wide[0].size)
        matrix = wide.reshape(len(wide), -1)
        psums, counts = grouped_psums(codes, matrix, groups, crossbar)
        exact = np.concatenate([raella.exact_product(codes[:, group], part.T) for group, part in enumerate(np.split(matrix, groups))], axis=1)
        self.counts.setdefault(node.name, Counter()).update(counts)
        self.expansions[node.name] = windows
        lost = (psums - exact).reshape(*places[:2], places[2] * windows, len(weight))[:, :, :out[1]]
        return lost.transpose(0, 3, 1, 2)

    def conv(self, node, values):
        value, x, weight = conv(node, values), values[0], values[1]
        strides, dilations, pads = window_geometry(node, weight.codes.shape[2:])
        lost = self.lost(node, x, weight.codes.astype(np.int64), strides, dilations, pads, node.attributes.get("group", 1), value.sums.shape[2:])
        return value._replace(sums=value.sums + lost)

    def flatten(self, node, values):
        self.flattened[node.outputs[0]] = np.shape(values[0].codes if isinstance(values[0], Quantised) else values[0])
        return flatten(node, values)

    def order_of(self, node, elements):
        """Elements of a dot product in the order in which they lie on rows: of a map that was flattened pixel by pixel, else as they are."""
        name = node.inputs[0]
        while name not in self.flattened and name in self.made and self.made[name].operator in PASSED:
            name = self.made[name].inputs[0]
        shape = self.flattened.get(name, ())
        return np.arange(elements).reshape(shape[1:]).transpose(1, 2, 0).ravel() if len(shape) == 4 else np.arange(elements)

    def with_lost(self, node, value, x, weight):
        """x [N][element] is a map of one pixel, x [N][position][element] one of rows of positions; weight [filter][element]."""
        order = self.order_of(node, weight.shape[1])
        positions = x.codes.reshape(len(x.codes), -1, x.codes.shape[-1])[:, :, order]
        across = row_of(positions.shape[1])
        pixels = x._replace(codes=positions.transpose(0, 2, 1).reshape(len(positions), len(order), -1, across))
        lost = self.lost(node, pixels, weight[:, order, None, None], (1, 1), (1, 1), (0, 0, 0, 0), 1, pixels.codes.shape[2:])
        return value._replace(sums=value.sums + lost.transpose(0, 2, 3, 1).reshape(value.sums.shape))

    def gemm(self, node, values):
        codes = values[1].codes.astype(np.int64)
        return self.with_lost(node, gemm(node, values), values[0], codes if node.attributes.get("transB", 0) else codes.T)

    def matmul(self, node, values):
        value = matmul(node, values)
        constant = isinstance(values[1], Quantised) and node.inputs[1] in self.constants
        return self.with_lost(node, value, values[0], values[1].codes.astype(np.int64).T) if constant else value
