#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what costs of a machine depend on in the tensors of a quantised network: bit densities and sparsity of weights
and activations, spread of filter means. Compares a trained network with a synthetic one of the same layers, and holds both
against the table that is committed beside this file. Of a transformer, for which no trained one is at hand, the table has
the synthetic figures alone."""
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
INFERENCES = {"resnet20": 20, "bert_base": 2}
SETTINGS = {"resnet20": [], "bert_base": ["layers=2"]}


def bits(codes):
    """Share of ones in each bit, lowest first, of 8-bit patterns."""
    return [float(((codes >> bit) & 1).mean()) for bit in range(8)]


def measure(model_path, input_path, inferences):
    """Name -> value, averaged over layers, each layer counting once."""
    model, images = Model(model_path), read_tensor(input_path)[:inferences]
    collected = {}

    def note(name, value):
        collected.setdefault(name, []).append(float(value))

    note("input mean", images.mean())
    note("input deviation", images.std())
    before, after = (images[..., :-1], images[..., 1:]) if images.ndim == 4 else (images[:, :-1], images[:, 1:])  # positions
    note("input neighbours' correlation", np.corrcoef(before.ravel().astype(float), after.ravel().astype(float))[0, 1])
    for bit, density in enumerate(bits(images.view(np.uint8))):
        note(f"input bit {bit}", density)
    for codes in model.constants.values():
        if codes.dtype != np.int8 or codes.ndim not in (2, 4) or codes.size < 1024 or (codes.ndim == 2 and images.ndim == 4):
            continue  # classifiers of images are left out; a transformer's matrices are [input, filter]
        filters = (codes.T if codes.ndim == 2 else codes.reshape(len(codes), -1)).astype(float)
        means, deviations = filters.mean(1), filters.std(1)
        note("filter mean / deviation, mean", (means / deviations).mean())
        note("filter mean / deviation, spread", (means / deviations).std())
        note("filter kurtosis", (((filters - means[:, None]) / deviations[:, None]) ** 4).mean())
        note("weight largest / deviation", (abs(filters).max(1) / deviations).mean())
        note("weight zeros", (codes == 0).mean())
        for bit, density in enumerate(bits((codes.astype(np.int16) + 128).astype(np.uint8))):
            note(f"weight bit {bit}, biased by 128", density)
    for codes in run_in_batches(model, {next(iter(model.inputs)): images}, 50, is_quantised_activation).values():
        if codes.ndim < 3 or codes.shape[2] == 1:
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


def synthetic(mho, networks, name):
    """The statistics of a published network with synthetic tensors."""
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, name)
        settings = [f"--set=network_parameters.{setting}" for setting in SETTINGS[name]]
        subprocess.run([mho, "export", networks / f"{name}.yaml", "--inferences", str(INFERENCES[name]), *settings, "--out", made],
                       check=True, stdout=subprocess.DEVNULL)
        return measure(made / "model.onnx", made / "input_0.pb", INFERENCES[name])


def text(value):
    return "" if np.isnan(value) else f"{value:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("networks", type=pathlib.Path, help="scenarios/networks")
    parser.add_argument("--write", action="store_true", help="write the table in place of comparing with it")
    arguments = parser.parse_args()
    shapes = arguments.networks / "resnet20_shapes"
    trained = {"resnet20": measure(shapes / "model.onnx", shapes / "images_500.pb", INFERENCES["resnet20"])}
    measured = {(name, statistic): (trained.get(name, {}).get(statistic, np.nan), value)
                for name in INFERENCES for statistic, value in synthetic(arguments.mho, arguments.networks, name).items()}
    if arguments.write:
        with TABLE.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["network", "statistic", "trained", "synthetic"])
            writer.writerows([*key, *map(text, values)] for key, values in measured.items())
    rows = list(csv.DictReader(TABLE.open(encoding="utf-8")))
    wrong = {(row["network"], row["statistic"]) for row in rows} ^ set(measured)
    wrong |= {("resnet20", statistic) for statistic in trained["resnet20"]} - set(measured)
    for row in rows:
        key, was = (row["network"], row["statistic"]), tuple(float(row[column] or "nan") for column in ("trained", "synthetic"))
        now = measured.get(key, (np.nan, np.nan))
        repeats = np.allclose(now, was, rtol=REPEATS, atol=REPEATS, equal_nan=True)
        near = np.isnan(now[0]) or abs(now[0] - now[1]) <= tolerance(key[1])
        if not (repeats and near):
            wrong.add(key)
        print(f"{key[0]:10} {key[1]:34} trained {text(now[0]):>9} synthetic {text(now[1]):>9}"
              f"{'' if near else '   TOO FAR APART'}{'' if repeats else f'   NOT AS COMMITTED {was}'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
