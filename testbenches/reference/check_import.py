#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The trained float network through `mho import` on 10 000 rendered images: does quantisation cost less than half a point of accuracy,
does numpy find the same float accuracy, and does the imported model on a simulated machine equal the numpy executor bit for bit?"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from float_executor import FloatModel  # noqa: E402
from shapes_files import write_tensor  # noqa: E402
from shapes_renderer import render  # noqa: E402

CALIBRATION, CALIBRATION_SEED, TEST_SEED = 256, 20, 2020   # ranges come from training images, as in the recipe
METHODS = ("min_max", "percentile", "mse")
MARGIN = 0.005


def write_set(folder, name, images, labels):
    write_tensor(folder / f"{name}_images.pb", "image", images)
    write_tensor(folder / f"{name}_labels.pb", "labels", labels)
    return ["--samples", folder / f"{name}_images.pb", "--labels", folder / f"{name}_labels.pb"]


def imported(mho, model, *options):
    """The JSON that `mho import` prints."""
    result = subprocess.run([mho, "import", model, "--json", *options], check=True, stdout=subprocess.PIPE)
    return json.loads(result.stdout)


def numpy_accuracy(model, images, labels, batch=50):
    """Share of right answers of the float model, run by numpy alone."""
    network = FloatModel(model)
    hits = 0
    for start in range(0, len(images), batch):
        reals = images[start:start + batch].astype(np.float32) / np.float32(255)
        hits += int((network.run(reals).argmax(axis=1) == labels[start:start + batch]).sum())
    return hits / len(images)


def check_methods(arguments, options, failures):
    print(f"{'ranges':<12}{'float':>9}{'quantised':>11}{'difference':>12}   95 % interval    same answer  signal to noise")
    for method in METHODS:
        report = imported(arguments.mho, arguments.model, *options, "--calibration", str(CALIBRATION), "--range", method)["comparison"]
        low, high = report["accuracy_difference_interval"]
        print(f"{method:<12}{report['accuracy_float'] * 100:>7.2f} %{report['accuracy_quantised'] * 100:>9.2f} %"
              f"{report['accuracy_difference'] * 100:>+12.2f}   {low * 100:+.2f} to {high * 100:+.2f}   "
              f"{report['top1_agreement'] * 100:>9.2f} %{report['outputs'][0]['sqnr_db']:>13.1f} dB", flush=True)
        if not report["held_out"] or report["samples"] != arguments.images:
            failures.append(f"{method}: judged on {report['samples']} samples")
        if abs(report["accuracy_difference"]) > MARGIN or low < -MARGIN or high > MARGIN:
            failures.append(f"{method}: the difference or its interval leaves half a point")
        if not low < report["accuracy_quantised"] - report["accuracy_float"] < high:
            failures.append(f"{method}: the difference of the accuracies is outside of its interval")


def check_numpy_and_machine(arguments, options, images, labels, folder, failures):
    want = numpy_accuracy(arguments.model, images, labels)
    report = imported(arguments.mho, arguments.model, *options, "--calibration", str(len(images)), "--out", folder / "network")
    got = report["comparison"]["accuracy_float"]
    print(f"float accuracy on {len(images)} images: numpy {want * 100:.2f} %, mho {got * 100:.2f} %", flush=True)
    if abs(got - want) > 1.5 / len(images):   # one image may stand between two classes
        failures.append("numpy and mho disagree on the float accuracy")
    machine = subprocess.run([sys.executable, HERE / "compare_with_mho.py", arguments.mho, folder / "network" / "model.onnx",
                              folder / "some_images.pb", "--inferences", str(arguments.machine_images), "--system isaac_8b --fidelity exact"])
    if machine.returncode != 0:
        failures.append("outputs of the machine differ")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("model", type=pathlib.Path, help="float ONNX model of resnet20_shapes")
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--numpy-images", type=int, default=1000, help="of these, run by numpy as well")
    parser.add_argument("--machine-images", type=int, default=20, help="run on a simulated machine")
    arguments = parser.parse_args()
    failures = []
    calibration, test = render(CALIBRATION, CALIBRATION_SEED), render(arguments.images, TEST_SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        options = write_set(folder, "all", *[np.concatenate(parts) for parts in zip(calibration, test)])
        check_methods(arguments, options, failures)
        images, labels = (part[:arguments.numpy_images] for part in test)
        check_numpy_and_machine(arguments, write_set(folder, "some", images, labels), images, labels, folder, failures)
    print("\n".join(failures) if failures else "the imported network is as good as the float one")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
