#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records what goes into convolutions and linear layers of a PyTorch model and writes it as a folder that mho replays.

  record_torch_inputs.py my_net.py:make_model samples.pb --out recorded --layers conv1,fc --node conv1=/conv1/Conv
  mho run --system isaac_8b --network my_net.onnx --set trace=recorded

make_model is a function without arguments that returns the nn.Module, or the module itself. Inputs are kept as real
numbers, which mho quantises with the format of the layer's input, unless --format says what codes they become.
From Python: record_inputs(model, samples) and trace_folder.write_trace(folder, layers)."""
import argparse
import importlib.util
import sys
from pathlib import Path

import numpy as np

from trace_folder import CodeFormat, RecordedLayer, TraceError, read_tensor, write_trace


def recordable(model):
    """nn.Conv2d and nn.Linear by their name in the model."""
    import torch  # only here: everything else of the script works without it
    return {name: module for name, module in model.named_modules()
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear))}


def chosen_modules(model, layers):
    modules = recordable(model)
    unknown = [name for name in layers or () if name not in modules]
    if unknown:
        raise TraceError(f"the model has no nn.Conv2d or nn.Linear '{unknown[0]}' (it has {', '.join(modules) or 'none'})")
    if not modules:
        raise TraceError("the model has no nn.Conv2d and no nn.Linear")
    return {name: modules[name] for name in layers or modules}


def record_inputs(model, samples, layers=None, batch=50):
    """RecordedLayer of each chosen module (None: all nn.Conv2d and nn.Linear) for all samples, an array [N, ...]."""
    import torch
    modules = chosen_modules(model, layers)
    seen = {name: [] for name in modules}

    def keep(name):
        return lambda module, arguments: seen[name].append(arguments[0].detach().cpu().numpy().astype(np.float32))

    hooks = [module.register_forward_pre_hook(keep(name)) for name, module in modules.items()]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for number, start in enumerate(range(0, len(samples), batch), 1):
                part = samples[start:start + batch]
                model(torch.from_numpy(np.array(part)))
                for name, inputs in seen.items():
                    if len(inputs) != number or len(inputs[-1]) != len(part):
                        raise TraceError(f"module '{name}' does not run once for each sample, so its inputs are no trace")
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return [RecordedLayer(name, np.concatenate(inputs), operator=type(modules[name]).__name__)
            for name, inputs in seen.items()]


def load_model(text):
    path, colon, name = text.rpartition(":")
    if not colon or not Path(path).is_file():
        raise TraceError(f"{text}: no such file (FILE.py:NAME of a function or module)")
    spec = importlib.util.spec_from_file_location("recorded_model", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(Path(path).resolve().parent))
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise TraceError(f"{path}: has no '{name}'")
    found = getattr(module, name)
    return found if hasattr(found, "named_modules") else found()


def assignments(texts, option):
    """NAME=VALUE of repeated options."""
    pairs = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals or not name or not value:
            raise TraceError(f"{option} {text}: no assignment (NAME=VALUE)")
        pairs[name] = value
    return pairs


def code_format(text):
    """uint8,0.02,0"""
    parts = text.split(",")
    try:
        return CodeFormat(parts[0], float(parts[1]), int(parts[2]) if len(parts) > 2 else 0)
    except (IndexError, ValueError) as error:
        raise TraceError(f"--format {text}: {error if isinstance(error, TraceError) else 'TYPE,SCALE,ZERO_POINT is meant'}") from error


def described(layers, nodes, formats):
    names = [layer.name for layer in layers]
    for option, given in (("--node", nodes), ("--format", formats)):
        for name in given:
            if name not in names:
                raise TraceError(f"{option} {name}=...: no layer of that name is recorded ({', '.join(names)})")
    return [RecordedLayer(layer.name, layer.inputs, nodes.get(layer.name, ""), layer.operator, formats.get(layer.name))
            for layer in layers]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="FILE.py:NAME", help="what makes the model")
    parser.add_argument("samples", type=Path, help="inputs of the model, ONNX tensor (.pb) or .npy; the first axis counts samples")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--layers", metavar="NAME,...", help="modules as in named_modules(); all nn.Conv2d and nn.Linear if absent")
    parser.add_argument("--node", action="append", default=[], metavar="NAME=NODE",
                        help="node of the network (mho's layers.csv) that the module is, where the names differ; repeat for more")
    parser.add_argument("--format", action="append", default=[], metavar="NAME=TYPE,SCALE,ZERO",
                        help="store codes: uint8 or int8, scale and zero point of the layer's input in the network")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N samples")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    try:
        formats = {name: code_format(text) for name, text in assignments(arguments.format, "--format").items()}
        nodes = assignments(arguments.node, "--node")
        names = arguments.layers.split(",") if arguments.layers else None
        layers = record_inputs(load_model(arguments.model), read_tensor(arguments.samples)[:arguments.limit], names)
        write_trace(arguments.out, described(layers, nodes, formats), Path(arguments.model.rpartition(":")[0]).stem)
    except (TraceError, OSError) as error:
        print(f"record_torch_inputs.py: {error}", file=sys.stderr)
        return 2
    print(f"Inputs of {len(layers)} layers are in {arguments.out}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
