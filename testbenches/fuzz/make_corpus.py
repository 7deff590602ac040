#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz target: small models that between them have every form the reader knows. Models that
PyTorch exported (testbenches/models/dnn/onnx/torch_models) are further seeds."""
import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(1)


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype=kind), name)


def real(name, *shape):
    return constant(name, RANDOM.normal(size=shape) * 0.3)


def codes(name, *shape):
    return constant(name, RANDOM.integers(-128, 128, size=shape), np.int8)


def model(name, nodes, initialisers, inputs, outputs, opset=13):
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs],
        [helper.make_tensor_value_info(n, t, s) for n, t, s in outputs], initialisers)
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)])


IMAGE = [("x", TensorProto.FLOAT, ["N", 3, 6, 6])]
NODE = helper.make_node


def single(op, name=None, inputs=(), opset=13, **attributes):
    """One float operator between input and output."""
    initialisers = list(inputs)
    node = NODE(op, ["x"] + [i.name for i in initialisers], ["y"], name=op, **attributes)
    return model(name or op.lower(), [node], initialisers, IMAGE, [("y", TensorProto.FLOAT, None)], opset)


def float_models():
    yield single("Conv", inputs=[real("w", 4, 3, 3, 3), real("b", 4)], pads=[1, 1, 1, 1], strides=[2, 2])
    yield single("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    yield single("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    for op in ("GlobalAveragePool", "Relu", "Sigmoid", "HardSwish", "Flatten", "LeakyRelu", "Erf"):
        yield single(op, opset=14)
    yield single("Softmax", axis=1)
    yield single("Clip", inputs=[constant("low", 0.0), constant("high", 6.0)])
    yield single("BatchNormalization", inputs=[real("s", 3), real("o", 3), real("m", 3), constant("v", [1, 2, 3])])
    yield single("LayerNormalization", inputs=[real("s", 6), real("o", 6)], opset=17)
    yield single("Pad", inputs=[constant("pads", [0, 0, 1, 1, 0, 0, 1, 1], np.int64)])
    yield single("Reshape", inputs=[constant("to", [0, -1], np.int64)])
    yield single("Transpose", perm=[0, 2, 3, 1])
    yield single("Slice", inputs=[constant(n, v, np.int64) for n, v in
                                  (("from", [0]), ("end", [2]), ("axes", [1]), ("steps", [1]))])
    yield single("Add", inputs=[real("other", 3, 1, 1)])


def linear(op, source, to, prefix):
    scale, zero = constant(prefix + "_scale", 0.05), constant(prefix + "_zero", 3, np.uint8)
    return NODE(op, [source, scale.name, zero.name], [to]), [scale, zero]


def qdq_model():
    nodes, initialisers = [], [codes("w", 4, 3, 3, 3), constant("w_scale", [0.01] * 4), constant("w_zero", [0] * 4, np.int8)]
    for op, source, to, prefix in (("QuantizeLinear", "x", "xq", "x"), ("DequantizeLinear", "xq", "xd", "x")):
        node, constants = linear(op, source, to, prefix)
        nodes.append(node)
        initialisers += constants if op == "QuantizeLinear" else []
    nodes += [NODE("DequantizeLinear", ["w", "w_scale", "w_zero"], ["wd"], axis=0),
              NODE("Conv", ["xd", "wd"], ["c"], pads=[1, 1, 1, 1]), NODE("Relu", ["c"], ["r"])]
    node, constants = linear("QuantizeLinear", "r", "yq", "y")
    nodes += [node, linear("DequantizeLinear", "yq", "y", "y")[0]]
    return model("qdq", nodes, initialisers + constants, IMAGE, [("y", TensorProto.FLOAT, None)])


def qlinear_model():
    """QLinearConv and QLinearMatMul, and what ONNX Runtime's com.microsoft has between them."""
    initialisers = [constant("s", 0.05), constant("z", 2, np.uint8), constant("ws", 0.01), constant("wz", 0, np.int8),
                    codes("w", 3, 3, 3, 3), codes("v", 6, 5), codes("g", 5, 4),
                    constant("bias", [1, -2, 3, 4], np.int32)]
    pair, weight = ["s", "z"], ["ws", "wz"]

    def fused(op, inputs, output, **attributes):
        return NODE(op, inputs, [output], domain="com.microsoft", **attributes)

    nodes = [NODE("QuantizeLinear", ["x"] + pair, ["xq"]),
             NODE("QLinearConv", ["xq"] + pair + ["w"] + weight + pair, ["c"], pads=[1, 1, 1, 1]),
             fused("QLinearAdd", ["c"] + pair + ["xq"] + pair + pair, "a"),
             fused("QLinearLeakyRelu", ["a"] + pair + pair, "l", alpha=0.1),
             fused("QLinearSigmoid", ["l"] + pair + pair, "i"),
             fused("QLinearMul", ["l"] + pair + ["i"] + pair + pair, "u"),
             fused("QLinearAveragePool", ["u"] + pair + pair, "h", kernel_shape=[2, 2], strides=[2, 2]),
             fused("QLinearConcat", pair + ["h"] + pair + ["h"] + pair, "t", axis=1),
             fused("QLinearGlobalAveragePool", ["t"] + pair + pair, "p"),
             NODE("Flatten", ["p"], ["f"]), NODE("QLinearMatMul", ["f"] + pair + ["v"] + weight + pair, ["m"]),
             fused("QGemm", ["m"] + pair + ["g"] + weight + ["bias"] + pair, "n"),
             fused("QLinearSoftmax", ["n"] + pair + pair, "e", axis=1, opset=13),
             NODE("DequantizeLinear", ["e"] + pair, ["y"])]
    return model("qlinear", nodes, initialisers, IMAGE, [("y", TensorProto.FLOAT, None)])


def folded_model():
    """Constants computed from constants, and a shape computed from the input's."""
    nodes = [NODE("Equal", ["two", "three"], ["same"]), NODE("Where", ["same", "two", "three"], ["chosen"]),
             NODE("Expand", ["chosen", "shape"], ["wide"]), NODE("Min", ["wide", "two"], ["low"]),
             NODE("Max", ["low", "three"], ["high"]), NODE("Mul", ["x", "high"], ["scaled"]),
             NODE("GlobalAveragePool", ["scaled"], ["p"]), NODE("Shape", ["p"], ["s"]),
             NODE("Gather", ["s", "zero"], ["n"], axis=0), NODE("Unsqueeze", ["n", "first"], ["nn"]),
             NODE("Concat", ["nn", "rest"], ["to"], axis=0), NODE("Reshape", ["p", "to"], ["y"])]
    initialisers = [constant("two", [2.0]), constant("three", [3.0]), constant("shape", [1, 3, 1, 1], np.int64),
                    constant("zero", 0, np.int64), constant("first", [0], np.int64), constant("rest", [-1], np.int64)]
    return model("folded", nodes, initialisers, IMAGE, [("y", TensorProto.FLOAT, None)])


def external_model():
    """Weights in a file beside the model: weights.bin, which the target provides."""
    made = single("Conv", "external", inputs=[real("w", 4, 3, 3, 3)])
    weights = made.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", "16"), ("length", str(4 * 3 * 9 * 4))):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    for made in [*float_models(), qdq_model(), qlinear_model(), folded_model(), external_model()]:
        (folder / f"{made.graph.name}.onnx").write_bytes(made.SerializeToString())


if __name__ == "__main__":
    main()
