#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/reproduce: deviations, means and tables, how constants are changed after runs, how long crossbars alone take,
all by figures worked by hand; a trial of the command with a program that only leaves files; and that changing a
constant afterwards gives what a run of mho with that constant gives. `test_reproduce.py MHO`."""
import csv
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True
import reproduce_constants as constants  # noqa: E402
import reproduce_raella as raella  # noqa: E402
from reproduce_figures import Claim, Figure, Table, geometric_mean, read_claims, shown  # noqa: E402
from reproduce_runs import SWEEPS, Run, cycles_of, pick, reduced, sweep_file  # noqa: E402
from sweep_file import Sweep, SweepError  # noqa: E402

MHO = None
CLAIMS = {"energy_efficiency_mean": Claim(3.9, "paper, geometric mean; up to 4.9"), "throughput_mean": Claim(2.0, "up to 3.3"),
          "energy_efficiency_mean_without_speculation": Claim(2.8, ""), "throughput_mean_without_speculation": Claim(2.7, ""),
          "speculation_success": Claim(0.98, ""), "conversions_per_column": Claim(3.3, ""),
          "accuracy_loss": Claim(0.0014, ""), "conversions_per_mac_full_rows": Claim(0.018, "")}
# Takes the place of mho: 100 uJ on the baseline, 50 uJ elsewhere; refuses raella_centre_offset.
PROGRAM = """#!/usr/bin/python3
import json, pathlib, sys
words = dict(word[2:].split("=", 1) for word in sys.argv if word.startswith("--") and "=" in word)
if words["system"] == "raella_centre_offset": sys.stderr.write("refused\\n"), sys.exit(2)
with open(pathlib.Path(__file__).parent / "calls.txt", "a") as calls: calls.write(words["system"] + chr(10))
out, base = pathlib.Path(words["out"]), words["system"].startswith("isaac")
out.mkdir(parents=True)
energy = 1e-4 if base else 5e-5
(out / "effective.yaml").write_text(json.dumps({"crossbar": {"rows": 128, "cycle": "100 ns"}, "speculation": False,
    "chip": {"area": "600 mm2"}, "crossbars": 4, "tile": {"crossbar_tiles": 8}}))
(out / "layers.csv").write_text("name,windows,replicas,expansion,slicing,speculations,recovery_conversions,interval_s,"
                                "conversions_per_mac_full_rows\\nc,10,1,1,2-2-2-2,0,0,1.1e-6,0.25\\n")
(out / "summary.json").write_text(json.dumps({"adc_conversions_per_mac": 0.3, "adc_conversions_per_mac_full_rows": 0.25,
    "sums_in_range": 0.5 if "--set=adc.bits=7" in sys.argv else 1.0, "energy_per_inference_j": energy, "throughput_per_s": 100.0, "speculations": 0, "area_mm2": 495,
    "output_mean_abs_error": 0.0,
    "energy_breakdown_j": {"adc": energy}, "crossbars_total": 23776, "chips": 1}))
"""


def run(network="n", system="raella", breakdown=None, **summary):
    """A run that no program made."""
    made = Run.__new__(Run)
    made.parameters = {"network": network, "system": system, **summary.pop("parameters", {})}
    breakdown = breakdown or {"adc": 1.0}
    made.summary = {"energy_breakdown_j": breakdown, "energy_per_inference_j": sum(breakdown.values()), "speculations": 0,
                    "adc_conversions_per_mac": 1.0, "adc_conversions_per_mac_full_rows": 1.0, **summary}
    made.machine = {"speculation": [4, 2, 2], "input_slicing": [1] * 8, "crossbar": {"rows": 512, "cycle": "100 ns"}}
    return made


class Figures(unittest.TestCase):
    def test_a_deviation_above_15_percent_is_marked_and_a_limit_has_none(self):
        self.assertAlmostEqual(Figure("s", "f", 3.0, published=4.0).deviation, -25)
        self.assertTrue(Figure("s", "f", 3.0, published=4.0).deviates)
        self.assertFalse(Figure("s", "f", 1.15, published=1.0).deviates)
        self.assertTrue(Figure("s", "f", 1.151, published=1.0).deviates)
        self.assertIsNone(Figure("s", "f", 3.0, published=4.0, bound="up to").deviation)
        self.assertIsNone(Figure("s", "f", math.nan, published=4.0).deviation)
        self.assertFalse(Figure("s", "f", 3.0).deviates)

    def test_a_geometric_mean_of_2_and_8_is_4(self):
        self.assertAlmostEqual(geometric_mean([2, 8]), 4)
        self.assertTrue(math.isnan(geometric_mean([])))

    def test_claims_are_read_with_units_and_the_largest_of_a_mean(self):
        claims = read_claims(ROOT / "scenarios" / "systems", ["raella", "isaac_raella"])
        self.assertEqual(claims["energy_efficiency_mean"].value, 3.9)
        self.assertEqual(claims["energy_efficiency_mean"].up_to, 4.9)
        self.assertIsNone(claims["tiles"].up_to)
        self.assertAlmostEqual(claims["psum_set_time"].value, 1.1e-6)
        self.assertAlmostEqual(claims["speculation_success"].value, 0.98)
        self.assertAlmostEqual(claims["accuracy_loss"].value, 0.0014)
        self.assertAlmostEqual(claims["crossbar_area"].value, 0.012811)
        self.assertEqual(claims["isaac_raella.conversions_per_mac_full_rows"].value, 0.25)
        with self.assertRaisesRegex(SweepError, "no claims can be read"):
            read_claims(ROOT, ["none"])

    def test_numbers_have_three_digits(self):
        self.assertEqual([shown(value) for value in (0.0625, 2.718, 31.41, 1234.5, 3.0, math.nan, None, "x")],
                         ["0.0625", "2.72", "31.4", "1234", "3", "-", "-", "x"])

    def test_a_table_lines_numbers_up_on_the_right(self):
        lines = Table("T", ["name", "x"], [["a", 1.5], ["longer", 100]], ["note"]).text().splitlines()
        self.assertEqual(lines, ["### T", "", "| name   |    x |", "|--------|-----:|", "| a      | 1.50 |",
                                 "| longer |  100 |", "", "note"])


class Runs(unittest.TestCase):
    def test_cycles_follow_from_conversions_a_mac(self):
        # three slices, 512 rows, eight cycles: 3 * 8 / 512; two passes twice that
        plain = {"speculations": "0", "recovery_conversions": "0", "slicing": "4-2-2"}
        machine = run().machine
        self.assertEqual(cycles_of({**plain, "conversions_per_mac_full_rows": str(24 / 512)}, machine), 8)
        self.assertEqual(cycles_of({**plain, "conversions_per_mac_full_rows": str(48 / 512)}, machine), 16)
        # 300 speculated conversions and 200 recoveries are 5 conversions a column: eleven cycles, 22 in two passes
        tried = {"speculations": "300", "recovery_conversions": "200", "slicing": "4-4"}
        self.assertEqual(cycles_of({**tried, "conversions_per_mac_full_rows": str(2 * 5 / 512)}, machine), 11)
        self.assertEqual(cycles_of({**tried, "conversions_per_mac_full_rows": str(4 * 5 / 512)}, machine), 22)

    def test_crossbars_alone_take_what_their_slowest_layer_takes(self):
        made = run()
        layer = {"speculations": "0", "recovery_conversions": "0", "slicing": "4-2-2", "replicas": "10", "expansion": "2",
                 "conversions_per_mac_full_rows": str(24 / 512)}
        made.layers = [{**layer, "windows": "100"}, {**layer, "windows": "50", "expansion": "1"},
                       {**layer, "windows": "90", "expansion": "1", "replicas": "20"}]
        # 100/20 = 5, 50/10 = 5, 90/20 = 4.5 vectors a copy of eight cycles
        self.assertAlmostEqual(made.crossbar_interval_s(), 4.0e-6)

    def test_failures_and_recoveries_tell_which_slices_failed(self):
        # of 100 columns 10 fail in the slice of four bits and 24 in one of two: 34 failures, 4 * 10 + 2 * 24 = 88 read again
        made = run(speculations=300, speculation_failures=34, recovery_conversions=88)
        self.assertAlmostEqual(made.success_of(4), 0.90)
        self.assertAlmostEqual(made.success_of(2), 0.88)
        self.assertAlmostEqual(made.success, 1 - 34 / 300)
        self.assertAlmostEqual(made.recovered, 0.88)
        made.machine = {"speculation": [2, 2, 2, 2]}
        self.assertIsNone(made.success_of(4))

    def test_a_run_is_picked_by_what_is_set_and_what_is_not(self):
        runs = [run(parameters={"adc.bits": "7"}), run()]
        self.assertIs(pick(runs, network="n", adc__bits=None), runs[1])
        self.assertIs(pick(runs, adc__bits="7"), runs[0])
        self.assertIsNone(pick(runs, network="m"))

    def test_a_trial_keeps_small_networks_and_the_ends_of_lists(self):
        tree = reduced({"set": {"inferences": 4}, "parameters": {"network": ["resnet50", "shufflenet_v2"], "system": ["a", "b", "c"],
                                                                  "x": [1, 2, 3]}, "points": [{"network": "resnet18"}, {"y": 1}]})
        self.assertEqual(tree, {"set": {"inferences": 2}, "points": [{"y": 1}],
                                "parameters": {"network": ["shufflenet_v2"], "system": ["a", "b", "c"], "x": [1, 3]}})

    def test_every_sweep_is_one_that_scripts_sweep_reads(self):
        for name in SWEEPS:
            self.assertTrue(Sweep(str(sweep_file(name, None, False))).points)
        asked = {name for step in raella.STEPS.values() for name in step.sweeps}
        self.assertEqual(asked, set(SWEEPS))


class Constants(unittest.TestCase):
    def experiment(self, **runs):
        networks = [run("resnet18", system, breakdown, parameters={"router.bandwidth": "4.8 GB/s"}, recovery_conversions=0)
                    for system, breakdown in (("isaac_raella", {"adc": 6.0, "router": 2.0, "cells": 1.0, "spare_cells": 1.0}),
                                              ("raella_adaptive_slicing", {"adc": 3.0, "router": 1.0}),
                                              ("raella", {"adc": 1.0, "router": 2.0, "cells": 1.0, "spare_cells": 1.0}))]
        return raella.Experiment(CLAIMS, {"networks": networks, **runs}, None)

    def mean(self, name, experiment=None):
        return constants.energy_mean(experiment or self.experiment(), constants.CASES[name], "raella", ["resnet18"])

    def test_entries_of_the_breakdown_are_scaled_in_both_machines(self):
        self.assertAlmostEqual(self.mean("as it is"), 10 / 5)
        self.assertAlmostEqual(self.mean("converters: twice the energy"), 16 / 6)
        self.assertAlmostEqual(self.mean("converters: half the energy"), 7 / 4.5)
        self.assertAlmostEqual(self.mean("tile network: not charged"), 8 / 3)
        self.assertAlmostEqual(self.mean("cells without a weight: not charged"), 9 / 4)
        self.assertAlmostEqual(self.mean("cells: not charged at all"), 8 / 3)

    def test_other_resistances_replace_cells_only_and_copies_everything(self):
        key = "technology.components.cells.energy.cell_pulses.value"
        other = {"cells": 2.0, "spare_cells": 3.0, "adc": 99.0}
        resistances = [run("resnet18", system, other, parameters={key: "2 fJ"}) for system in ("isaac_raella", "raella")]
        self.assertAlmostEqual(self.mean("cells: 1 and 20 kohm without wire (paper)",
                                         self.experiment(resistances=resistances)), 13 / 8)
        copies = [run("resnet18", system, {"adc": joules}, parameters={"replication": "none"})
                  for system, joules in (("isaac_raella", 8.0), ("raella", 2.0))]
        self.assertAlmostEqual(self.mean("copies of layers: none", self.experiment(copies=copies)), 4)
        self.assertTrue(math.isnan(self.mean("copies of layers: balanced, not greedy", self.experiment(copies=copies))))

    def test_speculation_as_published_needs_fewer_conversions(self):
        # 3 + 1 conversions a column become 3.3; codes that are added: 3 * 0.9 + 1 = 3.7 become 3 * 0.98 + 0.3 = 3.24
        made = run(breakdown={"adc": 4.0, "psum_buffer": 3.7, "edram": 1.0}, speculations=300, speculation_failures=30,
                   recovery_conversions=100)
        self.assertAlmostEqual(constants.with_published_speculation(made, self.experiment()), 3.3 + 3.24 + 1)

    def test_conversions_on_full_rows_cost_in_proportion(self):
        made = run(breakdown={"adc": 4.0, "shift_and_add": 1.0, "edram": 1.0}, adc_conversions_per_mac=0.1,
                   adc_conversions_per_mac_full_rows=0.05)
        self.assertAlmostEqual(constants.on_full_rows(made, self.experiment()), 2 + 0.5 + 1)

    def test_the_constant_that_moves_a_mean_most_is_named_and_cases_without_runs_are_empty(self):
        experiment = self.experiment()
        made = experiment.of_network("resnet18", "raella")
        made.energy_breakdown_j["router"], made.summary["energy_per_inference_j"] = 3.0, 6.0
        table = constants.energy_table(experiment)  # 10 / 6 becomes 8 / 3
        self.assertIn("of 1.67 moves most with: tile network: not charged (x 1.60)", table.notes[-1])
        empty = next(row for row in table.rows if row[0] == "copies of layers: none")
        self.assertEqual((shown(empty[1]), empty[-1]), ("-", 0))

    def test_means_stand_beside_what_was_published(self):
        experiment = self.experiment()
        for made in experiment.runs["networks"]:
            made.summary["throughput_per_s"] = 1.0
            made.crossbar_interval_s = lambda: 1.0
        raella.means_table(experiment)
        figures = {(figure.name, figure.system): figure for figure in experiment.figures}
        self.assertAlmostEqual(figures["energy_efficiency_mean", "raella"].deviation, (2 / 3.9 - 1) * 100)
        self.assertEqual(figures["energy_efficiency_mean", "raella_adaptive_slicing"].measured, 10 / 4)
        self.assertEqual(figures["energy_efficiency_mean", "raella_adaptive_slicing"].published, 2.8)
        self.assertEqual(figures["throughput_largest", "raella"].published, 3.3)


class Noise(unittest.TestCase):
    def test_seeds_give_a_mean_and_a_spread(self):
        runs = [run("resnet20_shapes", "raella", accuracy_top1=value, parameters={"noise.proportional_noise": "0.04"})
                for value in (0.8, 0.9, 1.0)]
        runs.append(run("resnet20_shapes", "isaac_raella", accuracy_top1=0.5, parameters={"noise.proportional_noise": "0.08"}))
        experiment = raella.Experiment(CLAIMS, {"noise": runs}, None)
        self.assertEqual(raella.noise_tables(experiment)[0].rows, [["isaac_raella", "-", "50.0 ± 0.0 (1)"],
                                                                   ["raella", "90.0 ± 10.0 (3)", "-"]])
        self.assertEqual((experiment.figures[2].low, experiment.figures[2].high), (0.8, 1.0))


class Command(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.program = self.folder / "mho"
        self.program.write_text(PROGRAM, encoding="utf-8")
        self.program.chmod(0o755)

    def reproduce(self, *arguments):
        return subprocess.run([ROOT / "scripts" / "reproduce", *arguments], cwd=self.folder, capture_output=True, text=True,
                              check=False)

    def test_wrong_command_lines_exit_with_2(self):
        for arguments in (["aras"], ["raella", "--jobs", "0"], ["raella", "--only", "x"], ["raella", "--program", "./none"],
                          ["raella", "--program", self.program, "--out", "/proc/none"], []):
            self.assertEqual(self.reproduce(*arguments).returncode, 2, arguments)

    @unittest.skipUnless(shutil.which("snakemake"), "needs Snakemake")
    def test_failed_runs_are_named_the_others_are_tabled_and_nothing_runs_twice(self):
        command = ["raella", "--quick", "--only", "ladder", "--program", self.program, "--out", "here"]
        for _ in range(2):
            done = self.reproduce(*command)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("runs of ladder have failed", done.stderr)
            self.assertIn("raella_centre_offset", done.stderr)
        self.assertEqual(len((self.folder / "calls.txt").read_text().split()), 4)  # three systems, and adc.bits=7
        with open(self.folder / "here" / "results.csv", newline="", encoding="utf-8") as file:
            rows = {(row["name"], row["system"]): row for row in csv.DictReader(file)}
        self.assertEqual(rows["conversions_per_mac_full_rows", "isaac_raella"]["deviates"], "False")
        self.assertEqual(rows["conversions_per_mac_full_rows", "raella"]["deviates"], "True")
        self.assertEqual([rows["conversions_per_mac_full_rows", system]["published"] for system in
                          ("isaac_raella", "raella_adaptive_slicing", "raella")], ["0.25", "0.047", "0.018"])
        self.assertEqual(rows["sums_in_7_bits", "isaac_raella"]["measured"], "0.5")
        self.assertEqual(rows["tiles", "raella"]["measured"], "743")
        figures = json.loads((self.folder / "here" / "results.json").read_text())
        self.assertEqual(len(figures), len(rows))
        self.assertIn("| 743", (self.folder / "here" / "report.md").read_text())
        self.assertIn("| resnet20_shapes | raella ", done.stdout)
        again = self.reproduce(*command[:4], "--tables", "--program", "./none", "--out", "here")
        self.assertEqual((again.returncode, again.stdout), (0, done.stdout))

    def test_a_constant_changed_afterwards_gives_what_a_run_with_it_gives(self):
        common = [MHO, "run", "--system", "raella", "--network", "resnet20", "--inferences", "1", "--set",
                  "weight_slicing=[4, 2, 2]", "--set", "replication=none"]
        key = "technology.components."
        for name, setting in {"psums: ISAAC's register, 0.0225 pJ": key + "psum_buffer.energy.shift_adds.value=0.0225 pJ",
                              "cells without a weight: not charged": key + "spare_cells=~",
                              "success flags: not charged": key + "success_flags=~",
                              "as it is": "chip.area=counted"}.items():
            for out, more in (("plain", []), ("other", ["--set", setting])):
                subprocess.run([*common, *more, "--out", self.folder / name / out], check=True, stdout=subprocess.DEVNULL)
            plain, other = (Run({"network": "resnet20", "system": "raella"}, self.folder / name / out) for out in ("plain", "other"))
            self.assertAlmostEqual(constants.CASES[name](plain, None) / other.energy_per_inference_j, 1, places=6, msg=name)
        effective = yaml.safe_load((self.folder / "as it is" / "plain" / "effective.yaml").read_text())
        self.assertEqual(plain.machine, effective)
        # a 16x16 layer of ResNet-20 has 256 windows; the first has 1024 of eleven cycles in one copy, 16 a vector
        self.assertAlmostEqual(plain.crossbar_interval_s(), max(
            1.1e-6 * int(row["windows"]) / int(row["expansion"]) for row in plain.layers))


if __name__ == "__main__":
    MHO = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
