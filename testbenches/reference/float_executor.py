# SPDX-License-Identifier: Apache-2.0
"""Runs a float ONNX model in numpy: the independent judge of mho's float reference. Only the operators of a residual network as PyTorch exports it,
without folding or fusing anything; images are [N, C, H, W]."""
import numpy as np
import onnx
from onnx import numpy_helper


def windows_of(x, kernel, strides, pads):
    """All windows of [N, C, H, W] as [N, rows, columns, C, kernel height, kernel width]."""
    padded = np.pad(x, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))
    return views[:, :, ::strides[0], ::strides[1]].transpose(0, 2, 3, 1, 4, 5)


def conv(attributes, x, weight, bias=None):
    if attributes.get("group", 1) != 1 or any(d != 1 for d in attributes.get("dilations", [1, 1])):
        raise ValueError("groups and dilation are not defined here")
    windows = windows_of(x, weight.shape[2:], attributes["strides"], attributes["pads"])
    sums = windows.reshape(*windows.shape[:3], -1) @ weight.reshape(len(weight), -1).T
    return (sums if bias is None else sums + bias).transpose(0, 3, 1, 2)


def batch_normalization(attributes, x, gain, offset, mean, variance):
    factor = gain / np.sqrt(variance + attributes.get("epsilon", 1e-5))
    return x * factor[:, None, None] + (offset - mean * factor)[:, None, None]


def gemm(attributes, a, b, c):
    if attributes.get("transA", 0) or attributes.get("alpha", 1) != 1 or attributes.get("beta", 1) != 1:
        raise ValueError("only a product with its second operand transposed or not")
    return a @ (b.T if attributes.get("transB", 0) else b) + c


OPERATORS = {
    "Conv": conv,
    "BatchNormalization": batch_normalization,
    "Gemm": gemm,
    "Relu": lambda attributes, x: np.maximum(x, 0),
    "Add": lambda attributes, a, b: a + b,
    "Identity": lambda attributes, x: x,
    "ReduceMean": lambda attributes, x: x.mean(axis=tuple(attributes["axes"]), keepdims=bool(attributes.get("keepdims", 1))),
}


class FloatModel:
    """A parsed model with one input and one output."""

    def __init__(self, path):
        self.graph = onnx.load(str(path)).graph
        self.constants = {constant.name: numpy_helper.to_array(constant) for constant in self.graph.initializer}

    def run(self, images):
        """The output for float32 images."""
        values = {**self.constants, self.graph.input[0].name: images}
        for node in self.graph.node:
            attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
            values[node.output[0]] = OPERATORS[node.op_type](attributes, *[values[name] for name in node.input])
        return values[self.graph.output[0].name]
