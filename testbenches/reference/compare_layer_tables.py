#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs published networks with synthetic tensors on a simulated machine, exports the same networks, and computes them in
the numpy executor: every output code must agree. The export and the run draw weights, inputs and scales on their own."""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import numpy_helper

EXECUTOR = pathlib.Path(__file__).with_name("numpy_executor.py")


def read(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


def quietly(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the networks")
    parser.add_argument("--run", default="--system isaac_8b --fidelity exact", help="arguments of `mho run`")
    arguments = parser.parse_args()
    failures, settings = 0, [f"--set=network_parameters.{setting}" for setting in arguments.set]
    for network in arguments.networks:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            quietly(arguments.mho, "export", network, "--seed", arguments.seed, *settings, "--out", folder / "model")
            quietly(sys.executable, EXECUTOR, folder / "model/model.onnx", "--input", folder / "model/input_0.pb", "--out",
                    folder / "golden")
            quietly(arguments.mho, "run", *arguments.run.split(), "--network", network, "--seed", arguments.seed, *settings,
                    "--out", folder / "run")
            for expected in sorted((folder / "golden").glob("*.pb")):
                want, got = read(expected), read(folder / "run/outputs" / expected.name)
                varied = len(numpy.unique(want)) > 8  # a dead network would agree about nothing but zeros
                equal = want.dtype == got.dtype and want.shape == got.shape and bool(numpy.array_equal(want, got))
                failures += not (equal and varied)
                print(f"{network}: {expected.stem} {got.shape}: {'equal' if equal else 'DIFFERENT'}"
                      f"{'' if varied else ', ALL ALIKE'}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
