#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks how the numpy reference lays a network's layers on RAELLA's crossbars: expansions worked by hand, and products that converters
wide enough leave exact."""
import sys
import unittest

import numpy as np

import raella_network as network
import raella_reference as raella
from integer_operators import Node, conv, gemm, matmul
from quantised_values import Quantised
from raella_reference import Crossbar

WIDE = Crossbar(adc_bits=24)


def node(operator, **attributes):
    return Node(operator, "layer", ("x", "w"), ("y",), attributes)


def quantised(codes, integer, zero=0):
    return Quantised(np.asarray(codes).astype(integer), np.float64(1), np.int64(zero))


class Expansion(unittest.TestCase):
    def rule(self, channels, filters, kernel=(3, 3), stride=1, groups=1, width=32, dilation=1, crossbar=Crossbar()):
        return network.expansion(network.Shape(filters, channels, kernel, stride, dilation, groups, width), crossbar)

    def test_columns_limit(self):
        # Three slices: 170 filters a crossbar. 16 filters: 10 windows take 160; rows 3 * 3 * (3 + 9) = 108 of 512 would allow more.
        self.assertEqual(self.rule(3, 16), 10)

    def test_rows_limit(self):
        # 16 channels: 48 rows for each pixel of width; 512 / 48 = 10 of them hold 8 windows of width 3, and with stride 2 only 4.
        self.assertEqual(self.rule(16, 16), 8)
        self.assertEqual(self.rule(16, 16, stride=2), 4)

    def test_what_is_paid_for_already(self):
        # 64 channels, 64 filters: 576 rows are two blocks. 1024 rows are 5 pixels of 192: 3 windows, but 170 filters are 2 windows.
        self.assertEqual(self.rule(64, 64), 2)
        # 200 filters take two crossbars of 170; 340 filters are one window and a part.
        self.assertEqual(self.rule(64, 200), 1)

    def test_never_more_than_there_are(self):
        self.assertEqual(self.rule(3, 16, width=7), 7)
        self.assertEqual(self.rule(512, 10, kernel=(1, 1), width=1), 1)

    def test_a_copy_must_fit_a_tile(self):
        # 32 channels, kernels of 1 x 500 and 1 x 513: 16 000 rows are 32 blocks, 16 416 are 33; a second window takes 32 rows of the last.
        self.assertEqual(self.rule(32, 1, kernel=(1, 500), width=2), 2)
        self.assertEqual(self.rule(32, 1, kernel=(1, 513), width=2), 1)

    def test_groups_and_dilated_kernels_stay(self):
        self.assertEqual(self.rule(1, 32, groups=32), 1)
        self.assertEqual(self.rule(3, 16, dilation=2), 1)

    def test_copies_move_by_the_stride(self):
        # One filter of 1 x 2 with one channel, 5 and 7; three windows of stride 2 are 6 pixels wide.
        wide = network.expanded_weights(np.array([5, 7]).reshape(1, 1, 2, 1), 3, 2)
        self.assertEqual(wide.reshape(3, 6).tolist(), [[5, 7, 0, 0, 0, 0], [0, 0, 5, 7, 0, 0], [0, 0, 0, 0, 5, 7]])
        # Two filters: both of window 0 come first.
        wide = network.expanded_weights(np.array([1, 2]).reshape(2, 1, 1, 1), 2, 1)
        self.assertEqual(wide.reshape(4, 2).tolist(), [[1, 0], [2, 0], [0, 1], [0, 2]])

    def test_windows_beyond_the_map_see_the_fill(self):
        # A row 1 2 3 4 5, kernel 1 x 3 with a pixel of padding before, stride 4: two windows 9 1 2 and 4 5 9.
        codes = network.row_windows(np.arange(1, 6).reshape(1, 1, 1, 5), (1, 3), (1, 4), (1, 1), (0, 1, 0, 1), (1, 2), 9)
        self.assertEqual(codes.reshape(2, 3).tolist(), [[9, 1, 2], [4, 5, 9]])


class Groups(unittest.TestCase):
    def test_small_groups_share_a_block(self):
        # Five groups of 3 elements and 2 filters in blocks of 8 rows: two groups a block, three blocks, 6 rows, 6 and 3.
        random = np.random.default_rng(1)
        codes, weights = random.integers(0, 256, (4, 5, 3)), random.integers(-128, 128, (10, 3))
        psums, counts = network.grouped_psums(codes, weights, 5, WIDE._replace(rows=8))
        want = np.concatenate([codes[:, group] @ weights[2 * group:2 * group + 2].T for group in range(5)], axis=1)
        self.assertTrue((psums == want).all())
        self.assertEqual(counts["vectors"], 3 * 4)
        self.assertEqual(counts["adc_conversions"], 4 * 3 * 3 * (4 + 4 + 2))   # vectors, whole cycles, slices, filters of the blocks

    def test_cells_without_a_weight_take_part_in_the_search(self):
        # A group of weight -100 and one of 100, four rows each; only the first one's inputs are 255. Alone each weight is its own centre and
        # nothing goes through the converters. Together with four zeros the centre is 78, the least of several without cost: offsets -50 and
        # 50, slices 3|0|2 with either sign. Sums are -12, 0 and -8; -12 is clipped to -8 of four bits in all eight cycles: 4 * 16 * 255 more.
        # The other filter sees the same rows with its zeros, offset -50 from its centre 178.
        crossbar = Crossbar(rows=8, adc_bits=4, speculation=())
        codes = np.repeat([[[255], [0]]], 4, axis=2)
        weights = np.array([[-100] * 4, [100] * 4])
        alone, _ = network.grouped_psums(codes, weights, 2, crossbar._replace(rows=4))
        self.assertEqual(alone.tolist(), [[-102000, 0]])
        together, _ = network.grouped_psums(codes, weights, 2, crossbar)
        self.assertEqual(together.tolist(), [[-102000 + 4 * 16 * 255, 4 * 16 * 255]])


class Layers(unittest.TestCase):
    def check_conv(self, integer, zero, kernel=3, channels=4, filters=6, group=1, crossbar=WIDE, **attributes):
        random = np.random.default_rng(7)
        limits = np.iinfo(integer)
        x = quantised(random.integers(limits.min, limits.max + 1, (2, channels, 9, 11)), integer, zero)
        weight = quantised(random.integers(-128, 128, (filters, channels // group, kernel, kernel)), np.int8)
        layers, each = network.RaellaLayers(crossbar), node("Conv", group=group, **attributes)
        got, want = layers.conv(each, [x, weight]), conv(each, [x, weight])
        return layers, bool((got.sums == want.sums).all())

    def test_wide_converters_change_nothing(self):
        for integer, zero in ((np.uint8, 0), (np.uint8, 77), (np.int8, 0)):
            for attributes in ({}, {"pads": [1, 1, 1, 1]}, {"pads": [0, 2, 1, 0], "strides": [2, 2]}, {"strides": [1, 3]},
                               {"dilations": [2, 2], "pads": [2, 2, 2, 2]}, {"group": 2}, {"group": 4, "channels": 4, "filters": 4}):
                for slicing in ((4, 2, 2), (1,) * 8):
                    _, equal = self.check_conv(integer, zero, crossbar=WIDE._replace(slicing=slicing), **attributes)
                    self.assertTrue(equal, (integer, zero, attributes, slicing))

    def test_narrow_converters_change_something(self):
        self.assertFalse(self.check_conv(np.uint8, 0, crossbar=Crossbar(adc_bits=5))[1])

    def test_vectors_are_those_of_expanded_windows(self):
        # 11 pixels with padding 1 and kernel 3: 11 windows a row, 4 * 9 = 12 rows for each pixel of width. 170 / 6 = 28 windows would fit.
        layers, _ = self.check_conv(np.uint8, 0, pads=[1, 1, 1, 1])
        self.assertEqual(layers.expansions, {"layer": 11})
        self.assertEqual(layers.counts["layer"]["vectors"], 2 * 9)
        # 60 filters: two windows in 120 of 170 columns' worth; six vectors a row, the last of them for one window.
        layers, equal = self.check_conv(np.uint8, 0, pads=[1, 1, 1, 1], filters=60)
        self.assertTrue(equal)
        self.assertEqual((layers.expansions["layer"], layers.counts["layer"]["vectors"]), (2, 2 * 9 * 6))
        self.assertEqual(layers.counts["layer"]["adc_conversions"], 2 * 9 * 6 * 3 * 3 * 120)

    def test_expansion_changes_no_value_where_centres_stay(self):
        random, narrow = np.random.default_rng(8), Crossbar(adc_bits=4, encoding="zero_offset")
        for width, strides, pads in ((11, [1, 1], [1, 1, 1, 1]), (12, [2, 2], [0, 2, 1, 0]), (7, [1, 2], [0, 0, 0, 0])):
            x = quantised(random.integers(0, 256, (2, 16, 5, width)), np.uint8, 77)
            weight = quantised(random.integers(-128, 128, (25, 16, 3, 3)), np.int8)
            each, layers = node("Conv", strides=strides, pads=pads), [network.RaellaLayers(narrow, toeplitz=on) for on in (True, False)]
            sums = [each_way.conv(each, [x, weight]).sums for each_way in layers]
            self.assertTrue((sums[0] == sums[1]).all())
            self.assertEqual([each_way.expansions["layer"] > 1 for each_way in layers], [True, False])
            self.assertFalse((sums[0] == conv(each, [x, weight]).sums).all())

    def test_padding_drives_the_zero_point(self):
        # A map of one pixel, 10, kernel 1 x 2 and a pixel of padding on both sides whose code is 100: windows 100 10 and 10 100.
        narrow, weights = Crossbar(adc_bits=3, encoding="zero_offset"), np.array([[90, 70]])
        x, weight = quantised([[[[10]]]], np.uint8, 100), quantised(weights.reshape(1, 1, 1, 2), np.int8)
        got = network.RaellaLayers(narrow, toeplitz=False).conv(node("Conv", pads=[0, 1, 0, 1]), [x, weight]).sums
        psums, counts = raella.layer_psums([[100, 10], [10, 100]], raella.encode_layer(weights, narrow), narrow)
        self.assertEqual(got.ravel().tolist(), [int(psum) - 100 * 160 for psum in psums[:, 0]])
        self.assertGreater(counts["adc_saturations"], 0)

    def test_layers_have_slicings_of_their_own_and_signed_inputs_two_passes(self):
        layers = network.RaellaLayers(Crossbar(), {"layer": [1] * 8})
        crossbar = layers.crossbar_for(node("Conv"), quantised([0], np.int8))
        self.assertEqual((crossbar.slicing, crossbar.signed_inputs), ((1,) * 8, True))
        self.assertEqual(layers.crossbar_for(Node("Conv", "other", (), (), {}), quantised([0], np.uint8)), Crossbar())

    def test_a_flattened_map_lies_on_rows_pixel_by_pixel(self):
        # [C][H][W] of 2 x 1 x 3 holds elements 0 1 2 and 3 4 5 of two channels: pixels are 0 3, 1 4 and 2 5.
        layers = network.RaellaLayers(WIDE)
        layers.flatten(Node("Flatten", "flat", ("m",), ("f",), {}), [np.zeros((4, 2, 1, 3))])
        layers.made = {"x": Node("DequantizeLinear", "", ("q",), ("x",), {}), "q": Node("QuantizeLinear", "", ("f",), ("q",), {})}
        self.assertEqual(layers.order_of(node("Gemm"), 6).tolist(), [0, 3, 1, 4, 2, 5])
        self.assertEqual(layers.order_of(Node("Gemm", "", ("other",), (), {}), 3).tolist(), [0, 1, 2])
        # Rows of a block: with two rows each, elements 0 and 3 share one.
        narrow = Crossbar(rows=2, adc_bits=3, encoding="zero_offset", speculation=())
        layers.crossbar = narrow
        weights = np.array([[48, 0, 0, 48, 0, 0]])   # 3|0|0 each: 6 is clipped to 3 of three bits where they share a block
        x, weight = quantised([[1, 0, 0, 1, 0, 0]], np.uint8), quantised(weights.T, np.int8)
        self.assertEqual(layers.gemm(node("Gemm"), [x, weight]).sums.tolist(), [[48]])
        layers.flattened = {}
        self.assertEqual(layers.gemm(node("Gemm"), [x, weight]).sums.tolist(), [[96]])

    def test_positions_of_a_sequence_are_pixels_of_rows(self):
        self.assertEqual([network.row_of(positions) for positions in (1, 7, 18, 24, 34, 37, 128)], [1, 7, 9, 12, 2, 1, 16])
        # 24 elements, 24 filters of 4 columns: 128 / 24 = 5 positions a vector, so two rows of 9 positions are two vectors each.
        random = np.random.default_rng(4)
        x, weight = quantised(random.integers(-128, 128, (2, 18, 24)), np.int8), quantised(random.integers(-128, 128, (24, 24)), np.int8)
        layers = network.RaellaLayers(WIDE._replace(slicing=(2, 2, 2, 2)))
        layers.constants = {"w"}
        self.assertTrue((layers.matmul(node("MatMul"), [x, weight]).sums == matmul(node("MatMul"), [x, weight]).sums).all())
        self.assertEqual((layers.expansions["layer"], layers.counts["layer"]["vectors"]), (5, 2 * 4))

    def test_matrices_are_convolutions_of_one_pixel(self):
        random = np.random.default_rng(2)
        x, weight = quantised(random.integers(0, 256, (3, 600)), np.uint8, 5), quantised(random.integers(-128, 128, (600, 7)), np.int8)
        layers = network.RaellaLayers(WIDE)
        layers.constants = {"w"}
        self.assertTrue((layers.gemm(node("Gemm"), [x, weight]).sums == gemm(node("Gemm"), [x, weight]).sums).all())
        self.assertEqual(layers.counts["layer"]["vectors"], 3 * 2)   # two row blocks
        turned = weight._replace(codes=weight.codes.T)
        each = node("Gemm", transB=1)
        self.assertTrue((layers.gemm(each, [x, turned]).sums == gemm(each, [x, turned]).sums).all())
        self.assertTrue((layers.matmul(node("MatMul"), [x, weight]).sums == matmul(node("MatMul"), [x, weight]).sums).all())
        narrow = network.RaellaLayers(Crossbar(adc_bits=5))
        self.assertTrue((narrow.matmul(node("MatMul"), [x, weight]).sums == matmul(node("MatMul"), [x, weight]).sums).all(), "no constant")


if __name__ == "__main__":
    sys.exit(unittest.main())
