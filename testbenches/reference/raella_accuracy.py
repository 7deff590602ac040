#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of the trained network on RAELLA's crossbars: rendered test images through `mho run`, label by label against the integer
reference, which 8-bit ISAAC gives exactly. Prints the drop of each run with its 95 % interval from paired label flips.

Slicings that are searched for are searched once, on training images, and then hold for all test images.

  raella_accuracy.py build/mho                                       Centre+Offset and Zero+Offset on 10 000 images
  raella_accuracy.py build/mho --images 500 --run "7 bits=--system raella --set adc.bits=6"
"""
import argparse
import csv
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
from collections import Counter

import numpy as np
import onnx
from onnx import numpy_helper

from paired_accuracy import paired_drop

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from shapes_files import write_tensor  # noqa: E402
from shapes_renderer import render  # noqa: E402

TEST_SEED, TRAINING_SEED, CALIBRATION = 2020, 20, 10
REFERENCE = "--system isaac_8b --fidelity exact"
RAELLA, ZERO, ALIKE = "--system raella --fidelity sliced", "--set encoding=zero_offset", "--set 'weight_slicing=[4, 2, 2]'"
RUNS = [f"Centre+Offset={RAELLA}", f"Zero+Offset={RAELLA} {ZERO}", f"Centre+Offset 4-2-2={RAELLA} {ALIKE}",
        f"Zero+Offset 4-2-2={RAELLA} {ALIKE} {ZERO}"]
BATCH = 500        # images of a process: memory stays small, and cores are used


def render_batches(folder, count):
    """Folders with images.pb, BATCH images each, and all labels; calibration.pb beside them."""
    write_tensor(folder / "calibration.pb", "image", render(CALIBRATION, TRAINING_SEED)[0])
    images, labels = render(count, TEST_SEED)
    folders = []
    for start in range(0, count, BATCH):
        folders.append(folder / f"images_{start}")
        folders[-1].mkdir()
        write_tensor(folders[-1] / "images.pb", "image", images[start:start + BATCH])
    return folders, labels


def run_command(arguments, options, inputs, out):
    return [arguments.mho, "run", "--network", arguments.network, "--inputs", inputs, "--inferences", "all", *options, "--out", out]


def with_slicings(arguments, options, folder, out):
    """`options` and, unless they say how weights are sliced, the slicing of every layer as a first run finds it."""
    words = shlex.split(options)
    if any(word.startswith("weight_slicing=") for word in words):
        return words
    subprocess.run(run_command(arguments, words, folder / "calibration.pb", out), check=True, stdout=subprocess.DEVNULL)
    with open(out / "layers.csv", newline="", encoding="utf-8") as file:
        slicings = {row["name"]: row["slicing"].replace("-", ", ") for row in csv.DictReader(file) if row["slicing"]}
    print(f"  {len(slicings)} layers: " + ", ".join(f"{count} {slicing.replace(', ', '-')}" for slicing, count in Counter(slicings.values()).items()))
    return words + ["--set", "weight_slicing={" + ", ".join(f"{name}: [{slicing}]" for name, slicing in slicings.items()) + "}"]


def answers_of(arguments, options, name, folders, out):
    """Answers to all images, and the summaries of the processes."""
    waiting, running, answers, summaries = list(folders), [], {}, []
    while waiting or running:
        while waiting and len(running) < arguments.jobs:
            folder = waiting.pop(0)
            result = out / name / folder.name
            command = run_command(arguments, options, folder / "images.pb", result)
            running.append((folder, result, subprocess.Popen(command, stdout=subprocess.DEVNULL)))
        folder, result, process = running.pop(0)
        if process.wait() != 0:
            for _, _, other in running:
                other.terminate()
            sys.exit(f"{name}: {shlex.join(map(str, process.args))} failed")
        (logits,) = (result / "outputs").glob("*.pb")
        answers[folder] = numpy_helper.to_array(onnx.load_tensor(str(logits))).argmax(axis=1)
        summaries.append(json.loads((result / "summary.json").read_text(encoding="utf-8")))
        print(f"\r{name}: {sum(map(len, answers.values()))} images", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return np.concatenate([answers[folder] for folder in folders]), summaries


def conversions_line(summaries):
    """Sums over the processes of what the converters did, as far as the summaries have it."""
    total = {key: sum(summary[key] for summary in summaries) for key in ("adc_conversions", "adc_saturations", "macs", "speculations",
                                                                         "speculation_failures") if key in summaries[0]}
    line = f"{total['adc_conversions'] / total['macs']:.4f} conversions a multiply-accumulate, {total['adc_saturations']} saturated"
    if total.get("speculations"):
        line += f", {total['speculation_failures'] / total['speculations'] * 100:.2f} % of the speculations failed"
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mho", type=pathlib.Path, help="the program")
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--network", default="resnet20_shapes")
    parser.add_argument("--run", action="append", metavar="NAME=OPTIONS", help=f"of mho run; default: {' and '.join(RUNS)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time (default %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures here, too")
    arguments = parser.parse_args()
    arguments.mho = arguments.mho.resolve()
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folders, labels = render_batches(folder, arguments.images)
        reference, _ = answers_of(arguments, shlex.split(REFERENCE), "reference", folders, folder)
        print(f"{'integer reference':<20}{(reference == labels).mean() * 100:6.2f} %  of {len(labels)} images")
        for text in arguments.run or RUNS:
            title, _, options = text.partition("=")
            place = title.replace("/", "_")
            words = with_slicings(arguments, options, folder, folder / f"slicings of {place}")
            answers, summaries = answers_of(arguments, words, place, folders, folder)
            drop = paired_drop(answers, reference, labels)
            figures.append({"name": title, "options": options, "drop": drop.drop, **drop._asdict()})
            print(f"{title:<20}{drop}\n{'':<20}{conversions_line(summaries)}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
