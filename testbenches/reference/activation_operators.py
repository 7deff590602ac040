# SPDX-License-Identifier: Apache-2.0
"""Operators between products for the numpy reference: functions, normalisation, softmax, and those that move numbers about.

Real values are float64; nothing is rounded before the next QuantizeLinear. What only moves numbers leaves codes as they are. Attention is no
operator here: models spell it out in Reshape, Transpose, MatMul and Softmax.
"""
import math

import numpy as np

from integer_operators import moved, optional, summands, with_shape
from quantised_values import Quantised, UnsupportedModel, real_of


# --- functions of one number -------------------------------------------------------------------------------------------------

def real_function(function):
    """An operator that applies `function` to every real value."""
    return lambda node, values: function(real_of(values[0], node))


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def erf(x):
    """numpy has none; activations have few different values."""
    different, places = np.unique(x, return_inverse=True)
    return np.array([math.erf(value) for value in different])[places].reshape(x.shape)


def gelu(x):
    return 0.5 * x * (1.0 + erf(x / np.sqrt(2.0)))


def hard_swish(x):
    return x * np.clip(x / 6.0 + 0.5, 0.0, 1.0)


def hard_sigmoid(node, values):
    """A slope of 1/6 is meant as it is, though a file holds the float next to it: PyTorch's relu6(x + 3) / 6, and HardSwish is defined by it."""
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    alpha = 1 / 6 if np.float32(alpha) == np.float32(1 / 6) else alpha
    return np.clip(alpha * real_of(values[0], node) + beta, 0.0, 1.0)


def leaky_relu(node, values):
    x = real_of(values[0], node)
    return np.where(x >= 0, x, node.attributes.get("alpha", 0.01) * x)


def real_pair(function):
    """An operator on two real values that broadcast."""
    return lambda node, values: function(real_of(values[0], node), real_of(values[1], node))


# --- over an axis ------------------------------------------------------------------------------------------------------------

def softmax(node, values):
    x, axis = real_of(values[0], node), node.attributes.get("axis", -1)
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def layer_normalization(node, values):
    """Mean and population variance over `axis` and all axes behind it."""
    x, gain, offset = real_of(values[0], node), real_of(values[1], node), optional(values, 2)
    axes = tuple(range(node.attributes.get("axis", -1) % x.ndim, x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = (centred * centred).mean(axis=axes, keepdims=True)
    result = centred / np.sqrt(variance + node.attributes.get("epsilon", 1e-5)) * gain
    return result if offset is None else result + real_of(offset, node)


def batch_normalization(node, values):
    """gain * (x - mean) / sqrt(variance + epsilon) + offset along axis 1."""
    node.require("training_mode", 0)
    x = real_of(values[0], node)
    gain, offset, mean, variance = (real_of(value, node).reshape([-1] + [1] * (x.ndim - 2)) for value in values[1:5])
    return (x - mean) / np.sqrt(variance + node.attributes.get("epsilon", 1e-5)) * gain + offset


def reduce_mean(node, values):
    """(sum of (q - zero)) * scale / count, as an average pool."""
    numbers, scale = summands(node, values[0])
    axes = tuple(node.attributes.get("axes", range(numbers.ndim)))
    count = np.prod([numbers.shape[axis] for axis in axes])
    return numbers.sum(axis=axes, keepdims=bool(node.attributes.get("keepdims", 1))) * scale / count


# --- numbers that move -------------------------------------------------------------------------------------------------------

def transpose(node, values):
    return moved(node, values[0], lambda x: x.transpose(node.attributes.get("perm", range(x.ndim)[::-1])))


def gather(node, values):
    return moved(node, values[0], lambda x: np.take(x, values[1], axis=node.attributes.get("axis", 0)))


def slice_of(node, values):
    starts, ends = values[1], values[2]
    axes = range(len(starts)) if optional(values, 3) is None else values[3].tolist()
    steps = np.ones_like(starts) if optional(values, 4) is None else values[4]

    def cut(x):
        parts = [slice(None)] * x.ndim
        for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes, steps.tolist()):
            parts[axis] = slice(start, None if step < 0 and end < -x.shape[axis] else end, step)
        return x[tuple(parts)]
    return moved(node, values[0], cut)


def split(node, values):
    """A list: one value an output, of the lengths given or of equal ones."""
    axis, lengths = node.attributes.get("axis", 0), optional(values, 1)
    codes = values[0].codes if isinstance(values[0], Quantised) else values[0]
    if lengths is None:
        each = -(-codes.shape[axis] // len(node.outputs))
        lengths = [each] * (len(node.outputs) - 1)
    ends = np.cumsum(lengths)[:len(node.outputs) - 1]
    starts = [0, *ends]
    ends = [*ends, codes.shape[axis]]
    return [moved(node, values[0], lambda x, i=i: np.take(x, range(starts[i], ends[i]), axis=axis)) for i in range(len(starts))]


def pad(node, values):
    """With a constant; of codes only with the value 0, which is the zero point."""
    node.require("mode", "constant")
    value, pads, constant = values[0], values[1].tolist(), optional(values, 2)
    constant = 0.0 if constant is None else float(real_of(constant, node))
    frame = list(zip(pads[:len(pads) // 2], pads[len(pads) // 2:]))
    if not isinstance(value, Quantised):
        return np.pad(real_of(value, node), frame, constant_values=constant)
    if constant != 0.0:
        raise UnsupportedModel(f"{node}: padding with {constant} is not supported (only 0)")
    return moved(node, value, lambda x: np.pad(x, frame, constant_values=int(value.zero)))


def squeeze(node, values):
    axes = optional(values, 1)

    def shape_without(shape):
        gone = [i for i, length in enumerate(shape) if length == 1] if axes is None else [int(a) % len(shape) for a in axes]
        return [length for i, length in enumerate(shape) if i not in gone]
    return with_shape(node, values[0], shape_without)


def unsqueeze(node, values):
    return moved(node, values[0], lambda x: np.expand_dims(x, tuple(values[1].tolist())))


ACTIVATION_OPERATORS = {
    "BatchNormalization": batch_normalization, "Div": real_pair(np.divide), "Erf": real_function(erf), "Exp": real_function(np.exp),
    "Gather": gather, "Gelu": real_function(gelu), "HardSigmoid": hard_sigmoid, "HardSwish": real_function(hard_swish),
    "LayerNormalization": layer_normalization, "LeakyRelu": leaky_relu, "Pad": pad, "Pow": real_pair(np.power), "ReduceMean": reduce_mean,
    "Sigmoid": real_function(sigmoid), "Slice": slice_of, "Softmax": softmax, "Split": split, "Sqrt": real_function(np.sqrt), "Squeeze": squeeze,
    "Sub": real_pair(np.subtract), "Tanh": real_function(np.tanh), "Transpose": transpose, "Unsqueeze": unsqueeze,
}
