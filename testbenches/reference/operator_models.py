# SPDX-License-Identifier: Apache-2.0
"""Quantised ONNX models of every operator, small and with seeded numbers, spelled out as exporters spell them: attention in Reshape, Transpose,
MatMul and Softmax, squeeze and excitation behind a global pool, split and shuffled channels. Every value passes a QuantizeLinear.
"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


class ModelBuilder:
    """Adds an operator and the QuantizeLinear and DequantizeLinear behind it; values are named by numbers."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants, self.inputs = [], [], []
        self.digital_macs = 0  # products of two activations

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def operator(self, kind, *inputs, **attributes):
        """Not quantised yet."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=f"{kind}_{name}", **attributes))
        return name

    def dequantised(self, codes, scale, zero):
        return self.operator("DequantizeLinear", codes, self.constant(np.float32(scale)), self.constant(zero))

    def quantised(self, value, scale, zero=0, integer=np.int8):
        """Codes and back to reals; a name ending in Linear is what the graph may put out."""
        zero = integer(zero)
        codes = self.operator("QuantizeLinear", value, self.constant(np.float32(scale)), self.constant(zero))
        return self.dequantised(codes, scale, zero)

    def input(self, shape, scale, zero=0, integer=np.int8):
        name = f"x{len(self.inputs)}"
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(integer)) if hasattr(helper, "np_dtype_to_tensor_dtype") else (
            TensorProto.INT8 if integer is np.int8 else TensorProto.UINT8)
        self.inputs.append((name, ["N", *shape], kind, integer))
        return self.dequantised(name, scale, integer(zero))

    def weight(self, shape, axis):
        """int8 with a scale along `axis`, and a bias of input scale 1 to be scaled by the caller."""
        scales = self.random.uniform(0.004, 0.01, shape[axis]).astype(np.float32)
        codes = np.clip(np.rint(self.random.normal(0, 40, shape)), -127, 127).astype(np.int8)
        name = self.operator("DequantizeLinear", self.constant(codes), self.constant(scales), self.constant(np.zeros_like(scales, np.int8)), axis=axis)
        return name, scales

    def bias(self, scales, input_scale):
        codes = self.random.integers(-500, 500, len(scales)).astype(np.int32)
        scale = (np.float64(scales) * np.float64(np.float32(input_scale))).astype(np.float32)
        return self.operator("DequantizeLinear", self.constant(codes), self.constant(scale), self.constant(np.zeros(len(scales), np.int32)), axis=0)

    def project(self, x, channels, filters, input_scale, scale=0.05, zero=0):
        """A MatMul and its bias at every position."""
        weight, scales = self.weight([channels, filters], 1)
        product = self.operator("Add", self.operator("MatMul", x, weight), self.bias(scales, input_scale))
        return self.quantised(product, scale, zero)

    def convolve(self, x, channels, filters, input_scale, scale=0.05, zero=0, kernel=1):
        weight, scales = self.weight([filters, channels, kernel, kernel], 0)
        product = self.operator("Conv", x, weight, self.bias(scales, input_scale), kernel_shape=[kernel, kernel], pads=[kernel // 2] * 4)
        return self.quantised(product, scale, zero)

    def model(self, outputs):
        """`outputs`: (value, its shape); what is put out are the codes under it."""
        infos = []
        producers = {node.output[0]: node for node in self.nodes}
        types = {tensor.name: tensor.data_type for tensor in self.constants}
        for value, shape in outputs:
            dequantise = producers[value]
            infos.append(helper.make_tensor_value_info(dequantise.input[0], types[dequantise.input[2]], ["N", *shape]))
            self.nodes.remove(dequantise)
        inputs = [helper.make_tensor_value_info(name, kind, shape) for name, shape, kind, _ in self.inputs]
        graph = helper.make_graph(self.nodes, "operators", inputs, infos, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    def samples(self, count):
        """Codes over the whole range for every input."""
        return {name: self.random.integers(np.iinfo(integer).min, np.iinfo(integer).max + 1, [count, *shape[1:]]).astype(integer)
                for name, shape, _, integer in self.inputs}


def encoder(seed=1, positions=12, channels=16, heads=4):
    """A transformer's encoder layer: attention, GELU, two layer normalisations."""
    m, each = ModelBuilder(seed), channels // heads
    x = m.input([positions, channels], 0.02, 3)

    def in_heads(value, perm):
        split = m.operator("Reshape", value, m.constant(np.array([0, positions, heads, each])))
        return m.operator("Transpose", split, perm=perm)

    def layer_norm(value):
        gain, offset = m.random.uniform(0.5, 1.5, channels).astype(np.float32), m.random.uniform(-0.5, 0.5, channels).astype(np.float32)
        return m.quantised(m.operator("LayerNormalization", value, m.constant(gain), m.constant(offset), axis=-1, epsilon=1e-5), 0.03, -4)

    queries, keys, values = (m.project(x, channels, channels, 0.02, 0.04, zero) for zero in (0, 5, -7))
    scores = m.operator("MatMul", in_heads(queries, [0, 2, 1, 3]), in_heads(keys, [0, 2, 3, 1]))
    weights = m.quantised(m.operator("Softmax", m.quantised(scores, 0.06, 9), axis=-1), 1 / 256, 0, np.uint8)
    m.digital_macs = 2 * positions * positions * channels
    context = m.operator("Transpose", m.operator("MatMul", weights, in_heads(values, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    joined = m.quantised(m.operator("Reshape", context, m.constant(np.array([0, positions, channels]))), 0.02, 1)
    first = layer_norm(m.quantised(m.operator("Add", m.project(joined, channels, channels, 0.02), x), 0.05, 2))
    wide = m.project(first, channels, 4 * channels, 0.03)
    half = m.operator("Div", wide, m.constant(np.float32(np.sqrt(2))))
    bell = m.operator("Add", m.operator("Erf", half), m.constant(np.float32(1)))
    gelu = m.quantised(m.operator("Mul", m.operator("Mul", wide, bell), m.constant(np.float32(0.5))), 0.03, -100)
    second = layer_norm(m.quantised(m.operator("Add", m.project(gelu, 4 * channels, channels, 0.03), first), 0.07))
    return m, m.model([(second, [positions, channels])])


def gates(seed=2, height=7, width=5, channels=8):
    """Squeeze and excitation, half the channels past a branch and shuffled, frames, functions, batch normalisation."""
    m = ModelBuilder(seed)
    x = m.convolve(m.input([channels, height, width], 0.02, 100, np.uint8), channels, channels, 0.02, 0.06, 3, kernel=3)
    pooled = m.quantised(m.operator("GlobalAveragePool", x), 0.02)
    factors = m.operator("HardSigmoid", m.convolve(pooled, channels, channels, 0.02, 0.03), alpha=1 / 6)
    gated = m.quantised(m.operator("Mul", x, m.quantised(factors, 1 / 255, 0, np.uint8)), 0.03, 11)
    left = m.operator("Gather", gated, m.constant(np.arange(channels // 2)), axis=1)
    right = m.operator("Gather", gated, m.constant(np.arange(channels // 2, channels)), axis=1)
    branch = m.convolve(right, channels // 2, channels // 2, 0.03, 0.05)
    joined = m.quantised(m.operator("Concat", left, m.quantised(m.operator("HardSwish", branch), 0.05), axis=1), 0.04, -3)
    order = np.arange(channels).reshape(2, -1).T.reshape(-1)
    shuffled = m.operator("Gather", joined, m.constant(order), axis=1)
    framed = m.operator("Pad", shuffled, m.constant(np.array([0, 0, 1, 2, 0, 0, 0, 1])))
    gain, offset = m.random.uniform(-1, 2, (channels, 1, 1)).astype(np.float32), m.random.uniform(-1, 1, (channels, 1, 1)).astype(np.float32)
    scaled = m.quantised(m.operator("Add", m.operator("Mul", framed, m.constant(gain)), m.constant(offset)), 0.05, 1)
    outputs = [(m.quantised(m.operator(kind, scaled, **attributes), scale, zero), [channels, height + 1, width + 3])
               for kind, attributes, scale, zero in (("Sigmoid", {}, 1 / 127, -1), ("Tanh", {}, 1 / 127, 0), ("LeakyRelu", {"alpha": 0.1}, 0.03, 2))]
    return m, m.model(outputs)
