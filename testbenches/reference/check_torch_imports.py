#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Float models that PyTorch exported, quantised by `mho import` and run on a simulated machine: every output code equals the numpy executor's, and the quantised
network stays close to the float one."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

from numpy_executor import Model, run_in_batches

LEAST_SQNR_DB = 25


def read(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


def codes_of(model, name, reals):
    """Reals as codes of a graph input: divided by its scale in double, ties to even. Samples that are codes already stay."""
    if reals.dtype != np.float32:
        return reals
    scale, zero = next(([model.constants[part] for part in node.inputs[1:]] for node in model.nodes
                        if node.operator == "DequantizeLinear" and node.inputs[0] == name))
    codes = np.rint(reals.astype(np.float64) / float(scale)) + int(zero)
    limits = np.iinfo(zero.dtype)
    return np.clip(codes, limits.min, limits.max).astype(zero.dtype)


def check(mho, path, folder):
    """The float network's signal to noise and whether all codes are equal."""
    samples, network = path.with_suffix(".input.pb"), folder / path.stem
    command = [mho, "import", path, "--samples", samples, "--out", network, "--json"]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    subprocess.run([mho, "run", "--system", "isaac_8b", "--network", network / f"{path.stem}.yaml", "--out", folder / "run"],
                   check=True, stdout=subprocess.DEVNULL)
    model, reals = Model(network / "model.onnx"), read(samples)
    name = next(iter(model.inputs))
    wanted = run_in_batches(model, {name: codes_of(model, name, reals)}, len(reals))
    equal = all(np.array_equal(wanted[output].ravel(), read(folder / "run" / "outputs" / f"{output}.pb").ravel()) for output in model.outputs)
    return report["comparison"]["outputs"][0]["sqnr_db"], equal


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("models", type=pathlib.Path, nargs="+", help="float ONNX models X.onnx with samples in X.input.pb beside them")
    arguments = parser.parse_args()
    failures = 0
    for path in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            sqnr, equal = check(arguments.mho, path, pathlib.Path(folder))
        good = equal and sqnr > LEAST_SQNR_DB
        failures += not good
        print(f"{path.stem}: {'equal' if equal else 'DIFFERENT'}, {sqnr:.1f} dB{'' if good else ' FAILED'}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
