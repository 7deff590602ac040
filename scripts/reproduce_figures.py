# SPDX-License-Identifier: Apache-2.0
"""Published figures beside measured ones: reads claims, works out deviations and writes tables for people (report.md)
and for programs (results.csv, results.json)."""
import csv
import dataclasses
import json
import math
import re

import yaml

from sweep_file import SweepError

LARGEST_DEVIATION = 15.0  # percent; what lies above is marked and looked into
FACTORS = {"": 1.0, "%": 0.01, "us": 1e-6, "mm2": 1.0, "um2": 1e-6}  # areas in mm2, times in s


@dataclasses.dataclass(frozen=True)
class Claim:
    """A published figure, with where it stands."""
    value: float
    source: str

    @property
    def up_to(self):
        """The largest of the figures that it is the mean of, where the publication states it."""
        match = re.search(r"up to ([0-9.]+[0-9])", self.source)
        return float(match[1]) if match else None


def read_claims(folder, machines):
    """{name: Claim} of the machine that comes first, {machine.name: Claim} of the others."""
    claims = {}
    for machine in machines:
        path = folder / f"{machine}_claims.yaml"
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8"))["claims"]
        except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
            raise SweepError(f"{path}: no claims can be read: {' '.join(str(error).split())}") from None
        for name, entry in entries.items():
            value, _, unit = str(entry["value"]).partition(" ")
            key = name if machine == machines[0] else f"{machine}.{name}"
            claims[key] = Claim(float(value) * FACTORS[unit], entry["source"])
    return claims


@dataclasses.dataclass(frozen=True)
class Figure:
    """A measured figure; `bound` says that the published one is a limit and not what is expected."""
    step: str
    name: str
    measured: float
    published: float = None
    system: str = ""
    network: str = ""
    case: str = ""
    low: float = None
    high: float = None
    bound: str = ""  # "at most", "up to"
    source: str = ""

    @property
    def deviation(self):
        """In percent of the published figure; None where there is nothing to compare."""
        if self.published is None or self.bound or not math.isfinite(self.measured):
            return None
        return (self.measured / self.published - 1) * 100

    @property
    def deviates(self):
        return self.deviation is not None and abs(self.deviation) > LARGEST_DEVIATION

    def record(self):
        return {**dataclasses.asdict(self), "deviation_percent": self.deviation, "deviates": self.deviates}


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def shown(value, digits=3):
    """A number as people read it: three digits, none behind the point above a hundred."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if isinstance(value, str):
        return value
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.{digits}g}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def shown_deviation(figure):
    if figure is None or figure.deviation is None:
        return ""
    return f"{figure.deviation:+.0f} %" + (" **" if figure.deviates else "")


@dataclasses.dataclass
class Table:
    """Rows of texts and numbers under a heading; `notes` stand below."""
    title: str
    header: list
    rows: list
    notes: list = dataclasses.field(default_factory=list)

    def text(self):
        """In Markdown, with columns that line up."""
        cells = [[shown(cell) for cell in row] for row in [self.header] + self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.header))]
        numeric = [all(not isinstance(row[i], str) or row[i] in ("", "-") for row in self.rows)
                   for i in range(len(self.header))]
        lines = ["| " + " | ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right
                                   in zip(row, widths, numeric)) + " |" for row in cells]
        lines.insert(1, "|" + "|".join("-" * (width + 1) + (":" if right else "-")
                                       for width, right in zip(widths, numeric)) + "|")
        return "\n".join([f"### {self.title}", ""] + lines + [""] * bool(self.notes) + self.notes)


def write_results(folder, tables, figures):
    (folder / "report.md").write_text("\n\n".join(table.text() for table in tables) + "\n", encoding="utf-8")
    records = [figure.record() for figure in figures]
    columns = [field.name for field in dataclasses.fields(Figure)] + ["deviation_percent", "deviates"]
    with open(folder / "results.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in record.items()}
                        for record in records)
    finite = [{key: value if not isinstance(value, float) or math.isfinite(value) else None
               for key, value in record.items()} for record in records]
    (folder / "results.json").write_text(json.dumps(finite, indent=1) + "\n", encoding="utf-8")
