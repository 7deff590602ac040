# SPDX-License-Identifier: Apache-2.0
"""Writes a folder of recorded layer inputs as `mho trace` does: one ONNX tensor a layer and index.yaml, which a
scenario replays with `trace: FOLDER`. Needs numpy and onnx; where the arrays come from is the caller's business."""
import json
import os
import re
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

FORMAT, VERSION = "mho trace", 1
LONGEST_NAME = 100


class TraceError(ValueError):
    """What is wrong with the request, in one line."""


@dataclass(frozen=True)
class CodeFormat:
    """8-bit codes: real value = (code - zero_point) * scale."""
    type: str  # uint8 or int8
    scale: float
    zero_point: int = 0

    def __post_init__(self):
        if self.type not in ("uint8", "int8"):
            raise TraceError(f"codes of type '{self.type}' (uint8 or int8)")
        limits = np.iinfo(self.type)
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise TraceError(f"scale {self.scale} (a number above zero)")
        if not limits.min <= self.zero_point <= limits.max:
            raise TraceError(f"zero point {self.zero_point} ({limits.min} to {limits.max})")

    def codes(self, values):
        """clip(rint(x / scale) + zero_point), ties to even, as ONNX's QuantizeLinear."""
        limits = np.iinfo(self.type)
        return np.clip(np.rint(np.asarray(values, np.float64) / self.scale) + self.zero_point,
                       limits.min, limits.max).astype(self.type)


@dataclass(frozen=True)
class RecordedLayer:
    """Inputs of one layer, [N, C, H, W], [N, C] or [N, positions, C]: real numbers, or codes with their format."""
    name: str  # as the recorder calls the layer: a module of PyTorch
    inputs: np.ndarray
    node: str = ""  # of the network that replays it, where it has another name there
    operator: str = ""
    format: CodeFormat = None  # of codes; real numbers are quantised with it, without it they stay real numbers

    def stored(self):
        """The array as it goes into the file."""
        array = np.asarray(self.inputs)
        if not 2 <= array.ndim <= 4 or array.size == 0:
            raise TraceError(f"layer '{self.name}': an array of shape {list(array.shape)} ([N, C, H, W], [N, C] or [N, positions, C])")
        if array.dtype in (np.uint8, np.int8):
            if self.format is None or self.format.type != array.dtype.name:
                raise TraceError(f"layer '{self.name}': codes of {array.dtype} need a format of that type, with scale and zero point")
            return array
        if not np.issubdtype(array.dtype, np.floating):
            raise TraceError(f"layer '{self.name}': an array of {array.dtype} (uint8, int8 or real numbers)")
        if not np.isfinite(array).all():
            raise TraceError(f"layer '{self.name}': holds what is not a finite number")
        return self.format.codes(array) if self.format else array.astype(np.float32)


def file_name(layer, taken):
    """A plain name for the layer's tensor that no other layer has."""
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", layer)[:LONGEST_NAME]
    stem = "_" + stem if not stem or stem.startswith(".") else stem
    name, number = f"{stem}.pb", 2
    while name in taken:
        name, number = f"{stem}-{number}.pb", number + 1
    taken.add(name)
    return name


def layer_lines(layer, array, file, crc32):
    """The layer's entry of index.yaml; JSON strings are YAML strings."""
    lines = [f"name: {json.dumps(layer.name, ensure_ascii=False)}"]
    if layer.node and layer.node != layer.name:
        lines.append(f"node: {json.dumps(layer.node, ensure_ascii=False)}")
    if layer.operator:
        lines.append(f"operator: {json.dumps(layer.operator)}")
    lines += [f"file: {json.dumps(file)}", f"crc32: 0x{crc32:x}", f"dims: {list(array.shape)}",
              f"type: {'float' if array.dtype == np.float32 else array.dtype.name}"]
    if layer.format:
        lines += [f"scale: {float(layer.format.scale)!r}", f"zero_point: {int(layer.format.zero_point)}"]
    return ["  - " + lines[0]] + ["    " + line for line in lines[1:]]


def write_files(folder, layers, network):
    taken, text = set(), []
    counts = {len(layer.inputs) for layer in layers}
    if len(counts) != 1:
        raise TraceError(f"layers hold different numbers of inferences: {sorted(counts)} (as many in every layer)")
    for layer in layers:
        array, file = layer.stored(), file_name(layer.name, taken)
        data = numpy_helper.from_array(np.ascontiguousarray(array), layer.name).SerializeToString()
        (folder / file).write_bytes(data)
        text += layer_lines(layer, array, file, zlib.crc32(data))
    head = [f"format: {FORMAT}", f"version: {VERSION}"] + ([f"network: {json.dumps(network)}"] if network else [])
    head += [f"inferences: {counts.pop()}", "layers:"]
    (folder / "index.yaml").write_text("\n".join(head + text) + "\n", encoding="utf-8")


def write_trace(folder, layers, network=""):
    """Writes a new folder, as a whole or not at all. `layers`: RecordedLayer, each node of the network once."""
    folder, layers = Path(folder), list(layers)
    if not layers:
        raise TraceError("no layers (one or more)")
    nodes = [layer.node or layer.name for layer in layers]
    twice = next((node for node in nodes if nodes.count(node) > 1), None)
    if twice is not None:
        raise TraceError(f"node '{twice}' stands for two layers (each node once)")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TraceError(f"{folder}: exists (a new folder)")
    temporary = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    temporary.mkdir(parents=True)
    try:
        write_files(temporary, layers, network)
        os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def read_tensor(path):
    """An array from an ONNX tensor file or numpy's .npy."""
    path = Path(path)
    if path.suffix == ".npy":
        return np.load(path)
    return numpy_helper.to_array(onnx.load_tensor(str(path)))
