# SPDX-License-Identifier: Apache-2.0
"""Reads a sweep file, strictly: which points there are, and what is gathered and drawn from them. Values stay the text
that was written, because `mho` reads them: `100 ns` is none of Python's business."""
import difflib
import itertools
import json
import pathlib
import re

import yaml

KEYS = ["description", "scenario", "system", "network", "set", "parameters", "points", "metrics", "plot"]
PLOT_KEYS = ["x", "y", "series", "log", "title"]
OPTIONS = ["system", "network", "inferences", "fidelity", "seed", "labels"]  # of mho run; everything else is `--set`
METRICS = ["accuracy_top1", "output_mean_abs_error", "latency_s", "throughput_per_s", "energy_per_inference_j",
           "area_mm2", "adc_conversions_per_mac"]
MOST_POINTS = 100_000


class SweepError(Exception):
    """Something in the sweep file is wrong; one line."""


class Place:
    """Where something stands, for messages."""

    def __init__(self, path, mark):
        self.where = f"{path}:{mark.line + 1}:{mark.column + 1}"

    def error(self, problem, allowed):
        return SweepError(f"{self.where}: {problem} ({allowed})")


def suggestion(word, known):
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


class Reader:
    """The values of one file, with the places they stand at."""

    def __init__(self, path):
        self.path = path

    def place(self, node):
        return Place(self.path, node.start_mark)

    def load(self, text):
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                if getattr(event, "anchor", None) is not None:
                    raise self.place(event).error("an anchor or alias", "every value written where it is used")
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            raise SweepError(f"{self.path}{where}: {error.problem or 'no YAML'} (YAML)") from None
        except (yaml.YAMLError, RecursionError) as error:
            raise SweepError(f"{self.path}: {' '.join(str(error).split())[:200]} (YAML)") from None
        if root is None:
            raise SweepError(f"{self.path}: the file is empty (keys: {', '.join(KEYS)})")
        return root

    def mapping(self, node, what, known=None):
        """Members by key; refuses keys that are not `known` and those that come twice."""
        if not isinstance(node, yaml.MappingNode):
            raise self.place(node).error(f"{what} is {kind_of(node)}", "`key: value` pairs")
        members = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value:
                raise self.place(key).error("a key is no text", "a key")
            if key.value in members:
                raise self.place(key).error(f"`{key.value}` is there twice", "every key once")
            if known is not None and key.value not in known:
                raise self.place(key).error(f"unknown key `{key.value}`{suggestion(key.value, known)}",
                                            "keys: " + ", ".join(known))
            members[key.value] = value
        return members

    def text(self, node, what):
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            raise self.place(node).error(f"{what} is {kind_of(node)}", "a text")
        return node.value

    def texts(self, node, what):
        """One text or a list of them."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not nodes:
            raise self.place(node).error(f"{what} is empty", "at least one")
        return [self.text(item, what) for item in nodes]

    def value(self, node, what):
        """A value as `--set` takes it: what was written, lists and mappings in one line."""
        if isinstance(node, yaml.ScalarNode):
            if not node.value:
                raise self.place(node).error(f"{what} has no value", "a value as in `mho list keys`")
            return json.dumps(node.value) if node.style in ("'", '"') else node.value.replace("\n", " ")
        if isinstance(node, yaml.SequenceNode):
            return "[" + ", ".join(self.value(item, what) for item in node.value) + "]"
        return "{" + ", ".join(f"{key}: {self.value(item, what)}"
                               for key, item in self.mapping(node, what).items()) + "}"

    def overrides(self, node, what):
        return {key: self.value(value, f"`{key}`") for key, value in self.mapping(node, what).items()}


def kind_of(node):
    return {"scalar": "a single value", "sequence": "a list", "mapping": "a mapping"}[node.id]


def point_name(parameters, taken):
    """A name for a folder, the same whenever the values are the same."""
    name = ",".join(f"{key}={value}" for key, value in parameters.items()) or "point"
    name = re.sub(r"[^A-Za-z0-9_.=,+-]", "_", name)[:120].lstrip(".-")
    unique = name
    for number in itertools.count(2):
        if unique not in taken:
            return unique
        unique = f"{name}_{number}"


class Sweep:
    """What a sweep file asks for.

    points: {name: {key: value}}, the product of `parameters` first, then `points`; columns: keys that any point sets;
    arguments(name): of `mho`, without --out."""

    def __init__(self, path):
        self.path = path
        if pathlib.Path(path).exists() and not pathlib.Path(path).is_file():
            raise SweepError(f"{path}: is no file (a sweep file, see scenarios/sweeps)")
        try:
            text = pathlib.Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SweepError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'no UTF-8'} "
                             "(a sweep file, see scenarios/sweeps)") from None
        self.folder = pathlib.Path(path).resolve().parent
        reader = Reader(path)
        root = reader.load(text)
        members = reader.mapping(root, "a sweep", KEYS)
        self.base = {key: reader.text(members[key], f"`{key}`") for key in ("scenario", "system", "network")
                     if key in members}
        self.always = reader.overrides(members["set"], "`set`") if "set" in members else {}
        self._read_points(reader, members, root)
        self.metrics = reader.texts(members["metrics"], "`metrics`") if "metrics" in members else list(METRICS)
        self.places = {name: reader.place(members[name]) for name in ("metrics", "plot") if name in members}
        self.plot = self._read_plot(reader, members["plot"]) if "plot" in members else None
        self._require_machine(reader, root)

    def _read_points(self, reader, members, root):
        listed = []
        if "parameters" in members:
            axes = reader.mapping(members["parameters"], "`parameters`")
            for key, node in axes.items():
                if not isinstance(node, yaml.SequenceNode) or not node.value:
                    raise reader.place(node).error(f"`{key}` is {kind_of(node)}", "a list of values: [a, b]")
            values = [[reader.value(item, f"`{key}`") for item in node.value] for key, node in axes.items()]
            count = 1
            for axis in values:
                count *= len(axis)
            if count > MOST_POINTS:
                raise reader.place(members["parameters"]).error(f"{count} points", f"at most {MOST_POINTS}")
            listed += [(dict(zip(axes, combination)), members["parameters"])
                       for combination in itertools.product(*values)] if axes else []
        if "points" in members:
            if not isinstance(members["points"], yaml.SequenceNode):
                raise reader.place(members["points"]).error(f"`points` is {kind_of(members['points'])}",
                                                            "a list of `{key: value}`")
            listed += [(reader.overrides(node, "a point"), node) for node in members["points"].value]
        if not listed:
            raise reader.place(root).error("there is no point", "`parameters: {key: [values]}`, or `points:`")
        self.points, seen = {}, set()
        for parameters, node in listed:
            identity = tuple(sorted(parameters.items()))
            if identity in seen:
                raise reader.place(node).error(f"the point {point_name(parameters, ())} is there twice",
                                               "every point once")
            seen.add(identity)
            self.points[point_name(parameters, self.points)] = parameters
        self.columns = list(dict.fromkeys(key for parameters in self.points.values() for key in parameters))

    def _read_plot(self, reader, node):
        members = reader.mapping(node, "`plot`", PLOT_KEYS)
        for key in ("x", "y"):
            if key not in members:
                raise reader.place(node).error(f"missing key `{key}`", "a parameter or figure for each axis")
        plot = {"x": reader.text(members["x"], "`x`"), "y": reader.texts(members["y"], "`y`"),
                "series": reader.text(members["series"], "`series`") if "series" in members else None,
                "log": reader.texts(members["log"], "`log`") if "log" in members else [],
                "title": reader.text(members["title"], "`title`") if "title" in members else None}
        if plot["series"] is not None and plot["series"] not in self.columns:
            raise reader.place(members["series"]).error(
                f"`{plot['series']}` is no parameter{suggestion(plot['series'], self.columns)}",
                "one of " + ", ".join(self.columns))
        for word in plot["log"]:
            if word not in ("x", "y"):
                raise reader.place(members["log"]).error(f"`{word}` is no axis", "x, y or [x, y]")
        return plot

    def _require_machine(self, reader, root):
        if "scenario" in self.base or "system" in self.base:
            return
        for name, parameters in self.points.items():
            if "system" not in parameters and "system" not in self.always:
                raise reader.place(root).error(f"the point {name} has no system",
                                               "`scenario: NAME`, or `system: NAME` and `network: NAME`")

    def arguments(self, name):
        values = {**{key: value for key, value in self.base.items() if key != "scenario"}, **self.always,
                  **self.points[name]}
        arguments = ["run"] + ([self.base["scenario"]] if "scenario" in self.base else [])
        return arguments + [f"--{key}={value}" if key in OPTIONS else f"--set={key}={value}"
                            for key, value in values.items()]
