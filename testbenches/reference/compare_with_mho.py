#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a network on a simulated machine and in the numpy executor and compares every output code. The two share no
code: one is the program `mho` with all its modules, the other numpy alone."""
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("inputs", type=pathlib.Path)
    parser.add_argument("--inferences", type=int, default=200)
    parser.add_argument("runs", nargs="+", help="arguments of one run each, as one word: '--system isaac_8b'")
    arguments = parser.parse_args()
    count = str(arguments.inferences)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        golden = pathlib.Path(folder, "golden")
        subprocess.run([sys.executable, EXECUTOR, arguments.model, "--input", arguments.inputs, "--out", golden,
                        "--limit", count], check=True, stdout=subprocess.DEVNULL)
        for number, run in enumerate(arguments.runs):
            out = pathlib.Path(folder, f"run{number}")
            subprocess.run([arguments.mho, "run", "--network", arguments.model, "--inputs", arguments.inputs,
                            "--inferences", count, "--out", out, *run.split()], check=True, stdout=subprocess.DEVNULL)
            for expected in sorted(golden.glob("*.pb")):
                want, got = read(expected), read(out / "outputs" / expected.name)
                equal = want.dtype == got.dtype and want.shape == got.shape and bool(numpy.array_equal(want, got))
                failures += not equal
                print(f"{run}: {expected.stem} {got.shape}: {'equal' if equal else 'DIFFERENT'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
