# SPDX-License-Identifier: Apache-2.0
"""Runs of the sweeps behind scripts/reproduce: which sweeps there are, smaller versions of them for a trial, and what
a run left: summary, layers, and how long its crossbars alone would take."""
import csv
import dataclasses
import functools
import json
import pathlib

import yaml

from sweep_file import Sweep
from sweep_report import number, read_results

SWEEP_FILES = pathlib.Path(__file__).resolve().parents[1] / "scenarios" / "sweeps"
QUICK_NETWORKS = ["shufflenet_v2", "resnet20_shapes"]


@dataclasses.dataclass(frozen=True)
class SweepOf:
    file: str
    long: bool = False  # last, and not in a trial


SWEEPS = {name: SweepOf(f"raella_{name}.yaml", name == "bert") for name in
          ["ladder", "networks", "speculation", "copies", "links", "free", "resistances", "noise", "bert"]}
SWEEPS["noise"] = SweepOf("raella_ladder_noise.yaml")


def reduced(tree):
    """A sweep of small networks, few inferences, and the ends of every list of numbers."""
    parameters = tree.get("parameters", {})
    for key, values in parameters.items():
        if key == "network":
            parameters[key] = [network for network in values if network in QUICK_NETWORKS] or values[:1]
        elif key == "noise.seed":
            parameters[key] = values[:2]
        elif key != "system":
            parameters[key] = [values[0], values[-1]]
    if "points" in tree:
        tree["points"] = [point for point in tree["points"]
                          if point.get("network", QUICK_NETWORKS[0]) in QUICK_NETWORKS]
    tree["set"]["inferences"] = min(tree["set"]["inferences"], 10 if tree["set"].get("fidelity") == "noisy" else 2)
    return tree


def sweep_file(name, out, quick):
    source = SWEEP_FILES / SWEEPS[name].file
    if not quick:
        return source
    path = out / "sweeps" / source.name
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = reduced(yaml.safe_load(source.read_text(encoding="utf-8")))
    path.write_text(yaml.safe_dump(tree, sort_keys=False, default_flow_style=None), encoding="utf-8")
    return path


class Run:
    """What one point of a sweep left."""

    def __init__(self, parameters, folder):
        self.parameters = parameters
        self.folder = folder
        self.summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))

    def __getattr__(self, name):
        return self.summary[name]

    @functools.cached_property
    def layers(self):
        """Layers with weights, as layers.csv has them."""
        with open(self.folder / "layers.csv", newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if row["slicing"]]

    @functools.cached_property
    def machine(self):
        return yaml.safe_load((self.folder / "effective.yaml").read_text(encoding="utf-8"))

    @property
    def success(self):
        """Share of speculated conversions that were right; 1 without speculation."""
        return 1 - self.speculation_failures / self.speculations if self.speculations else 1.0

    def success_of(self, width):
        """Of speculated slices of 4 or of 2 bits, under [4, 2, 2] with 1-bit recovery: each failure of a slice is read
        again as often as it has bits, so failures and recoveries together tell which slices failed."""
        if self.machine["speculation"] != [4, 2, 2]:
            return None
        wide = (self.recovery_conversions - 2 * self.speculation_failures) / 2
        failures, share = (wide, 1 / 3) if width == 4 else (self.speculation_failures - wide, 2 / 3)
        return 1 - failures / (self.speculations * share)

    @property
    def recovered(self):
        """Conversions that recovery adds to the three a column that are speculated."""
        return self.recovery_conversions / self.speculations * len(self.machine["speculation"])

    def crossbar_interval_s(self):
        """Interval between inferences if crossbars were all that takes time: that of the layer with the most cycles
        for each of its copies, which is how the paper's model has it."""
        return max(cycles_of(row, self.machine) * int(row["windows"]) / (int(row["replicas"]) * int(row["expansion"]))
                   for row in self.layers) * number(self.machine["crossbar"]["cycle"])[0] * 1e-9


def cycles_of(row, machine):
    """Crossbar cycles of one vector, from the conversions a MAC: slices * conversions of a column / rows. Signed
    activations that go in two passes are seen here as twice as many."""
    speculated, slices = int(row["speculations"]), row["slicing"].count("-") + 1
    conversions = float(row["conversions_per_mac_full_rows"]) * machine["crossbar"]["rows"] / slices
    if not speculated:
        return round(conversions)
    tried = len(machine["speculation"])
    passes = conversions / (tried * (1 + int(row["recovery_conversions"]) / speculated))
    return round(passes) * (tried + len(machine["input_slicing"]))


def read_runs(name, out, quick):
    """Runs that have finished."""
    sweep = Sweep(str(sweep_file(name, out, quick)))
    folder = out / name
    runs = []
    for row in read_results(sweep, folder):
        if row["status"] == "finished":
            parameters = {**sweep.base, **sweep.always, **row["parameters"]}
            runs.append(Run(parameters, folder / "points" / row["point"]))
    return runs


def pick(runs, **wanted):
    """The run with these parameters, `__` for a dot in their names; None if it has not finished. A value of None: the
    parameter is not set."""
    for run in runs:
        if all(run.parameters.get(key.replace("__", ".")) == value for key, value in wanted.items()):
            return run
    return None
