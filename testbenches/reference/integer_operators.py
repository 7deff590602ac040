# SPDX-License-Identifier: Apache-2.0
"""The operators of the numpy reference, one small function each: (node, values of its inputs) -> value of its output.

A further operator is one more function and one more line in OPERATORS. Values are the kinds of quantised_values.py, or plain arrays as stored in the model.
Images are [N, C, H, W]; only two-dimensional convolution and pooling are defined.
"""
from typing import NamedTuple, Tuple

import numpy as np

from quantised_values import Accumulator, Quantised, UnsupportedModel, integers_of, quantise_accumulator, quantise_real, real_of, refuse_sums


class Node(NamedTuple):
    """One node of the graph; an input left out has the name ''."""
    operator: str
    name: str
    inputs: Tuple[str, ...]
    outputs: Tuple[str, ...]
    attributes: dict

    def __str__(self):
        return f"{self.operator} '{self.name or self.outputs[0]}'"

    def require(self, attribute, allowed):
        """Refuses any value of an attribute but the one that is defined here (which is also ONNX's default)."""
        value = self.attributes.get(attribute, allowed)
        if value != allowed:
            raise UnsupportedModel(f"{self}: {attribute} = {value} is not supported (only {allowed})")


def optional(values, index):
    """An input that may be left out."""
    return values[index] if index < len(values) else None


# --- quantise and dequantise ------------------------------------------------------------------------------------------------

def along_axis(parameter, axis, rank):
    """A scale or zero point per channel, shaped [1, .., C, .., 1] so that it broadcasts along `axis`; a single one as it is."""
    if parameter.size == 1:
        return parameter.reshape(())
    return parameter.reshape([-1 if index == axis % rank else 1 for index in range(rank)])


def scale_and_zero(node, scale, zero, rank):
    """Scale (float64) and zero point (int64, 0 where left out), ready to broadcast."""
    zero = np.zeros(1) if zero is None else zero
    axis = node.attributes.get("axis", 1)
    return along_axis(scale.astype(np.float64), axis, rank), along_axis(zero.astype(np.int64), axis, rank)


def dequantize_linear(node, values):
    codes = values[0]
    return Quantised(codes, *scale_and_zero(node, values[1], optional(values, 2), codes.ndim))


def quantize_linear(node, values):
    value, zero = values[0], optional(values, 2)
    integer = np.dtype(np.uint8) if zero is None else zero.dtype
    if isinstance(value, Accumulator):
        return quantise_accumulator(value, *scale_and_zero(node, values[1], zero, value.sums.ndim), integer)
    value = real_of(value, node)
    return quantise_real(value, *scale_and_zero(node, values[1], zero, value.ndim), integer)


# --- sums of products -------------------------------------------------------------------------------------------------------

def require_quantised(node, what, value):
    if not isinstance(value, Quantised):
        raise UnsupportedModel(f"{node}: {what} is not quantised (it must come from a DequantizeLinear)")


def output_scale(node, weight, axis):
    """The weight's scale as a vector along its output `axis`, or one number."""
    if weight.scale.size == 1:
        return weight.scale.reshape(())
    if weight.scale.shape[axis] != weight.scale.size:
        raise UnsupportedModel(f"{node}: the weight has a scale along another axis than its outputs")
    return weight.scale.reshape(-1)


def integer_bias(node, bias, scale):
    """Codes of an int32 bias whose scale is x_scale * w_scale (up to the rounding of a float32)."""
    require_quantised(node, "the bias", bias)
    if not np.allclose(bias.scale.reshape(-1), scale, rtol=1e-5, atol=0):
        raise UnsupportedModel(f"{node}: the scale of the bias is not x_scale * w_scale")
    return integers_of(bias)


def per_tensor_scale(node, value):
    if value.scale.size != 1:
        raise UnsupportedModel(f"{node}: the input has a scale per channel (only one per tensor is supported)")
    return value.scale.reshape(())


def conv(node, values):
    x, weight, bias = values[0], values[1], optional(values, 2)
    require_quantised(node, "the input", x)
    require_quantised(node, "the weight", weight)
    if weight.codes.ndim != 4:
        raise UnsupportedModel(f"{node}: a weight of rank {weight.codes.ndim} is not supported (only 4: [out, in, height, width])")
    scale = per_tensor_scale(node, x) * output_scale(node, weight, axis=0)
    sums = convolve(node, integers_of(x), integers_of(weight))
    if bias is not None:
        sums = sums + integer_bias(node, bias, scale).reshape(-1, 1, 1)
    return Accumulator(sums, scale.reshape(-1, 1, 1))


def convolve(node, x, weight):
    """x [N, I, H, W] and weight [O, I/G, h, w], both integers -> sums [N, O, H', W']; a padded pixel has the code x_zero, so x - x_zero = 0."""
    groups = node.attributes.get("group", 1)
    outputs, inputs, height, width = weight.shape
    view = windows(node, x, (height, width), fill=0)
    batch, out_height, out_width = view.shape[0], view.shape[2], view.shape[3]
    columns = view.transpose(0, 1, 4, 5, 2, 3).reshape(batch, groups, inputs * height * width, out_height * out_width)
    sums = weight.reshape(groups, outputs // groups, inputs * height * width) @ columns
    return sums.reshape(batch, outputs, out_height, out_width)


def gemm(node, values):
    a, b, bias = values[0], values[1], optional(values, 2)
    for attribute, allowed in (("alpha", 1.0), ("beta", 1.0), ("transA", 0)):
        node.require(attribute, allowed)
    require_quantised(node, "the input", a)
    require_quantised(node, "the weight", b)
    transposed = node.attributes.get("transB", 0)
    scale = per_tensor_scale(node, a) * output_scale(node, b, axis=0 if transposed else 1)
    weight = integers_of(b).T if transposed else integers_of(b)
    sums = integers_of(a) @ weight
    if bias is not None:
        sums = sums + integer_bias(node, bias, scale)
    return Accumulator(sums, scale)


def matmul(node, values):
    a, b = values
    require_quantised(node, "the first input", a)
    require_quantised(node, "the second input", b)
    scale = per_tensor_scale(node, a) * output_scale(node, b, axis=-1)
    return Accumulator(integers_of(a) @ integers_of(b), scale)


def parameter_of(codes, scale, zero, axis=0):
    """Codes, scale and zero point of a QLinear node's operand."""
    return Quantised(codes, along_axis(scale.astype(np.float64), axis, codes.ndim), along_axis(zero.astype(np.int64), axis, codes.ndim))


def qlinear_conv(node, values):
    """Inputs x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias (int32 codes of scale x_scale * w_scale)."""
    x, weight, bias = parameter_of(*values[:3]), parameter_of(*values[3:6]), optional(values, 8)
    y_scale, y_zero = values[6].astype(np.float64), values[7]
    value = conv(node, [x, weight])
    if bias is not None:
        value = value._replace(sums=value.sums + bias.reshape(-1, 1, 1))
    return quantise_accumulator(value, y_scale, y_zero.astype(np.int64), y_zero.dtype)


def qlinear_matmul(node, values):
    """Inputs a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero."""
    a, b = parameter_of(*values[:3]), parameter_of(*values[3:6], axis=-1)
    y_scale, y_zero = values[6].astype(np.float64), values[7]
    return quantise_accumulator(matmul(node, [a, b]), y_scale, y_zero.astype(np.int64), y_zero.dtype)


# --- windows ----------------------------------------------------------------------------------------------------------------

def window_geometry(node, kernel):
    """Strides, dilations and pads (top, left, bottom, right) of a Conv or pool over two axes."""
    attributes = node.attributes
    node.require("auto_pad", "NOTSET")
    if list(attributes.get("kernel_shape", kernel)) != list(kernel) or len(kernel) != 2:
        raise UnsupportedModel(f"{node}: kernel_shape {attributes.get('kernel_shape')} is not supported (two axes, those of the weight)")
    return attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1]), attributes.get("pads", [0] * 4)


def positions(length, span, stride, ceil):
    """How many windows fit along one axis; `length` is (input, padding before, padding after).

    With ceil_mode a last window may reach beyond the padding, but it starts inside the input or the padding before it (as in PyTorch).
    """
    room = sum(length) - span
    if not ceil:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= length[0] + length[1] else count


def windows(node, x, kernel, fill, beyond=None):
    """A view [N, C, H', W', h, w] of all windows over x [N, C, H, W], padded with `fill`.

    Where ceil_mode makes a window reach beyond the padding it sees `beyond` (default: `fill`).
    """
    strides, dilations, pads = window_geometry(node, kernel)
    spans, counts, excess = [], [], []
    for axis in range(2):
        lengths = (x.shape[2 + axis], pads[axis], pads[2 + axis])
        spans.append((kernel[axis] - 1) * dilations[axis] + 1)
        counts.append(positions(lengths, spans[axis], strides[axis], node.attributes.get("ceil_mode", 0)))
        excess.append(max(0, (counts[axis] - 1) * strides[axis] + spans[axis] - sum(lengths)))
    padded = np.pad(x, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])], constant_values=fill)
    padded = np.pad(padded, [(0, 0), (0, 0), (0, excess[0]), (0, excess[1])], constant_values=fill if beyond is None else beyond)
    view = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=(2, 3))
    return view[:, :, ::strides[0], ::strides[1], ::dilations[0], ::dilations[1]][:, :, :counts[0], :counts[1]]


def max_pool(node, values):
    """Works on codes: the order of codes is the order of values, so scale and zero point stay."""
    x, kernel = values[0], node.attributes["kernel_shape"]
    node.require("storage_order", 0)
    refuse_sums(x, node)
    if isinstance(x, Quantised):
        per_tensor_scale(node, x)
        return x._replace(codes=max_pool(node, [x.codes]))
    lowest = np.iinfo(x.dtype).min if np.issubdtype(x.dtype, np.integer) else -np.inf
    return windows(node, x, kernel, fill=lowest).max(axis=(4, 5))


def window_counts(node, shape, kernel):
    """How many numbers each average is over, [H', W']: without padding unless count_include_pad; never what lies beyond the padding."""
    inside = windows(node, np.ones((1, 1, *shape)), kernel, fill=node.attributes.get("count_include_pad", 0), beyond=0)
    return inside.sum(axis=(4, 5))[0, 0]


def average_pool(node, values):
    """(sum of (q - zero)) * scale / count."""
    x, kernel = values[0], node.attributes["kernel_shape"]
    numbers, scale = summands(node, x)
    return windows(node, numbers, kernel, fill=0).sum(axis=(4, 5)) * scale / window_counts(node, numbers.shape[2:], kernel)


def global_average_pool(node, values):
    numbers, scale = summands(node, values[0])
    return numbers.sum(axis=(2, 3), keepdims=True) * scale / (numbers.shape[2] * numbers.shape[3])


def summands(node, value):
    """What an average adds up: integers and their scale, or real values and 1."""
    if isinstance(value, Quantised):
        return integers_of(value), per_tensor_scale(node, value)
    return real_of(value, node), np.float64(1)


# --- element by element -----------------------------------------------------------------------------------------------------

def add(node, values):
    """Reals; or the int32 bias of the sums of a MatMul, which has no place for one."""
    sums = [value for value in values if isinstance(value, Accumulator)]
    if len(sums) == 1:
        bias = values[1] if values[0] is sums[0] else values[0]
        if not isinstance(bias, Quantised) or bias.codes.dtype != np.int32:
            refuse_sums(sums[0], node)
        return sums[0]._replace(sums=sums[0].sums + integer_bias(node, bias, sums[0].scale))
    return real_of(values[0], node) + real_of(values[1], node)


def mul(node, values):
    return real_of(values[0], node) * real_of(values[1], node)


def concat(node, values):
    return np.concatenate([real_of(value, node) for value in values], axis=node.attributes["axis"])


def clip_between(node, value, low, high):
    """Sums keep their bounds until they are rounded; anything else is clipped as a real value."""
    if isinstance(value, Accumulator):
        return value.bounded(low, high)
    return np.clip(real_of(value, node), low, high)


def relu(node, values):
    return clip_between(node, values[0], 0.0, np.inf)


def clip(node, values):
    """Bounds are inputs since opset 11 and were attributes before."""
    bounds = []
    for index, (attribute, default) in enumerate((("min", -np.inf), ("max", np.inf)), start=1):
        bound = optional(values, index)
        bounds.append(float(node.attributes.get(attribute, default) if bound is None else real_of(bound, node)))
    return clip_between(node, values[0], *bounds)


# --- shapes -----------------------------------------------------------------------------------------------------------------

def with_shape(node, value, new_shape):
    """Gives any kind of value the shape that `new_shape` makes of the old one; the numbers stay in order."""
    return moved(node, value, lambda x: x.reshape(new_shape(x.shape)))


def moved(node, value, move):
    """`move` applied to codes or sums of one scale, or to an array as it is."""
    if isinstance(value, Quantised):
        per_tensor_scale(node, value)
        return value._replace(codes=move(value.codes))
    if isinstance(value, Accumulator):
        if np.size(value.scale) != 1:
            refuse_sums(value, node)
        return value._replace(sums=move(value.sums), scale=np.reshape(value.scale, ()))
    return move(value)


def flatten(node, values):
    axis = node.attributes.get("axis", 1)
    return with_shape(node, values[0], lambda shape: (int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))))


def reshape(node, values):
    """A length of 0 keeps the old one, -1 takes what is left."""
    node.require("allowzero", 0)
    target = values[1].tolist()
    return with_shape(node, values[0], lambda shape: [shape[i] if length == 0 else length for i, length in enumerate(target)])


def identity(node, values):
    del node
    return values[0]


OPERATORS = {
    "Add": add, "AveragePool": average_pool, "Clip": clip, "Concat": concat, "Conv": conv, "DequantizeLinear": dequantize_linear,
    "Flatten": flatten, "Gemm": gemm, "GlobalAveragePool": global_average_pool, "Identity": identity, "MatMul": matmul,
    "MaxPool": max_pool, "Mul": mul, "QLinearConv": qlinear_conv, "QLinearMatMul": qlinear_matmul, "QuantizeLinear": quantize_linear,
    "Relu": relu, "Reshape": reshape,
}
