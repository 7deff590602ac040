# SPDX-License-Identifier: Apache-2.0
"""What a tensor can be between two nodes of a quantised graph, and the rounding rules from one kind to the next.

The numbers of the graph are integers; real numbers only describe them. So a DequantizeLinear computes nothing here: it yields a `Quantised`,
an operator that sums products yields an `Accumulator`, most others a float64 array, and the QuantizeLinear that follows rounds once.
Scales are float32 in the model and float64 from then on.
"""
from typing import NamedTuple

import numpy as np


class UnsupportedModel(Exception):
    """The model (or an input) is outside what the reference defines; the text is one line for the user."""


class Quantised(NamedTuple):
    """Stands for (codes - zero) * scale."""
    codes: np.ndarray   # uint8, int8, int32, any shape
    scale: np.ndarray   # float64, one number or shaped to broadcast along one axis of `codes`
    zero: np.ndarray    # int64, like `scale`


class Accumulator(NamedTuple):
    """Stands for clip(sums * scale, low, high): the exact result of integer products, not yet rounded to codes."""
    sums: np.ndarray    # float64 holding integers, exact below 2**53
    scale: np.ndarray   # float64 x_scale * w_scale, broadcasts along `sums`
    low: float = -np.inf    # real bounds that a Relu or Clip has set
    high: float = np.inf

    def bounded(self, low, high):
        """The same sums behind one more Clip(low, high)."""
        return self._replace(low=min(max(self.low, low), high), high=min(max(self.high, low), high))


def integers_of(value):
    """codes - zero of a Quantised, as float64 so that matrix products use BLAS; still integers."""
    return value.codes.astype(np.float64) - value.zero


def refuse_sums(value, reader):
    """Sums that were never rounded to codes have no defined meaning for any reader but Relu, Clip and QuantizeLinear."""
    if isinstance(value, Accumulator):
        raise UnsupportedModel(f"{reader}: reads the sums of a Conv, Gemm or MatMul directly (a QuantizeLinear must stand between)")


def real_of(value, reader):
    """The float64 value of a Quantised, or of an array that is real already; `reader` names the node for the message."""
    refuse_sums(value, reader)
    return integers_of(value) * value.scale if isinstance(value, Quantised) else value.astype(np.float64)


def bound_code(bound, scale, zero, type_limit):
    """A real bound as a code: rint(bound / scale) + zero, and the limit of the type where there is no bound."""
    return np.rint(bound / scale) + zero if np.isfinite(bound) else np.float64(type_limit)


def quantise_accumulator(value, scale, zero, integer):
    """clip(rint(sums * (x_scale * w_scale / y_scale)) + y_zero), ties to even, between the bounds of Relu or Clip.

    The bound of a Relu is max(type minimum, y_zero), since rint(0 / y_scale) + y_zero = y_zero.
    """
    limits = np.iinfo(integer)
    codes = np.rint(value.sums * (value.scale / scale)) + zero
    codes = np.clip(codes, bound_code(value.low, scale, zero, limits.min), bound_code(value.high, scale, zero, limits.max))
    return np.clip(codes, limits.min, limits.max).astype(integer)


def quantise_real(value, scale, zero, integer):
    """clip(rint(value / y_scale) + y_zero), ties to even."""
    limits = np.iinfo(integer)
    return np.clip(np.rint(value / scale) + zero, limits.min, limits.max).astype(integer)
