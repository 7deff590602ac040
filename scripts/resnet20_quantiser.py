# SPDX-License-Identifier: Apache-2.0
"""Turns folded float weights and calibrated ranges into a quantised ONNX model in QDQ form (opset 13, standard domain).

Weights are int8, symmetric, one scale per output channel; biases int32 with scale x_scale * w_scale; activations have one scale a tensor,
uint8 with zero point 0 where the calibrated minimum is not negative, else symmetric int8.
Every operator stands as DequantizeLinear -> operator (-> Relu) -> QuantizeLinear.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from resnet20_layers import CLASSES, IMAGE, LOGITS, parameter_name, resnet20_layers

OPSET, IR_VERSION = 13, 8
INT8_MAX, UINT8_MAX = 127, 255


def activation_scale(low, high):
    """Scale (float32) and integer type of a tensor whose values lie in [low, high]; the zero point is always 0."""
    if low >= 0:
        return np.float32(high / UINT8_MAX), np.uint8
    return np.float32(max(-low, high) / INT8_MAX), np.int8


def quantise_weight(weight):
    """int8 codes in [-127, 127] and one float32 scale per output channel (axis 0)."""
    largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1).astype(np.float64)
    scale = np.where(largest > 0, largest / INT8_MAX, 1.0).astype(np.float32)
    per_channel = scale.astype(np.float64).reshape(-1, *[1] * (weight.ndim - 1))
    return np.clip(np.rint(weight / per_channel), -INT8_MAX, INT8_MAX).astype(np.int8), scale


class GraphWriter:
    """Collects nodes and initialisers of the quantised graph, layer by layer."""

    def __init__(self, parameters, ranges):
        self.parameters = parameters
        self.activations = {name: activation_scale(*bounds) for name, bounds in ranges.items()}
        self.activations[IMAGE] = (np.float32(1 / 255), np.uint8)
        self.nodes, self.constants = [], []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def scale_and_zero(self, tensor):
        """Names of the scale and zero point initialisers of an activation, made at their first use."""
        names = [f"{tensor}.scale", f"{tensor}.zero_point"]
        if not any(constant.name == names[0] for constant in self.constants):
            scale, integer = self.activations[tensor]
            self.constant(names[0], np.array(scale, np.float32))
            self.constant(names[1], np.array(0, integer))
        return names

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{output}.{operator}", **attributes))
        return output

    def dequantised(self, tensor, reader):
        """Each reader has a DequantizeLinear of its own, which keeps the pattern of every operator local."""
        return self.node("DequantizeLinear", [tensor, *self.scale_and_zero(tensor)], f"{reader}.from.{tensor}")

    def quantised(self, value, tensor):
        return self.node("QuantizeLinear", [value, *self.scale_and_zero(tensor)], tensor)

    def dequantised_parameter(self, name, codes, scale):
        self.constant(name, codes)
        self.constant(f"{name}.scale", scale)
        self.constant(f"{name}.zero_point", np.zeros(len(scale), codes.dtype))
        return self.node("DequantizeLinear", [name, f"{name}.scale", f"{name}.zero_point"], f"{name}.value", axis=0)

    def weight_and_bias(self, layer):
        """Dequantised weight and bias; the bias takes the scale of the accumulator, x_scale * w_scale in float32."""
        prefix = parameter_name(layer)
        codes, scale = quantise_weight(self.parameters[f"{prefix}.weight"])
        bias_scale = self.activations[layer.inputs[0]][0] * scale
        bias = np.rint(self.parameters[f"{prefix}.bias"] / bias_scale.astype(np.float64)).astype(np.int32)
        return [self.dequantised_parameter(f"{prefix}.weight", codes, scale),
                self.dequantised_parameter(f"{prefix}.bias", bias, bias_scale)]

    def conv(self, layer, sources):
        return self.node("Conv", sources + self.weight_and_bias(layer), f"{layer.name}.sum", kernel_shape=[layer.kernel] * 2,
                         strides=[layer.stride] * 2, pads=[layer.pad] * 4)

    def linear(self, layer, sources):
        return self.node("Gemm", sources + self.weight_and_bias(layer), f"{layer.name}.sum", transB=1)

    def add(self, layer, sources):
        return self.node("Add", sources, f"{layer.name}.sum")

    def average(self, layer, sources):
        """The pooled tensor is [N, 64, 1, 1]; Flatten keeps the codes and has the same scale on both sides."""
        pooled = f"{layer.name}.pixel"
        self.activations[pooled] = self.activations[layer.name]
        self.quantised(self.node("GlobalAveragePool", sources, f"{layer.name}.mean"), pooled)
        return self.node("Flatten", [self.dequantised(pooled, layer.name)], f"{layer.name}.flat", axis=1)

    def layer(self, layer):
        sources = [self.dequantised(source, layer.name) for source in layer.inputs]
        value = getattr(self, layer.kind)(layer, sources)
        if layer.relu:
            value = self.node("Relu", [value], f"{layer.name}.relu")
        self.quantised(value, layer.name)


def quantised_model(parameters, ranges):
    """The checked ONNX model: `image` uint8 [N, 3, 32, 32] to `logits` int8 [N, 12]."""
    writer = GraphWriter(parameters, ranges)
    for layer in resnet20_layers():
        writer.layer(layer)
    graph = helper.make_graph(
        writer.nodes, "resnet20_shapes",
        [helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, ["N", 3, 32, 32])],
        [helper.make_tensor_value_info(LOGITS, TensorProto.INT8, ["N", CLASSES])], writer.constants)
    model = helper.make_model(graph, producer_name="mho scripts/resnet20_shapes.py",
                              opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model
