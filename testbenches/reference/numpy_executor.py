#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a quantised ONNX model in numpy, integer for integer: the independent golden model for mho.

It shares no code with the C++ project, and the onnx package only reads, checks and writes files. The rules are in quantised_values.py (rounding),
integer_operators.py and activation_operators.py (one function an operator); this file reads the graph, walks through it and writes tensors.
"""
import argparse
import re
import sys
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from onnx.checker import ValidationError

from activation_operators import ACTIVATION_OPERATORS
from integer_operators import OPERATORS, Node
from quantised_values import Accumulator, Quantised, UnsupportedModel, real_of

ALL_OPERATORS = {**OPERATORS, **ACTIVATION_OPERATORS}


def attribute_value(attribute):
    """An ONNX attribute as a Python value: text, number, list, or array for a tensor."""
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return value.decode() if isinstance(value, bytes) else value


def node_of(proto):
    """Refuses what has no rule here, by name, before anything runs."""
    node = Node(proto.op_type, proto.name, tuple(proto.input), tuple(name for name in proto.output if name),
                {attribute.name: attribute_value(attribute) for attribute in proto.attribute})
    known = node.operator == "Gelu" if proto.domain == "com.microsoft" else proto.domain in ("", "ai.onnx")
    if not known or (node.operator not in ALL_OPERATORS and node.operator != "Constant"):
        domain = f"{proto.domain}." if proto.domain else ""
        raise UnsupportedModel(f"{domain}{node}: this operator is not supported (supported: {', '.join(ALL_OPERATORS)})")
    if len(node.outputs) != 1 and node.operator != "Split":
        raise UnsupportedModel(f"{node}: {len(node.outputs)} outputs are not supported (only 1)")
    return node


class Model:
    """A parsed graph: its inputs (name -> shape and type), its outputs, constants and nodes in order. `operators` may be replaced one by one."""

    def __init__(self, path):
        self.operators = dict(ALL_OPERATORS)
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
        graph = model.graph
        self.constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
        self.inputs = {value.name: value.type.tensor_type for value in graph.input if value.name not in self.constants}
        self.outputs = [value.name for value in graph.output]
        self.nodes = []
        for node in map(node_of, graph.node):
            if node.operator == "Constant":
                self.constants[node.outputs[0]] = node.attributes["value"]
            else:
                self.nodes.append(node)

    def check_input(self, name, array):
        """One line of complaint where type or shape differ; the leading axis counts inferences and may have any length."""
        if name not in self.inputs:
            raise UnsupportedModel(f"input '{name}' is not an input of the model (inputs: {', '.join(self.inputs)})")
        wanted = self.inputs[name]
        integer = onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[wanted.elem_type]
        shape = [dim.dim_value or None for dim in wanted.shape.dim]
        fits = len(shape) == array.ndim and all(length in (None, given) for length, given in zip(shape[1:], array.shape[1:]))
        if array.dtype != integer or not fits:
            raise UnsupportedModel(f"input '{name}' is {array.dtype} {list(array.shape)} (the model takes {integer} {['N', *shape[1:]]})")

    def fixed_batch(self):
        """Length of the leading axis that the model prescribes, or None."""
        lengths = [tensor.shape.dim[0].dim_value for tensor in self.inputs.values() if len(tensor.shape.dim) > 0]
        return next((length for length in lengths if length > 0), None)

    def run(self, inputs, wanted=None):
        """Arrays of the graph's outputs, or of the tensors for which `wanted(name, value)` holds; values nobody reads again are dropped."""
        values, kept = {**self.constants, **inputs}, {}
        last_reader = {name: index for index, node in enumerate(self.nodes) for name in node.inputs}
        for index, node in enumerate(self.nodes):
            arguments = [values[name] if name else None for name in node.inputs]
            result = self.operators[node.operator](node, arguments)
            values.update(zip(node.outputs, result if node.operator == "Split" else [result]))
            if wanted is not None and wanted(node.outputs[0], values[node.outputs[0]]):
                kept[node.outputs[0]] = values[node.outputs[0]]
            for name in node.inputs:
                if last_reader[name] == index and name not in self.outputs:
                    values.pop(name, None)
        return {**kept, **{name: stored_form(name, values[name]) for name in self.outputs}}


def stored_form(name, value):
    """An output as the model declares it: codes as they are, real values as float32."""
    if isinstance(value, (Quantised, Accumulator)) or value.dtype == np.float64:
        return real_of(value, f"output '{name}'").astype(np.float32)
    return value


def is_quantised_activation(name, value):
    """What --dump-all keeps: every tensor that a node makes in codes."""
    del name
    return isinstance(value, np.ndarray) and value.dtype in (np.uint8, np.int8)


def run_in_batches(model, inputs, batch, wanted=None):
    """Runs all inferences of `inputs` (name -> array), `batch` at a time (or as many as the model prescribes), and joins the results."""
    for name, array in inputs.items():
        model.check_input(name, array)
    missing = [name for name in model.inputs if name not in inputs]
    if missing:
        raise UnsupportedModel(f"input '{missing[0]}' is not given (use --input {missing[0]}=FILE)")
    if len({len(array) for array in inputs.values()}) > 1:
        raise UnsupportedModel("the inputs hold different numbers of inferences")
    batch, count = model.fixed_batch() or batch, len(next(iter(inputs.values())))
    parts = [model.run({name: array[start:start + batch] for name, array in inputs.items()}, wanted)
             for start in range(0, count, batch)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def read_tensor(path):
    """The array in an ONNX TensorProto file, as a copy that may be written to (PyTorch insists)."""
    try:
        return numpy_helper.to_array(onnx.load_tensor(str(path))).copy()
    except (TypeError, ValueError, DecodeError) as error:
        raise UnsupportedModel(f"{path}: this is not an ONNX TensorProto file") from error


def write_tensors(folder, tensors):
    """One NAME.pb each; characters that a file name cannot hold become _."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in tensors.items():
        onnx.save_tensor(numpy_helper.from_array(array, name), str(folder / (re.sub(r"[/\\:]", "_", name) + ".pb")))


def read_inputs(model, texts, limit):
    """Arrays by name from NAME=FILE, or FILE alone for a model with one input."""
    inputs = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals:
            if len(model.inputs) != 1:
                raise UnsupportedModel(f"--input {text}: the model has several inputs, say which as NAME=FILE ({', '.join(model.inputs)})")
            name, path = next(iter(model.inputs)), text
        inputs[name] = read_tensor(path)[:limit]
    return inputs


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL", help="quantised ONNX model: QDQ, QLinearConv, QLinearMatMul")
    parser.add_argument("--input", action="append", required=True, metavar="NAME=FILE.pb",
                        help="ONNX tensor whose leading axis counts inferences; NAME= may be left out if there is one input; repeat for more")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for NAME.pb of every output")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N inferences")
    parser.add_argument("--batch", type=int, default=50, metavar="B", help="inferences computed at a time (default %(default)s)")
    parser.add_argument("--dump-all", action="store_true", help="write every quantised activation too")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    try:
        model = Model(arguments.model)
        inputs = read_inputs(model, arguments.input, arguments.limit)
        wanted = is_quantised_activation if arguments.dump_all else None
        write_tensors(arguments.out, run_in_batches(model, inputs, arguments.batch, wanted))
    except (UnsupportedModel, OSError, DecodeError, ValidationError, ValueError) as error:
        print(f"{arguments.model}: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
