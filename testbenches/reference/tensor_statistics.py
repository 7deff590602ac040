#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what costs of a machine depend on in the tensors of a quantised network: bit densities and sparsity of weights
and activations, spread of filter means. Compares a trained network with a synthetic one of the same layers and holds
both against the table that is committed beside this file."""
import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from numpy_executor import Model, is_quantised_activation, read_tensor, run_in_batches

TABLE = pathlib.Path(__file__).with_name("synthetic_statistics.csv")
# What the synthetic network may differ by from the trained one, absolute; and from its own committed figures.
TOLERANCE = {"weight bit": 0.02, "weight zeros": 0.005, "weight largest / deviation": 0.1,
             "filter mean / deviation, mean": 0.03, "filter mean / deviation, spread": 0.03, "filter kurtosis": 0.1,
             "unsigned bit": 0.02, "unsigned zeros": 0.02, "unsigned mean": 1.5, "unsigned deviation": 1.5,
             "unsigned 99.9 %": 12.0, "unsigned saturated": 0.001, "signed bit": 0.02, "signed mean": 1.5,
             "signed deviation": 2.0, "signed 99.9 %": 6.0, "signed saturated": 0.001, "input bit": 0.06,
             "input neighbours' correlation": 0.02, "input mean": 3.0, "input deviation": 3.0}
REPEATS = 1e-3
INFERENCES = 20


def bits(codes):
    """Share of ones in each bit, lowest first, of 8-bit patterns."""
    return [float(((codes >> bit) & 1).mean()) for bit in range(8)]


def measure(model_path, input_path):
    """Name -> value, averaged over layers, each layer counting once."""
    model, images = Model(model_path), read_tensor(input_path)[:INFERENCES]
    collected = {}

    def note(name, value):
        collected.setdefault(name, []).append(float(value))

    note("input mean", images.mean())
    note("input deviation", images.std())
    note("input neighbours' correlation",
         np.corrcoef(images[..., :-1].ravel().astype(float), images[..., 1:].ravel().astype(float))[0, 1])
    for bit, density in enumerate(bits(images)):
        note(f"input bit {bit}", density)
    for codes in model.constants.values():
        if codes.dtype != np.int8 or codes.ndim != 4 or codes.shape[0] * codes[0].size < 1024:
            continue
        filters = codes.reshape(len(codes), -1).astype(float)
        means, deviations = filters.mean(1), filters.std(1)
        note("filter mean / deviation, mean", (means / deviations).mean())
        note("filter mean / deviation, spread", (means / deviations).std())
        note("filter kurtosis", (((filters - means[:, None]) / deviations[:, None]) ** 4).mean())
        note("weight largest / deviation", (abs(filters).max(1) / deviations).mean())
        note("weight zeros", (codes == 0).mean())
        for bit, density in enumerate(bits((codes.astype(np.int16) + 128).astype(np.uint8))):
            note(f"weight bit {bit}, biased by 128", density)
    for codes in run_in_batches(model, {next(iter(model.inputs)): images}, 50, is_quantised_activation).values():
        if codes.ndim != 4 or codes.shape[2] == 1:
            continue
        kind = "unsigned" if codes.dtype == np.uint8 else "signed"
        values = codes.astype(int)
        note(f"{kind} mean", values.mean())
        note(f"{kind} deviation", values.std())
        note(f"{kind} 99.9 %", np.percentile(abs(values), 99.9))
        note(f"{kind} saturated", (codes == np.iinfo(codes.dtype).max).mean())
        if kind == "unsigned":
            note("unsigned zeros", (codes == 0).mean())
        for bit, density in enumerate(bits(codes.view(np.uint8))):
            note(f"{kind} bit {bit}", density)
    return {name: float(np.mean(values)) for name, values in collected.items()}


def tolerance(name):
    return next(value for start, value in TOLERANCE.items() if name.startswith(start))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("networks", type=pathlib.Path, help="scenarios/networks")
    parser.add_argument("--write", action="store_true", help="write the table in place of comparing with it")
    arguments = parser.parse_args()
    shapes = arguments.networks / "resnet20_shapes"
    trained = measure(shapes / "model.onnx", shapes / "images_500.pb")
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, "resnet20")
        subprocess.run([arguments.mho, "export", arguments.networks / "resnet20.yaml", "--inferences", str(INFERENCES),
                        "--out", made], check=True, stdout=subprocess.DEVNULL)
        synthetic = measure(made / "model.onnx", made / "input_0.pb")
    if arguments.write:
        with TABLE.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["statistic", "trained", "synthetic"])
            for name, value in trained.items():
                writer.writerow([name, f"{value:.4f}", f"{synthetic[name]:.4f}"])
    rows = list(csv.DictReader(TABLE.open(encoding="utf-8")))
    wrong = {row["statistic"] for row in rows} ^ set(trained) | set(trained) ^ set(synthetic)
    for row in rows:
        name, was = row["statistic"], (float(row["trained"]), float(row["synthetic"]))
        now = (trained.get(name, np.nan), synthetic.get(name, np.nan))
        repeats = all(abs(a - b) <= REPEATS * max(1.0, abs(b)) for a, b in zip(now, was))
        near = abs(now[0] - now[1]) <= tolerance(name)
        if not (repeats and near):
            wrong.add(name)
        print(f"{name:34} trained {now[0]:8.3f} synthetic {now[1]:8.3f}"
              f"{'' if near else '   TOO FAR APART'}{'' if repeats else f'   NOT AS COMMITTED {was}'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
