#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Networks on a simulated RAELLA and in numpy, crossbars and all: every output code and, layer by layer, conversions, failed speculations,
recoveries, saturations and windows of a vector must be the same.

A network is an ONNX model with --inputs, or a layer table, which is exported first. What numpy must know of a --run is read from its
options: --set weight_slicing=, speculation=, encoding=, adc.bits= and toeplitz=. Where slicings differ by layer, layers.csv says which.
"""
import argparse
import csv
import pathlib
import shlex
import subprocess
import sys
import tempfile
from collections import Counter

import numpy as np

from numpy_executor import Model, read_tensor, run_in_batches
from raella_network import RaellaLayers
from raella_reference import Crossbar

#: Column of layers.csv -> count of the reference.
COUNTED = {key: key for key in ("adc_conversions", "speculations", "speculation_failures", "recovery_conversions", "adc_saturations")}
COUNTED["out_of_range"] = "adc_out_of_range"
ON = ("true", "on", "yes")


def settings_of(options):
    """key -> value of every --set."""
    words = shlex.split(options)
    return dict(word.split("=", 1) for flag, word in zip(words, words[1:]) if flag == "--set")


def numbers(text):
    """[4, 2, 2] or 4-2-2"""
    return tuple(int(word) for word in text.strip("[] ").replace("-", ",").split(","))


def crossbar_of(settings):
    """RAELLA as published, with what is set."""
    crossbar = Crossbar()
    if "speculation" in settings:
        text = settings["speculation"]
        crossbar = crossbar._replace(speculation=numbers(text) if "[" in text else crossbar.speculation if text in ON else ())
    return crossbar._replace(encoding=settings.get("encoding", crossbar.encoding), adc_bits=int(settings.get("adc.bits", crossbar.adc_bits)))


def quietly(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def simulated(arguments, model, inputs, options, out):
    """Output arrays, and rows of layers.csv by name."""
    quietly(arguments.mho, "run", "--network", model, "--inputs", inputs, "--inferences", arguments.inferences, "--system", "raella",
            "--fidelity", "sliced", *shlex.split(options), "--out", out)
    with open(out / "layers.csv", newline="", encoding="utf-8") as file:
        layers = {row["name"]: row for row in csv.DictReader(file)}
    return {path.stem: read_tensor(path) for path in sorted((out / "outputs").glob("*.pb"))}, layers


def in_numpy(arguments, path, inputs, options, layers):
    """The same in numpy, with the slicings that layers have."""
    settings, slicings = settings_of(options), {name: numbers(row["slicing"]) for name, row in layers.items() if row["slicing"]}
    on_crossbars = RaellaLayers(crossbar_of(settings), slicings, toeplitz=settings.get("toeplitz", "true") in ON)
    model = Model(path)
    on_crossbars.install(model)
    given = {next(iter(model.inputs)): read_tensor(inputs)[:arguments.inferences]}
    return run_in_batches(model, given, arguments.inferences), on_crossbars


def wrong_layers(on_crossbars, layers, slicing):
    """`slicing`: what was asked for, for every layer; '' where layers may differ."""
    for name, counts in on_crossbars.counts.items():
        if name not in layers:
            yield f"{name} is no row of layers.csv"
            continue
        row = layers[name]
        for column, key in COUNTED.items():
            if int(row[column]) != counts[key]:
                yield f"{name}: {row[column]} {column} instead of {counts[key]}"
        if int(row["expansion"]) != on_crossbars.expansions[name]:
            yield f"{name}: {row['expansion']} windows a vector instead of {on_crossbars.expansions[name]}"
        if slicing.startswith("[") and numbers(row["slicing"]) != numbers(slicing):
            yield f"{name}: slicing {row['slicing']}"
    for name, row in layers.items():
        if name not in on_crossbars.counts and int(row["adc_conversions"]) > 0:
            yield f"{name}: conversions that numpy knows nothing of"


def compare(arguments, model, inputs, options, folder):
    """Lines about everything that differs."""
    outputs, layers = simulated(arguments, model, inputs, options, folder)
    want, on_crossbars = in_numpy(arguments, model, inputs, options, layers)
    wrong = [f"output {name}" for name, array in want.items()
             if name not in outputs or array.dtype != outputs[name].dtype or not np.array_equal(array, outputs[name])]
    wrong += wrong_layers(on_crossbars, layers, settings_of(options).get("weight_slicing", ""))
    total = Counter()
    for counts in on_crossbars.counts.values():
        total.update(counts)
    if total["adc_conversions"] == 0:
        wrong.append("nothing was converted")
    print(f"raella {options}: {len(on_crossbars.counts)} layers, " + ", ".join(f"{total[key]} {column}" for column, key in COUNTED.items()))
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mho", help="the program")
    parser.add_argument("networks", nargs="+", help="models, or layer tables to export")
    parser.add_argument("--inputs", type=pathlib.Path, help="of models")
    parser.add_argument("--inferences", type=int, default=1)
    parser.add_argument("--export", default="", metavar="OPTIONS", help="of mho export, as one word")
    parser.add_argument("--run", action="append", required=True, metavar="OPTIONS", help="of mho run, as one word")
    arguments = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        for number, network in enumerate(arguments.networks):
            folder = pathlib.Path(name, str(number))
            model, inputs = pathlib.Path(network), arguments.inputs
            if model.suffix != ".onnx":
                quietly(arguments.mho, "export", network, *shlex.split(arguments.export), "--out", folder / "model")
                model, inputs = folder / "model" / "model.onnx", folder / "model" / "input_0.pb"
            for index, options in enumerate(arguments.run):
                wrong = compare(arguments, model, inputs, options, folder / str(index))
                faults += len(wrong)
                print("\n".join(f"  DIFFERENT: {line}" for line in wrong) or f"  {network}: every output and every count is the same", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
