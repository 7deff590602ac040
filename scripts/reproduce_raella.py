# SPDX-License-Identifier: Apache-2.0
"""What RAELLA's publication (ISCA 2023) measured, from the runs of this project: the steps from 8-bit ISAAC, seven
networks, accuracy and noise. What deviations hang on stands in reproduce_constants.py."""
import dataclasses
import json
import math
import statistics
from typing import Callable

from reproduce_figures import Figure, Table, geometric_mean, shown, shown_deviation
from reproduce_runs import pick

BASE, FULL, PLAIN = "isaac_raella", "raella", "raella_adaptive_slicing"
LADDER = [BASE, "raella_centre_offset", PLAIN, FULL]
NETWORKS = ["googlenet", "inception_v3", "resnet18", "resnet50", "mobilenet_v2", "shufflenet_v2", "bert_large"]
LINKS, FREE_LINKS = "4.8 GB/s", "1 TB/s"
PER_MAC = {BASE: "isaac_raella.conversions_per_mac_full_rows", PLAIN: "conversions_per_mac_full_rows_adaptive",
           "raella_centre_offset": "conversions_per_mac_full_rows_centre_offset", FULL: "conversions_per_mac_full_rows"}
SUFFIX = {FULL: "", PLAIN: "_without_speculation"}  # of the claims about means


@dataclasses.dataclass
class Experiment:
    """Claims and runs, and the figures that steps get out of them."""
    claims: dict
    runs: dict            # {name of a sweep: [Run]}
    accuracy_file: object
    figures: list = dataclasses.field(default_factory=list)

    def add(self, *arguments, claim=None, **more):
        """A figure, beside the published one if there is a claim of that name."""
        if claim is not None:
            more = {"published": self.claims[claim].value, "source": self.claims[claim].source, **more}
        self.figures.append(Figure(*arguments, **more))
        return self.figures[-1]

    def of_network(self, network, system, bandwidth=LINKS):
        return pick(self.runs.get("networks", []) + self.runs.get("bert", []), network=network, system=system,
                    router__bandwidth=bandwidth)

    def complete(self, bandwidth=LINKS):
        """Networks of which every machine has run."""
        return [network for network in NETWORKS
                if all(self.of_network(network, system, bandwidth) for system in (BASE, PLAIN, FULL))]

    def ratio(self, quantity, network, system, bandwidth=LINKS):
        """How much better than the baseline: of a function of a run that says how good it is."""
        return (quantity(self.of_network(network, system, bandwidth)) /
                quantity(self.of_network(network, BASE, bandwidth)))


def efficiency(run):
    return 1 / run.energy_per_inference_j


def throughput(run):
    return run.throughput_per_s


def crossbars_alone(run):
    return 1 / run.crossbar_interval_s()


def ladder_tables(experiment):
    rows, runs = [], experiment.runs.get("ladder", [])
    for network in ("resnet18", "resnet20_shapes"):
        base = pick(runs, network=network, system=BASE, adc__bits=None)
        for system in LADDER:
            run = pick(runs, network=network, system=system, adc__bits=None)
            if run is None or base is None:
                continue
            full = experiment.add("ladder", "conversions_per_mac_full_rows", run.adc_conversions_per_mac_full_rows,
                                  claim=PER_MAC[system], system=system, network=network)
            in_seven = run if system != BASE else pick(runs, network=network, system=BASE, adc__bits="7")
            share = in_seven.sums_in_range if in_seven else math.nan
            for name, value in (("conversions_per_mac", run.adc_conversions_per_mac), ("sums_in_7_bits", share),
                                ("energy_per_inference_j", run.energy_per_inference_j),
                                ("throughput_per_s", run.throughput_per_s)):
                experiment.add("ladder", name, value, system=system, network=network)
            rows.append([network, system, run.adc_conversions_per_mac, full.measured, full.published,
                         shown_deviation(full), f"{share * 100:.2f} %", run.energy_per_inference_j * 1e6,
                         efficiency(run) / efficiency(base), run.throughput_per_s, throughput(run) / throughput(base),
                         crossbars_alone(run) / crossbars_alone(base)])
    return [Table("Steps from 8-bit ISAAC to RAELLA",
                  ["network", "system", "conversions a MAC", "on fully used rows", "published", "deviation",
                   "sums within 7 bits", "energy, uJ", "efficiency", "inferences a second", "throughput",
                   "crossbars alone"], rows,
                  ["Efficiency and throughput are over isaac_raella; `crossbars alone` is the throughput of the layer",
                   "with the most cycles a copy, where nothing else takes time. Sums of isaac_raella: adc.bits=7."]),
            machine_table(experiment, pick(runs, network="resnet20_shapes", system=FULL))]


def machine_table(experiment, run):
    rows = []
    if run is not None:
        chip, crossbar_tiles = run.machine["chip"], run.machine["tile"]["crossbar_tiles"]
        tiles = run.crossbars_total / run.machine["crossbars"] / crossbar_tiles / run.chips
        cycle = min(float(row["interval_s"]) for row in run.layers)
        for name, measured, claim in (("tiles", tiles, "tiles"), ("time of a psum set, us", cycle, "psum_set_time"),
                                      ("area of counted parts, mm2", run.area_mm2, "chip_area")):
            scale = 1e6 if claim == "psum_set_time" else 1
            figure = experiment.add("ladder", claim, measured, claim=claim, system=FULL, network="resnet20_shapes")
            rows.append([name, figure.published * scale, measured * scale, shown_deviation(figure)])
        rows.append(["area that is compared by, mm2", "", chip["area"], ""])
    return Table("RAELLA's machine", ["figure", "published", "here", "deviation"], rows)


KINDS = [("energy_efficiency", "energy efficiency", efficiency, LINKS),
         ("throughput", "throughput", throughput, LINKS),
         ("throughput_links_free", "throughput, links free", throughput, FREE_LINKS),
         ("throughput_crossbars_alone", "throughput, crossbars alone", crossbars_alone, LINKS)]


def networks_tables(experiment):
    return [means_table(experiment), ratios_table(experiment), speculation_table(experiment)]


def mean_ratio(experiment, quantity, system, bandwidth=LINKS):
    return geometric_mean(experiment.ratio(quantity, network, system, bandwidth)
                          for network in experiment.complete(bandwidth))


def means_table(experiment):
    rows = []
    for name, words, quantity, bandwidth in KINDS:
        claimed = "energy_efficiency_mean" if name.startswith("energy") else "throughput_mean"
        ratios = [experiment.ratio(quantity, network, FULL, bandwidth) for network in experiment.complete(bandwidth)]
        for system in (FULL, PLAIN):
            figure = experiment.add("networks", name + "_mean", mean_ratio(experiment, quantity, system, bandwidth),
                                    claim=claimed + SUFFIX[system], system=system)
            rows.append([words, system, figure.published, figure.measured, shown_deviation(figure)])
        claim = experiment.claims[claimed]
        largest = experiment.add("networks", name + "_largest", max(ratios, default=math.nan), published=claim.up_to,
                                 system=FULL, bound="up to", source=claim.source)
        rows.append([words, "raella, largest", f"up to {shown(largest.published)}", largest.measured, ""])
    networks = experiment.complete()
    return Table(f"Over isaac_raella, geometric mean of {len(networks)} networks",
                 ["figure", "system", "published", "here", "deviation"], rows,
                 ["raella_adaptive_slicing is raella without speculation. ** deviates by more than 15 %."])


def ratios_table(experiment):
    rows = []
    for network in experiment.complete():
        row = [network]
        for name, _, quantity, bandwidth in KINDS:
            for system in (FULL, PLAIN):
                known = network in experiment.complete(bandwidth)
                value = experiment.ratio(quantity, network, system, bandwidth) if known else math.nan
                experiment.add("networks", name, value, system=system, network=network)
                row.append(value)
        rows.append(row)
    rows.append(["geometric mean"] + [geometric_mean(row[i] for row in rows) for i in range(1, 2 * len(KINDS) + 1)])
    header = ["network"] + [f"{short}{end}" for short in ("efficiency", "throughput", "links free", "crossbars alone")
                            for end in ("", ", no spec.")]
    return Table("Over isaac_raella, by network", header, rows)


def speculation_table(experiment):
    rows, successes, columns = [], [], []
    for network in experiment.complete():
        run, plain = experiment.of_network(network, FULL), experiment.of_network(network, PLAIN)
        base = experiment.of_network(network, BASE)
        successes.append(run.success)
        columns.append(3 + run.recovered)
        experiment.add("networks", "speculation_success", run.success, system=FULL, network=network)
        experiment.add("networks", "conversions_per_column", columns[-1], system=FULL, network=network)
        rows.append([network, base.adc_conversions_per_mac, plain.adc_conversions_per_mac, run.adc_conversions_per_mac,
                     plain.adc_conversions_per_mac_full_rows, run.adc_conversions_per_mac_full_rows,
                     f"{plain.sums_in_range * 100:.2f} %", f"{run.success * 100:.1f} %", columns[-1],
                     f"{run.adc_saturations / run.adc_conversions * 100:.2f} %"])
    if rows:
        success = experiment.add("networks", "speculation_success", statistics.fmean(successes),
                                 claim="speculation_success", system=FULL)
        column = experiment.add("networks", "conversions_per_column", statistics.fmean(columns),
                                claim="conversions_per_column", system=FULL)
        rows.append(["mean", "", "", "", "", "", "", f"{success.measured * 100:.1f} %", column.measured, ""])
        rows.append(["published", "", "", "", "", "", "", f"{success.published * 100:.0f} %", column.published, ""])
        rows.append(["deviation", "", "", "", "", "", "", shown_deviation(success), shown_deviation(column), ""])
    return Table("Conversions", ["network", "a MAC, ISAAC", "no spec.", "RAELLA", "fully used rows, no spec.", "RAELLA",
                                 "sums within 7 bits, 1-bit inputs", "speculation right", "conversions a column",
                                 "saturated"], rows)


def accuracy_tables(experiment):
    rows = []
    if experiment.accuracy_file.is_file():
        for entry in json.loads(experiment.accuracy_file.read_text(encoding="utf-8")):
            claim = "accuracy_loss" if entry["name"].startswith("Centre") else None
            figure = experiment.add("accuracy", "accuracy_loss", entry["drop"], claim=claim, bound="at most",
                                    network="resnet20_shapes", case=entry["name"], low=entry["low"], high=entry["high"])
            limit = f"at most {figure.published * 100:.2f}" if claim else ""
            rows.append([entry["name"], f"{entry['accuracy'] * 100:.2f} %", f"{figure.measured * 100:+.2f}",
                         f"{figure.low * 100:+.2f} to {figure.high * 100:+.2f}", limit, entry["lost"], entry["gained"],
                         entry["changed"], entry["images"]])
    return [Table("Accuracy lost against the integer reference, trained network",
                  ["encoding", "accuracy", "points lost", "95 %", "published", "images lost", "gained",
                   "answers changed", "images"], rows,
                  ["Intervals are those of paired label flips (testbenches/reference/raella_accuracy.py)."])]


def noise_levels(experiment):
    """{system: {E: [accuracy of each seed]}}"""
    levels = {}
    for run in experiment.runs.get("noise", []):
        by_level = levels.setdefault(run.parameters["system"], {})
        by_level.setdefault(float(run.parameters["noise.proportional_noise"]), []).append(run.accuracy_top1)
    return levels


def noise_tables(experiment):
    rows, levels = [], noise_levels(experiment)
    noises = sorted({noise for by_level in levels.values() for noise in by_level})
    for system in (system for system in LADDER if system in levels):
        row = [system]
        for noise in noises:
            accuracies = levels[system].get(noise)
            if not accuracies:
                row.append("-")
                continue
            mean = statistics.fmean(accuracies)
            spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
            where = {"system": system, "network": "resnet20_shapes", "case": f"E={noise:g}"}
            experiment.add("noise", "accuracy_top1", mean, low=min(accuracies), high=max(accuracies), **where)
            experiment.add("noise", "accuracy_spread", spread, **where)
            row.append(f"{mean * 100:.1f} ± {spread * 100:.1f} ({len(accuracies)})")
        rows.append(row)
    return [Table("Accuracy against noise of column sums, in %, mean ± standard deviation (seeds)",
                  ["system"] + [f"E = {noise:g}" for noise in noises], rows)]


def constants_tables(experiment):
    from reproduce_constants import tables
    return tables(experiment)


@dataclasses.dataclass(frozen=True)
class Step:
    sweeps: tuple
    tables: Callable


MEASURED = ("networks", "bert")
STEPS = {"ladder": Step(("ladder",), ladder_tables), "networks": Step(MEASURED, networks_tables),
         "constants": Step(MEASURED + ("speculation", "copies", "links", "free", "resistances"), constants_tables),
         "accuracy": Step((), accuracy_tables), "noise": Step(("noise",), noise_tables)}
