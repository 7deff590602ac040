#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sweeps: what a sweep file says and must not say, what becomes of points that fail, change or have finished, the table
and the units of the picture; and `mho compare` with real processes. `test_sweep.py MHO`; without Snakemake the tests
that need it are skipped."""
import csv
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True
import sweep_report  # noqa: E402
from sweep_dependencies import dependencies  # noqa: E402
from sweep_file import Sweep, SweepError  # noqa: E402

MHO = None
BASE = "scenario: classify_shapes\n"
# Takes the place of mho: leaves a summary, and a line in calls.txt; adc.bits=99 is refused, =66 kills it.
PROGRAM = """#!/usr/bin/python3
import json, os, pathlib, signal, sys
bits = next((a.split("=")[2] for a in sys.argv if a.startswith("--set=adc.bits=")), "8")
with open(pathlib.Path(__file__).parent / "calls.txt", "a") as calls: calls.write(bits + chr(10))
if bits == "66": os.kill(os.getpid(), signal.SIGKILL)
if bits == "99": sys.stderr.write("a warning\\n--set adc.bits: is 99 (3, 12)\\n"), sys.exit(2)
out = pathlib.Path(sys.argv[-1].removeprefix("--out="))
out.mkdir(parents=True, exist_ok=True)
(out / "layers.csv").write_text("")
(out / "summary.json").write_text(json.dumps({"latency_s": int(bits) * 1e-6, "area_mm2": None, "notes": ["x"],
                                              "energy_breakdown_j": {"adc": 2.0}}))
"""


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def write(self, text, name="s.yaml"):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


class SweepFile(Folder):
    def test_parameters_are_a_product_and_points_follow(self):
        sweep = Sweep(self.write("system: isaac_8b\nnetwork: resnet20\nset: {inferences: 2, adc.rate: 1 GS/s}\n"
                                 "parameters: {adc.bits: [8, lossless], seed: [1, 2]}\n"
                                 "points: [{weight_slicing: [4, 2, 2], 'x': {a: \"1\"}}]\n"))
        self.assertEqual(len(sweep.points), 5)
        self.assertEqual(list(sweep.points)[:2], ["adc.bits=8,seed=1", "adc.bits=8,seed=2"])
        self.assertEqual(sweep.columns, ["adc.bits", "seed", "weight_slicing", "x"])
        self.assertEqual(sweep.arguments("adc.bits=lossless,seed=2"),
                         ["run", "--system=isaac_8b", "--network=resnet20", "--inferences=2", "--set=adc.rate=1 GS/s",
                          "--set=adc.bits=lossless", "--seed=2"])
        self.assertEqual(sweep.arguments(list(sweep.points)[4])[-2:],
                         ["--set=weight_slicing=[4, 2, 2]", "--set=x={a: \"1\"}"])
        own = Sweep(self.write(BASE + "set: {adc.bits: 7}\npoints: [{adc.bits: 8}, {}]\n"))
        self.assertEqual(own.arguments("adc.bits=8"), ["run", "classify_shapes", "--set=adc.bits=8"])
        self.assertEqual(own.arguments("point"), ["run", "classify_shapes", "--set=adc.bits=7"])

    def test_names_of_points_are_names_of_files_and_differ(self):
        sweep = Sweep(self.write(BASE + "points: [{a: 'x/y'}, {a: 'x y'}, {a: x_y}, {../b: ..}]\n"))
        self.assertEqual(len(set(sweep.points)), 4)
        for name in sweep.points:
            self.assertRegex(name, r"^[A-Za-z0-9_][A-Za-z0-9_.=,+-]*$")

    def test_mistakes_are_one_line_with_their_place(self):
        for text, expected in {
                "": "the file is empty",
                "scenario: [": "s.yaml:1:12: ",
                BASE: "s.yaml:1:1: there is no point",
                BASE + "parameter: {a: [1]}\n": "s.yaml:2:1: unknown key `parameter`; did you mean `parameters`?",
                BASE + "parameters: {a: 1}\n": "s.yaml:2:17: `a` is a single value (a list of values",
                BASE + "parameters: {a: []}\n": "s.yaml:2:17: `a` is a list (a list of values",
                BASE + "parameters: {a: [1, 1]}\n": "the point a=1 is there twice",
                BASE + "parameters: {a: [1], a: [2]}\n": "s.yaml:2:22: `a` is there twice",
                BASE + "parameters: {a: &x [1], b: *x}\n": "an anchor or alias",
                BASE + "parameters: {a: [~, '']}\n": "has no value",
                BASE + "parameters: {%s}\n" % ", ".join(f"k{i}: [1, 2, 3, 4]" for i in range(9)): "262144 points",
                BASE + "points: {a: 1}\n": "`points` is a mapping",
                BASE + "points: [1]\n": "a point is a single value",
                BASE + "points: [{a: 1}]\nplot: {x: a}\n": "s.yaml:3:7: missing key `y`",
                BASE + "points: [{a: 1}]\nplot: {x: a, y: latency_s, z: a}\n": "unknown key `z`",
                BASE + "points: [{rows: 1}]\nplot: {x: rows, y: latency_s, series: row}\n":
                    "`row` is no parameter; did you mean `rows`?",
                BASE + "points: [{a: 1}]\nplot: {x: a, y: latency_s, log: z}\n": "`z` is no axis",
                BASE + "points: [{a: 1}]\nmetrics: []\n": "`metrics` is empty",
                "network: a\npoints: [{a: 1}]\n": "the point a=1 has no system",
                "- 1\n": "a sweep is a list"}.items():
            with self.subTest(text), self.assertRaises(SweepError) as caught:
                Sweep(str(self.write(text)))
            self.assertIn(expected, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))
        with self.assertRaisesRegex(SweepError, "cannot be read"):
            Sweep(str(self.folder / "gone.yaml"))
        for endless in ("/dev/zero", str(self.folder)):
            with self.subTest(endless), self.assertRaisesRegex(SweepError, "is no file"):
                Sweep(endless)

    def test_figures_that_no_run_has_are_refused(self):
        text = BASE + "points: [{a: 1}]\nmetrics: [a_s, %s]\n"
        rows = [{"figures": {"latency_s": 1.0, "a_s": 2.0}}, {"figures": {}}]
        sweep_report.check_figures(Sweep(self.write(text % "latency_s")), rows)
        with self.assertRaisesRegex(SweepError, r"s.yaml:3:10: there is no figure `latency`; did you mean `latency_s`"):
            sweep_report.check_figures(Sweep(self.write(text % "latency")), rows)
        sweep_report.check_figures(Sweep(self.write(text % "latency")), rows[1:])

    def test_points_depend_on_every_file_that_is_read(self):
        self.write("base: isaac_8b\n", "own.yaml")
        (self.folder / "m.onnx").write_text("x")
        sweep = Sweep(self.write("network: ./m.onnx\nparameters: {system: [./own.yaml, isaac]}\n"))
        names = [{pathlib.Path(path).name for path in dependencies(sweep, name, __file__)} for name in sweep.points]
        self.assertEqual(names[0], {"own.yaml", "isaac_8b.yaml", "isaac.yaml", "m.onnx", "test_sweep.py"})
        self.assertEqual(names[1], {"isaac.yaml", "m.onnx", "test_sweep.py"})


class Picture(unittest.TestCase):
    def test_axes_have_readable_units(self):
        axis = sweep_report.axis
        self.assertEqual(axis([2.0, 0.5], "energy_per_inference_j", True),
                         ([2.0, 0.5], "energy per inference, J", None))
        places, label, _ = axis([4e-5, 2e-6, 0.0], "latency_s", True)
        self.assertEqual(([round(place, 9) for place in places], label), ([40.0, 2.0, 0.0], "latency, us"))
        self.assertEqual(axis([0.5], "accuracy_top1", True), ([50.0], "accuracy top1, %", None))
        self.assertEqual(axis([1.5], "area_mm2", True), ([1.5], "area, mm2", None))
        self.assertEqual(axis([10.0], "throughput_per_s", True), ([10.0], "throughput, /s", None))
        self.assertEqual(axis(["50 ns", "100 ns"], "cycle", False), ([50.0, 100.0], "cycle, ns", None))
        self.assertEqual(axis(["8", "lossless", "8"], "adc.bits", False), ([0, 1, 0], "adc.bits", ["8", "lossless"]))
        self.assertEqual(axis(["50 ns", "1 us"], "c", False)[2], ["50 ns", "1 us"])


@unittest.skipUnless(shutil.which("snakemake"), "needs Snakemake (scripts/setup sweep)")
class Running(Folder):
    TEXT = BASE + "parameters: {adc.bits: [%s]}\nmetrics: [latency_s, area_mm2, energy_breakdown_j.adc]\n"

    def sweep(self, *more, program=None):
        if program is None:
            program = self.folder / "program"
            if not program.exists():
                self.write(PROGRAM, "program")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        command = [ROOT / "scripts/sweep", self.folder / "s.yaml", "--out", self.folder / "out", "--jobs", "2",
                   "--program", program, *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    def calls(self):
        path = self.folder / "calls.txt"
        calls = sorted(path.read_text().split()) if path.exists() else []
        path.unlink(missing_ok=True)
        return calls

    def rows(self):
        with open(self.folder / "out" / "results.csv", newline="", encoding="utf-8") as table:
            return list(csv.DictReader(table))

    def test_a_point_that_fails_stops_nobody_and_only_what_is_new_runs_again(self):
        self.write(self.TEXT % "8, 7, 99, 9" + "plot: {x: adc.bits, y: latency_s}\n")
        dry = self.sweep("-n")
        self.assertEqual((dry.returncode, dry.stdout.count("to run"), self.calls()), (0, 4, []))
        self.assertFalse((self.folder / "out").exists())
        first = self.sweep()
        self.assertEqual(first.returncode, 2, first.stderr)
        self.assertEqual(first.stderr, "adc.bits=99: --set adc.bits: is 99 (3, 12)\n")
        self.assertEqual(self.calls(), ["7", "8", "9", "99"])
        rows = self.rows()
        self.assertEqual(list(rows[0]), ["point", "adc.bits", "latency_s", "area_mm2", "energy_breakdown_j.adc",
                                         "status", "reason"])
        self.assertEqual([row["status"] for row in rows], ["finished", "finished", "failed", "finished"])
        self.assertEqual(list(rows[0].values())[2:5], ["8e-06", "", "2.0"])
        self.assertEqual((rows[2]["latency_s"], rows[2]["reason"]), ("", "--set adc.bits: is 99 (3, 12)"))
        self.sweep()
        self.assertEqual(self.calls(), ["99"])
        self.assertEqual(self.sweep("-n").stdout.count("to run"), 1)
        self.write(self.TEXT % "8, 10" + "set: {fidelity: exact}\n")
        self.assertEqual(self.sweep().returncode, 0)
        self.assertEqual(self.calls(), ["10", "8"])  # changed, and new
        with open(self.folder / "program", "a", encoding="utf-8") as program:
            program.write("# another program\n")
        self.assertEqual(self.sweep().returncode, 0)
        self.assertEqual(self.calls(), ["10", "8"])

    def test_a_point_that_fails_after_a_change_has_no_figures_left(self):
        self.write(self.TEXT % "8" + "set: {system: ./own.yaml}\n")
        self.write("base: isaac_8b\n", "own.yaml")
        self.assertEqual(self.sweep().returncode, 0)
        self.assertEqual(self.sweep().returncode, 0)
        self.assertEqual(self.calls(), ["8"])
        self.write("base: isaac\n", "own.yaml")
        program = (self.folder / "program").read_text().replace('"99"', '"8"')
        self.write(program, "program")
        self.assertEqual(self.sweep().returncode, 2)
        self.assertEqual([(row["status"], row["latency_s"]) for row in self.rows()], [("failed", "")])
        self.assertFalse((self.folder / "out/points/adc.bits=8").exists())
        self.write(PROGRAM, "program")
        self.assertEqual(self.sweep().returncode, 0)
        self.assertEqual(list((self.folder / "out/failures").iterdir()), [])

    def test_faults_give_exit_code_1_and_other_mistakes_2(self):
        self.write(self.TEXT % "66, 99")
        run = self.sweep()
        self.assertEqual(run.returncode, 1)
        self.assertIn("adc.bits=66: ended by signal 9 (Killed)\n", run.stderr)
        self.write(self.TEXT % "8" + "plot: {x: adc.bits, y: latncy_s}\n")
        run = self.sweep()
        self.assertEqual(run.returncode, 2)
        self.assertIn("s.yaml:4:7: `latncy_s` is neither a parameter nor a figure; did you mean `latency_s`?",
                      run.stderr)
        self.assertIn("there is no such program", self.sweep(program="/gone/mho").stderr)
        self.write(self.TEXT % "8" + "set: {fidelity: exact}\n")
        run = self.sweep("--", "--no-such-option")
        self.assertEqual([row["status"] for row in self.rows()], ["missing"])
        self.assertEqual(run.returncode, 1)
        self.assertIn("Snakemake has failed", run.stderr)

    def test_a_sweep_of_simulations_has_their_figures(self):
        self.write(BASE + "set: {inferences: 2}\nparameters: {adc.bits: [8, 99]}\n"
                   "points: [{adc.bits: 6}, {system: isaac, adc.bits: 8}]\n"
                   "plot: {x: adc.bits, y: [latency_s, energy_per_inference_j]}\n")
        run = self.sweep(program=MHO)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("adc.bits=99: --set adc.bits: ", run.stderr)
        rows = {row["point"]: row for row in self.rows()}
        self.assertEqual([row["status"] for row in rows.values()], ["finished", "failed", "finished", "finished"])
        summary = json.loads((self.folder / "out/points/adc.bits=6/summary.json").read_text())
        self.assertEqual(float(rows["adc.bits=6"]["energy_per_inference_j"]), summary["energy_per_inference_j"])
        self.assertLess(float(rows["adc.bits=6"]["area_mm2"]), float(rows["adc.bits=8"]["area_mm2"]))
        self.assertIn("no picture" if "no picture" in run.stdout else "plot.png", run.stdout)


class Compare(Folder):
    def mho(self, *arguments, **more):
        return subprocess.run([MHO, *arguments], capture_output=True, text=True, timeout=100, check=False, **more)

    def test_runs_are_processes_that_leave_what_mho_run_leaves(self):
        run = self.mho("compare", "classify_shapes", "isaac", "--network", "resnet20_shapes", "--inferences", "2",
                       "--jobs", "2", "--out", self.folder / "out", "--json")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        comparison = json.loads(run.stdout)
        alone = json.loads(self.mho("run", "--system", "isaac", "--network", "resnet20_shapes", "--inferences", "2",
                                    "--json").stdout)
        for key in set(alone) - {"wall_time_s", "compile_time_s", "host_peak_memory_bytes", "scenario"}:
            self.assertEqual(comparison["runs"][1]["summary"][key], alone[key], key)
        runs = self.folder / "out/runs"
        again = self.mho("compare", runs / "classify_shapes/resnet20_shapes", runs / "isaac/resnet20_shapes", "--json")
        ratios, before = json.loads(again.stdout)["ratios"], comparison["ratios"]
        self.assertEqual(ratios["resnet20_shapes"]["isaac"], before["resnet20_shapes"]["isaac"])

    def test_a_run_that_is_killed_or_refused_is_a_gap(self):
        (self.folder / "tmp").mkdir()
        run = self.mho("compare", "isaac_8b", "--network", "resnet20_shapes", "--inferences", "501",
                       env={**os.environ, "TMPDIR": str(self.folder / "tmp")})
        self.assertEqual(run.returncode, 2)
        self.assertIn("isaac_8b on resnet20_shapes: --inferences: inferences: 501 are asked for", run.stdout)
        self.assertEqual(list((self.folder / "tmp").iterdir()), [])
        # Nobody can simulate in so little processor time.
        run = subprocess.run(["bash", "-c", "ulimit -t 1; exec \"$0\" compare isaac_8b --network resnet18 "
                              "--set fidelity=sliced --inferences 50", MHO], capture_output=True, text=True,
                             timeout=100, check=False)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertRegex(run.stdout, r"isaac_8b on resnet18: ended by signal \d+ \(")


if __name__ == "__main__":
    MHO = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
