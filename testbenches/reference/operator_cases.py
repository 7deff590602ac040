# SPDX-License-Identifier: Apache-2.0
"""One operator of the numpy reference at a time, for its tests."""
import numpy as np

from integer_operators import Node
from numpy_executor import ALL_OPERATORS
from quantised_values import Quantised


def apply(operator, *values, **attributes):
    """Runs one operator on values."""
    return ALL_OPERATORS[operator](Node(operator, "under_test", (), ("y",), attributes), list(values))


def quantised(codes, scale=1.0, zero=0, integer=np.uint8):
    """A tensor with one scale."""
    return Quantised(np.array(codes, integer), np.float64(scale), np.int64(zero))


def rounded(value, scale=1.0, zero=0, integer=np.uint8):
    """The codes that a QuantizeLinear makes of any value, as nested lists."""
    return apply("QuantizeLinear", value, np.array(scale, np.float32), np.array(zero, integer)).tolist()
