# SPDX-License-Identifier: Apache-2.0
"""Which files a run depends on, so that a point whose files have changed is run again: scenario, system, their `base:`,
network, model, inputs, labels, and the program itself."""
import functools
import hashlib
import os
import pathlib

import yaml

PLACES = {"system": ["systems/{}.yaml"], "network": ["networks/{}.yaml", "networks/{}/model.onnx"],
          "scenario": ["{}.yaml"]}


@functools.lru_cache(maxsize=None)
def digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def scenario_folders(program):
    """Where `mho` looks names up: MHO_SCENARIOS, the source tree, the installed data."""
    own = [folder for folder in os.environ.get("MHO_SCENARIOS", "").split(":") if folder]
    standard = [pathlib.Path(__file__).parents[1] / "scenarios",
                pathlib.Path(program).resolve().parents[1] / "share/mho/scenarios"]
    return [pathlib.Path(folder) for folder in own] + standard


class Files:
    """Files that a tree of names and paths leads to."""

    def __init__(self, folders):
        self.folders = folders
        self.found = {}

    def add(self, kind, written, folder):
        if not isinstance(written, str) or not written:
            return
        is_path = "/" in written or written.endswith((".yaml", ".onnx", ".pb"))
        places = [folder / written] if is_path else [
            root / place.format(written) for root in self.folders for place in PLACES.get(kind, [])]
        for place in places:
            if place.is_file():
                return self.add_file(kind, place.resolve())

    def add_file(self, kind, path):
        if str(path) in self.found:
            return
        self.found[str(path)] = digest(str(path))
        if path.suffix != ".yaml":
            return
        try:
            with open(path, encoding="utf-8") as file:
                tree = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            return
        if isinstance(tree, dict):
            self.add_tree(kind, tree, path.parent)

    def add_tree(self, kind, tree, folder):
        self.add(kind, tree.get("base"), folder)
        for key in ("system", "network", "model", "labels"):
            self.add(key, tree.get(key), folder)
        inputs, trace = tree.get("inputs"), tree.get("trace")
        for path in inputs.values() if isinstance(inputs, dict) else inputs if isinstance(inputs, list) else []:
            self.add("inputs", path, folder)
        index = trace.get("folder") if isinstance(trace, dict) else trace
        self.add("trace", f"{index}/index.yaml" if isinstance(index, str) else None, folder)


def plain(text):
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def dependencies(sweep, name, program):
    """{path: digest} of what a point of a sweep reads."""
    files = Files(scenario_folders(program))
    files.add("scenario", sweep.base.get("scenario"), sweep.folder)
    tree = {key: value for key, value in sweep.base.items() if key != "scenario"}
    for key, value in {**sweep.always, **sweep.points[name]}.items():
        tree[key] = plain(value)
    files.add_tree("scenario", tree, sweep.folder)
    return {**files.found, program: digest(program)}
