#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Traces of a trained network: what is recorded equals the numpy executor's tensors, layers that are replayed have the
counts and outputs of the whole run, and column-sum histograms equal those worked out from weights and inputs in numpy."""
import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile
import zlib
from collections import Counter

import numpy as np
import onnx
import yaml
from onnx import numpy_helper

EXECUTOR = pathlib.Path(__file__).with_name("numpy_executor.py")
SCENARIO = "classify_shapes"
# What depends on where a layer's neighbours sit, and when they work; everything else is the layer's own.
OF_NEIGHBOURS = {"first_start_s", "last_end_s", "latency_s", "busy_s", "input_stall_s", "buffer_stall_s", "interval_s",
                 "time_per_inference_s", "utilisation", "limited_by", "energy_j", "energy_edram_j", "energy_router_j",
                 "energy_hypertransport_j"}
# Counts that no table of ISAAC prices are seen as energies: a joule each.
COUNTED = ["vectors", "array_cycles", "row_drives", "row_pulses", "current_level_pulses", "shift_adds", "tile_shift_adds",
           "function_outputs", "bus_bits"]
COUNTING = [word for action in COUNTED for word in
            ("--set", f"technology.components.{action}={{level: chip, energy: {{{action}: {{value: 1 J, source: a count}}}}}}")]
ROWS, LEVELS, FLIP_AT = 128, 3, 256  # of an ISAAC crossbar: rows, highest level of a 2-bit cell, half of 9 bits


def tensor(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


class Bench:
    def __init__(self, mho, model, folder):
        self.mho, self.model, self.folder, self.faults = mho, onnx.load(str(model)), folder, 0
        self.constants = {each.name: numpy_helper.to_array(each) for each in self.model.graph.initializer}
        self.producers = {name: node for node in self.model.graph.node for name in node.output}

    def run(self, *arguments):
        subprocess.run([self.mho, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    def check(self, holds, what):
        self.faults += not holds
        if not holds:
            print("FAULT:", what)

    def node(self, name):
        return next(node for node in self.model.graph.node if node.name == name)

    def codes_name(self, real):
        """The tensor of codes behind a DequantizeLinear."""
        return self.producers[real].input[0]

    def weights(self, node):
        """int8 [filter][ky][kx][c], as rows of a crossbar follow each other."""
        return self.constants[self.codes_name(node.input[1])].transpose(0, 2, 3, 1).astype(np.int64)


def layers_of(folder):
    with open(folder / "layers.csv", encoding="utf-8") as table:
        return {row["name"]: row for row in csv.DictReader(table)}


def index_of(folder):
    index = yaml.safe_load((folder / "index.yaml").read_text(encoding="utf-8"))
    return {layer["name"]: layer for layer in index["layers"]}


def compare_recorded(bench, recorded, golden, images):
    """Recorded inputs against the executor's, which shares no code."""
    for name, layer in index_of(recorded).items():
        data = (recorded / layer["file"]).read_bytes()
        bench.check(zlib.crc32(data) == layer["crc32"], f"{name}: checksum")
        got, codes = tensor(recorded / layer["file"]), golden / f"{bench.codes_name(bench.node(name).input[0])}.pb"
        want = tensor(codes) if codes.exists() else images[:len(got)]
        bench.check(want.dtype == got.dtype and np.array_equal(want.reshape(got.shape), got), f"{name}: recorded inputs")
        bench.check(list(got.shape) == layer["dims"] and layer["type"] == got.dtype.name, f"{name}: index")


def compare_counts(bench, full, replay, what, but=frozenset(OF_NEIGHBOURS)):
    whole, alone = layers_of(full), layers_of(replay)
    bench.check(len(alone) > 1, f"{what}: no layers")
    for name, row in alone.items():
        if name != "(machine)":
            bench.check(all(float(row[f"energy_{action}_j"]) > 0 for action in COUNTED), f"{what}: {name}: no counts")
            wrong = [key for key in row if key not in but and row[key] != whole[name][key]]
            bench.check(not wrong, f"{what}: {name}: {wrong}")
    return sum(int(row["adc_saturations"]) for row in alone.values())


def compare_chain(bench, recorded, replay):
    """A layer's output in the replay is what the next one, which reads nothing else, was recorded with."""
    index, compared = index_of(recorded), 0
    for name in index:
        codes = bench.codes_name(bench.node(name).input[0])
        output = replay / "outputs" / f"{codes}.pb"
        if output.exists():
            compared += 1
            bench.check(np.array_equal(tensor(output), tensor(recorded / index[name]["file"])), f"{name}: output of the layer before")
    bench.check(compared >= 3, "chains of layers")


def windows(codes, kernel, stride, pad):
    """[windows][ky][kx][c] of [C][H][W], zero point 0."""
    padded = np.pad(codes.astype(np.int64), ((0, 0), (pad, pad), (pad, pad)))
    height, width = ((extent - kernel) // stride + 1 for extent in padded.shape[1:])
    return np.stack([padded[:, y * stride:y * stride + kernel, x * stride:x * stride + kernel].transpose(1, 2, 0).ravel()
                     for y in range(height) for x in range(width)])


def expected_histogram(inputs, weights):
    """(input slice, weight slice, sum) -> count for 1-bit inputs and 2-bit cells on single crossbars, flipped where they are heavy."""
    counts = Counter()
    biased = weights + 128
    for first in range(0, inputs.shape[1], ROWS):
        rows = biased[:, first:first + ROWS]
        for weight_slice in range(4):
            levels = rows >> (6 - 2 * weight_slice) & LEVELS
            levels = np.where((levels.sum(axis=1) >= FLIP_AT)[:, None], LEVELS - levels, levels)
            for input_slice in range(8):
                bits = inputs[:, first:first + ROWS] >> (7 - input_slice) & 1
                values, times = np.unique(bits @ levels.T, return_counts=True)
                for value, count in zip(values.tolist(), times.tolist()):
                    counts[str(input_slice), str(weight_slice), value] += count
        for input_slice in range(8):
            values, times = np.unique((inputs[:, first:first + ROWS] >> (7 - input_slice) & 1).sum(axis=1), return_counts=True)
            for value, count in zip(values.tolist(), times.tolist()):
                counts[str(input_slice), "unit", value] += count
    return counts


def histogram_of(folder, name):
    layer = index_of(folder)[name]["column_sums"]
    data = (folder / layer["file"]).read_bytes()
    assert zlib.crc32(data) == layer["crc32"], layer
    rows = csv.DictReader(data.decode().splitlines())
    return Counter({(row["input_slice"], row["weight_slice"], int(row["sum"])): int(row["count"]) for row in rows})


def compare_histograms(bench, recorded, full, bits):
    """Sums are conserved: each is one conversion, and those beyond the converter's range are the saturations."""
    rows = layers_of(full)
    for name in index_of(recorded):
        counts, row = histogram_of(recorded, name), rows[name]
        units = sum(count for (_, column, _), count in counts.items() if column == "unit")
        bench.check(units == int(row["adc_unit_conversions"]), f"{name}: unit columns")
        bench.check(sum(counts.values()) - units == int(row["adc_conversions"]), f"{name}: columns")
        if int(row["adc_unit_conversions"]) * 128 >= int(row["adc_conversions"]) * 2:  # a crossbar for each row block
            outside = sum(count for (_, _, value), count in counts.items() if value >= 1 << bits)
            bench.check(outside == int(row["adc_saturations"]), f"{name}: sums out of range")


def compare_histogram_with_numpy(bench, recorded, name):
    """A layer of 3x3 and 16 filters with padding 1 and stride 1."""
    inputs = tensor(recorded / index_of(recorded)[name]["file"])
    weights = bench.weights(bench.node(name))
    codes = np.concatenate([windows(image, 3, 1, 1) for image in inputs])
    want = expected_histogram(codes, weights.reshape(len(weights), -1))
    bench.check(histogram_of(recorded, name) == want, f"{name}: histogram")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("inputs", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        bench = Bench(arguments.mho, arguments.model, folder)
        two = [SCENARIO, "--inferences", 2]
        subprocess.run([sys.executable, EXECUTOR, arguments.model, "--input", arguments.inputs, "--out", folder / "golden",
                        "--limit", "2", "--dump-all"], check=True, stdout=subprocess.DEVNULL)
        bench.run("trace", *two, "--out", folder / "exact")
        compare_recorded(bench, folder / "exact", folder / "golden", tensor(arguments.inputs))

        # Converters of two bits less, so that what layers get is not what the reference computes.
        few = ["--fidelity", "sliced", "--set", "adc.bits=6"]
        for run, more in (("exact", []), ("few", few)):
            replayed = [SCENARIO, "--inferences", "all", "--set", f"trace={folder / run}", *more]
            if run == "few":
                bench.run("trace", *two, *more, "--histograms", "--out", folder / run)
            bench.run("run", *two, *more, *COUNTING, "--out", folder / f"{run}-full")
            bench.run("run", *replayed, *COUNTING, "--out", folder / f"{run}-replay")
            saturated = compare_counts(bench, folder / f"{run}-full", folder / f"{run}-replay", run)
            bench.check((saturated > 0) == (run == "few"), f"{run}: {saturated} saturations")
            compare_chain(bench, folder / run, folder / f"{run}-replay")
        # One layer alone, and without the replicas that it has in the whole run: other crossbars, the same counts.
        bench.run("run", SCENARIO, "--inferences", "all", *few, "--set", f"trace.folder={folder / 'few'}", "--set",
                  "trace.layers=[stage2.block1.conv1.sum.Conv]", "--set", "replication=none", *COUNTING, "--out", folder / "one")
        compare_counts(bench, folder / "few-full", folder / "one", "one", OF_NEIGHBOURS | {"replicas", "crossbars"})
        compare_histograms(bench, folder / "few", folder / "few-full", 6)
        compare_histogram_with_numpy(bench, folder / "few", "stage1.block0.conv2.sum.Conv")

        # A replay is a run like any other: it can be traced, and approximately timed.
        layers = ["--layers", "stage1.block1.conv1.sum.Conv", "--layers", "stage3.block0.shortcut.sum.Conv"]
        bench.run("trace", SCENARIO, "--inferences", 1, *few, *layers, "--histograms", "--set", f"trace.folder={folder / 'few'}", "--set",
                  "trace.layers=[stage1.block1.conv1.sum.Conv, stage3.block0.shortcut.sum.Conv]",
                  "--set", "timing=approximately_timed", "--out", folder / "slices")
        bench.run("trace", SCENARIO, "--inferences", 1, *few, *layers, "--histograms", "--out", folder / "batches")
        for layer in index_of(folder / "batches"):
            bench.check(histogram_of(folder / "slices", layer) == histogram_of(folder / "batches", layer), f"{layer}: by slices")
        print(f"{bench.faults} faults" if bench.faults else "traces, replays and histograms agree")
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main())
