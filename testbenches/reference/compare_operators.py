#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs models of every operator (operator_models.py) on simulated machines and in the numpy executor and compares every output code; products of
activations are counted as the sizes of the model say.
"""
import argparse
import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import numpy_helper

from numpy_executor import Model, run_in_batches
from operator_models import encoder, gates

RUNS = ("--system isaac_8b", "--system isaac_8b --set timing=approximately_timed", "--system isaac --fidelity sliced")


def model_of(seed):
    """A builder and its model; sizes go with the seed."""
    choose = random.Random(seed).choice
    if seed % 2 == 0:
        return encoder(seed, choose([4, 7, 10, 34, 48]), choose([8, 16, 24]), choose([1, 2, 4]))
    return gates(seed, choose([1, 3, 9]), choose([1, 4, 6]), choose([8, 20]))


def miscounted(out, digital_macs, inferences):
    """True where summary or table has another number of products of activations."""
    counted = json.loads((out / "summary.json").read_text())["digital_macs"]
    with open(out / "layers.csv", newline="", encoding="utf-8") as table:
        rows = sum(int(row["digital_macs"]) for row in csv.DictReader(table))
    return (counted, rows) != (digital_macs * inferences, digital_macs)


def differences(mho, folder, seed):
    """Outputs of one model, over all runs, that are not what the executor says."""
    builder, model = model_of(seed)
    onnx.checker.check_model(model)
    onnx.save(model, str(folder / "model.onnx"))
    samples, wrong = builder.samples(5), []
    for name, codes in samples.items():
        onnx.save_tensor(numpy_helper.from_array(codes, name), str(folder / "inputs.pb"))
    golden = run_in_batches(Model(folder / "model.onnx"), samples, 5)
    for number, run in enumerate(RUNS):
        out = folder / f"{seed}_{number}"
        subprocess.run([mho, "run", "--network", folder / "model.onnx", "--inputs", folder / "inputs.pb", "--out", out, *run.split()],
                       check=True, stdout=subprocess.DEVNULL)
        if miscounted(out, builder.digital_macs, 5):
            wrong.append(f"seed {seed}, {run}: products of activations are miscounted")
        for name, want in golden.items():
            got = numpy_helper.to_array(onnx.load_tensor(str(out / "outputs" / f"{name}.pb")))
            if want.dtype != got.dtype or want.shape != got.shape or not numpy.array_equal(want, got):
                wrong.append(f"seed {seed}, {run}: {name} {got.shape} differs")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = [line for seed in range(arguments.seeds) for line in differences(arguments.mho, pathlib.Path(folder), seed)]
    print("\n".join(wrong) or f"{arguments.seeds} models on {len(RUNS)} machines: equal")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
