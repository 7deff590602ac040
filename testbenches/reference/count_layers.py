#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts multiply-accumulates and weights of the layer tables in a folder from the YAML alone, sharing no code with mho,
and holds them against published figures and against what `mho check` counts."""
import argparse
import pathlib
import re
import subprocess
import sys

import yaml

# Giga multiply-accumulates and million weights, biases and batch normalisation apart, to 1 %. Multiply-accumulates: the
# table of torchvision's documentation ("GFLOPS", which are multiply-accumulates, biases left out or in makes no
# difference at 1 %). Weights: torchvision's num_params less batch normalisation and biases, from the figures in brackets.
PUBLISHED = {
    "alexnet": (0.714, 61.09),        # 61.10 M with 10 568 biases
    "vgg16": (15.47, 138.34),         # 138.36 M
    "vgg19": (19.63, 143.65),         # 143.67 M
    "resnet18": (1.814, 11.68),       # 11.69 M
    "resnet34": (3.664, 21.78),       # 21.80 M
    "resnet50": (4.089, 25.50),       # 25.56 M
    "resnet101": (7.801, 44.44),      # 44.55 M
    "resnet152": (11.51, 60.04),      # 60.19 M
    "googlenet": (1.498, 6.61),       # 6.62 M
    "inception_v3": (5.713, 23.80),   # 23.83 M without the auxiliary classifier
    "mobilenet_v2": (0.301, 3.47),    # 3.50 M
    "shufflenet_v2": (0.146, 2.26),   # 2.28 M; multiply-accumulates of Ma et al., table 8
    "densenet121": (2.834, 7.89),     # 7.98 M
    "densenet161": (7.728, 28.46),    # 28.68 M
    # Encoders for 128 tokens; Devlin et al. count 110 M and 340 M with embeddings and pooler. A layer has 4 width^2 weights
    # of attention and 8 width^2 of feed-forward: 12 x 12 x 768^2 and 24 x 12 x 1024^2.
    # Giga products of two activations come third: 2 x positions^2 x width a layer.
    "bert_base": (10.87, 84.93, 12 * 2 * 128**2 * 768e-9),
    "bert_large": (38.65, 301.99, 24 * 2 * 128**2 * 1024e-9),
}
# Networks with other parameters. Two thirds of an encoder's weights are those of its feed-forward layers.
VARIANTS = [
    ("bert_large", {"feed_forward_only": True}, 38.65 * 2 / 3, 301.99 * 2 / 3, 0),
    ("bert_large", {"sequence_length": 384, "layers": 2}, 38.65 * 3 / 12, 301.99 / 12, 2 * 2 * 384**2 * 1024e-9),
]
# Every layer has the shape of its (first) input.
SAME_SHAPE = {"add", "multiply", "relu", "batch_norm", "channel_shuffle", "sigmoid", "tanh", "leaky_relu", "hard_sigmoid", "hard_swish",
              "gelu", "softmax", "layer_norm"}


def pair(value):
    return list(value) if isinstance(value, list) else [value, value]


def slide(length, kernel, stride, pad, dilation, ceil):
    """Positions of a window along an axis, as PyTorch defines them."""
    room = length + 2 * pad - dilation * (kernel - 1) - 1
    count = (-(-room // stride) if ceil else room // stride) + 1
    return count - 1 if ceil and (count - 1) * stride >= length + pad else count


class Counter:
    def __init__(self, table, **changed):
        self.blocks = table.get("blocks", {})
        self.parameters = {**table.get("parameters", {}), **changed}
        self.macs = self.weights = self.layers = self.digital = 0
        shape = tuple(self.value(extent, self.parameters) for extent in table["input"])
        # Channels, height, width; a sequence is one column of positions.
        self.output = self.rows(table["layers"], shape if len(shape) == 3 else (shape[1], shape[0], 1), self.parameters)

    def rows(self, rows, shape, parameters):
        shapes, last = {"input": shape}, shape
        for row in rows:
            row = {key: self.value(value, parameters) for key, value in row.items()}
            if row.get("unless", False) or not row.get("when", True):
                continue
            names = row.get("from", [])
            inputs = [shapes[name] for name in ([names] if isinstance(names, str) else names)] or [last]
            if "block" in row:
                last = inputs[0]
                given = {key: self.value(value, parameters) for key, value in row.get("with", {}).items()}
                for _ in range(row.get("repeat", 1)):
                    last = self.rows(self.blocks[row["block"]]["layers"], last, {**self.parameters, **given})
            else:
                last = self.layer(row, inputs)
            shapes[row["name"]] = last
        return last

    @staticmethod
    def value(value, parameters):
        return parameters[value[1:]] if isinstance(value, str) and value.startswith("$") else value

    def layer(self, row, inputs):
        self.layers += 1
        operator, (channels, height, width) = row["op"], inputs[0]
        if operator in SAME_SHAPE:
            assert all(shape in (inputs[0], (channels, 1, 1)) for shape in inputs)
            return inputs[0]
        if operator == "channel_slice":
            assert row.get("first", 0) + row["count"] <= channels
            return (row["count"], height, width)
        if operator == "matmul":
            return self.matmul(row, *inputs)
        if operator == "linear":
            self.count(row["outputs"] * channels, height * width)
            return (row["outputs"], height, width)
        if operator == "concat":
            assert len({shape[1:] for shape in inputs}) == 1
            return (sum(shape[0] for shape in inputs), height, width)
        if operator == "global_average_pool":
            return (channels, 1, 1)
        if operator == "fully_connected":
            self.count(row["outputs"] * channels * height * width, 1)
            return (row["outputs"], 1, 1)
        kernel, stride, pad, dilation = (pair(row.get(key, default)) for key, default in
                                         (("kernel", None), ("stride", 1), ("pad", 0), ("dilation", 1)))
        size = [slide(length, *axis, row.get("ceil", False))
                for length, *axis in zip((height, width), kernel, stride, pad, dilation)]
        if operator in ("max_pool", "average_pool"):
            return (channels, *size)
        filters = channels if operator == "depthwise_convolution" else row["filters"]
        groups = channels if operator == "depthwise_convolution" else row.get("groups", 1)
        self.count(filters * channels // groups * kernel[0] * kernel[1], size[0] * size[1])
        return (filters, *size)

    def matmul(self, row, first, second):
        heads, positions = row.get("heads", 1), second[1] * second[2]
        self.digital += first[1] * first[2] * positions * second[0]
        if row.get("transposed", False):
            assert first[0] == second[0]
            return (heads * positions, *first[1:])
        assert first[0] == heads * positions
        return (second[0], *first[1:])

    def count(self, weights, windows):
        self.weights += weights
        self.macs += weights * windows


def counted_by(mho, name, settings):
    """Layers and multiply-accumulates that `mho check` prints."""
    options = [f"--set=network_parameters.{key}={str(value).lower()}" for key, value in settings.items()]
    text = subprocess.run([mho, "check", "--system", "isaac_8b", "--network", name, *options], check=True, capture_output=True,
                          text=True).stdout
    return (int(number.replace(" ", "")) for number in re.search(r"network +([\d ]+) nodes, ([\d ]+) multiply", text).groups())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="scenarios/networks")
    parser.add_argument("mho", nargs="?", help="the program, whose counts are compared as well")
    parser.add_argument("--networks", nargs="+", help="ask the program about these alone", default=list(PUBLISHED))
    arguments = parser.parse_args()
    wrong = 0
    for name, settings, *figures in [(name, {}, *figures) for name, figures in PUBLISHED.items()] + VARIANTS:
        counter = Counter(yaml.safe_load((arguments.folder / f"{name}.yaml").read_text(encoding="utf-8")), **settings)
        counts = (counter.macs / 1e9, counter.weights / 1e6, counter.digital / 1e9)
        good = all(abs(count - figure) <= 0.01 * figure for count, figure in zip(counts, figures))
        verdict = "as published" if good else f"NOT {figures}"
        if arguments.mho and name in arguments.networks:
            nodes, macs = counted_by(arguments.mho, name, settings)
            same = (nodes, macs) == (counter.layers, counter.macs)
            verdict += ", mho agrees" if same else f", DIFFERENT from mho: {nodes} layers, {macs}"
            good = good and same
        wrong += not good
        print(f"{name} {settings or ''}: {counter.layers} layers, {counter.macs} multiply-accumulates, {counter.digital} of activations, "
              f"{counter.weights} weights: {verdict}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
