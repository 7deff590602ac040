# SPDX-License-Identifier: Apache-2.0
"""Operators between products against numbers worked by hand; run by test_numpy_executor.py."""
import unittest

import numpy as np

from integer_operators import Node
from numpy_executor import ALL_OPERATORS
from operator_cases import apply, quantised, rounded
from quantised_values import UnsupportedModel


class Activations(unittest.TestCase):
    """The same examples as in testbenches/models/dnn/activations_test.cpp; here operators work on real numbers."""
    X = [0, 1, -1, -2, -3, 3]

    def codes_of(self, operator, **attributes):
        return rounded(apply(operator, quantised(self.X, integer=np.int8), **attributes), scale=1 / 64, integer=np.int8)

    def test_functions_of_one_number(self):
        self.assertEqual(self.codes_of("Sigmoid"), [32, 47, 17, 8, 3, 61])
        self.assertEqual(self.codes_of("Tanh"), [0, 49, -49, -62, -64, 64])
        self.assertEqual(self.codes_of("LeakyRelu", alpha=0.25), [0, 64, -16, -32, -48, 127])
        self.assertEqual(self.codes_of("HardSigmoid"), [32, 45, 19, 6, 0, 64])
        self.assertEqual(self.codes_of("HardSwish"), [0, 43, -21, -21, 0, 127])
        self.assertEqual(self.codes_of("Gelu"), [0, 54, -10, -3, 0, 127])

    def test_softmax_along_the_last_axis(self):
        x = quantised([[-126, -127, -128, -128], [5, 5, -100, -100]], np.log(2), 5, np.int8)
        self.assertEqual(rounded(apply("Softmax", x, axis=-1), scale=1 / 256), [[128, 64, 32, 32], [128, 128, 0, 0]])
        self.assertEqual(rounded(apply("Softmax", quantised([[0], [0]]), axis=0), scale=1 / 256), [[128], [128]])

    def test_layer_normalization_by_hand(self):
        gain, offset = np.array([3, 6], np.float32), np.array([1, -1], np.float32)
        value = apply("LayerNormalization", quantised([[1, 3], [9, 9]], 2.0, 100), gain, offset, epsilon=5.0)
        self.assertEqual(rounded(value, integer=np.int8), [[-1, 3], [1, -1]])

    def test_what_moves_codes_keeps_them(self):
        x = quantised([[1, 2, 3], [4, 5, 6]], 0.5, 7)
        self.assertEqual(apply("Gather", x, np.array([2, 0, 2]), axis=1).codes.tolist(), [[3, 1, 3], [6, 4, 6]])
        self.assertEqual(apply("Pad", x, np.array([1, 0, 0, 1])).codes.tolist(), [[7, 7, 7, 7], [1, 2, 3, 7], [4, 5, 6, 7]])
        self.assertEqual(apply("Slice", x, np.array([1]), np.array([3]), np.array([1])).codes.tolist(), [[2, 3], [5, 6]])
        self.assertEqual(apply("Transpose", x, perm=[1, 0]).codes.tolist(), [[1, 4], [2, 5], [3, 6]])
        self.assertEqual(apply("Squeeze", apply("Unsqueeze", x, np.array([1])), np.array([1])).codes.tolist(), x.codes.tolist())
        parts = ALL_OPERATORS["Split"](Node("Split", "under_test", (), ("a", "b"), {"axis": 1}), [x, np.array([1, 2])])
        self.assertEqual([part.codes.tolist() for part in parts], [[[1], [4]], [[2, 3], [5, 6]]])

    def test_a_mean_is_sum_times_scale_by_count(self):
        self.assertEqual(float(apply("ReduceMean", quantised([[1, 2, 4]], 0.5, 1), axes=[1], keepdims=0)), 4 * 0.5 / 3)

    def test_padding_of_codes_with_anything_but_zero_is_refused(self):
        with self.assertRaisesRegex(UnsupportedModel, "only 0"):
            apply("Pad", quantised([1]), np.array([1, 0]), np.array(1.0, np.float32))
