#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the stand-alone testbenches and compares what they print, and what stands in their waveforms, with figures that
were worked by hand (see the comments of the programs)."""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "reference"))
import read_vcd  # noqa: E402

NS = 1e9
# Program, arguments behind the waveform, pieces of the output in this order, values of waves as [(ns, value), ...].
CASES = {
    "multiplies a vector as worked by hand": (
        "crossbar_tile", [], ["600 ns: psums 94 -29\n", "16 conversions, 0 clipped"],
        {"crossbars.crossbar_0.slice": [(0, 0), (100, 1), (200, 2), (300, 3)],
         "crossbars.crossbar_0.state": [(0, 1), (400, 0)],
         # Four columns and the unit column a slice, done 80 ns after they were sampled.
         "adc.conversions": [(0, 0), (180, 5), (280, 10), (380, 15), (480, 20)]}),
    "clips the column sums worked by hand": (
        "crossbar_tile", ["2"], ["600 ns: psums -3 -65\n", "16 conversions, 7 clipped"], {}),
    # A alone: the last of four slices is sampled at 400 ns, converted at 500 ns and added up at 600 ns; a vector every
    # 400 ns. Two crossbars take turns of 100 ns each, three likewise.
    "takes two and three times as long where crossbars share a converter": (
        "shared_adc", ["round_robin"],
        ["600 ns  crossbar A: psums 94 -29, 600 ns after", "1 us  crossbar A: psums 94 -29, 400 ns after",
         "crossbar A: psums 94 -29, 1200 ns after", "crossbar B: psums 94 -29, 1200 ns after",
         "crossbar C: psums 94 -29, 1200 ns after", "crossbar A: psums 94 -29, 800 ns after",
         "\nadc 0        .AAAAAAAAAABABABABABABCABCABC"],
        # One slice is converted, those of the other two crossbars wait.
        {"adc.queue": {"most": 2}, "adc.busy": {"most": 1}}),
    # Array A always has the next slice ready, so B gets the converter when A's 7 * 4 slices are through, then C.
    "serves the lowest priority last": (
        "shared_adc", ["fixed_priority"],
        ["5800 ns  crossbar C: psums 94 -29, 400 ns after the last\n\n",
         "\nadc 0        ." + 28 * "A" + 20 * "B" + 8 * "C" + "\n"], {}),
    "serves the one that waits longest": (
        "shared_adc", ["first_come"], ["crossbar C: psums 94 -29, 1200 ns after the last\n"], {}),
    "refuses a rule that is not known": ("shared_adc", ["coin"], ["no rule 'coin' (round_robin, "], None),
    "programs the second levels with fewer pulses": (
        "weight_writer", [],
        ["0 s to 150 ns  row 0: 3 1 0 2\n", "150 ns to 250 ns  row 1: 1 1 2 0\n", "250 ns to 400 ns  row 2: 3 3 3 3\n",
         "400 ns  region verified; so far 10 cells changed, 22 level steps\n", "400 ns to 500 ns  row 0: 3 2 0 1\n",
         "500 ns to 500 ns  row 1: 1 1 2 0\n", "500 ns to 550 ns  row 2: 3 3 3 2\n",
         "550 ns  region verified; so far 13 cells changed, 25 level steps\n"],
        {"writer.queue": [(0, 2), (150, 1), (250, 0), (400, 2), (500, 0)]}),
}


def read_waves(path):
    """{name: [(ns, value), ...]} of a value change dump, names without SystemC's own scope."""
    dump = read_vcd.read(path)
    return {name.split(".", 1)[1]: [(round(time * dump.unit_s * NS, 3), value) for time, value in signal.changes]
            for name, signal in dump.signals.items()}


def fault(folder, scratch, program, arguments, pieces, expected_waves):
    """What is wrong with one run, or nothing."""
    run = subprocess.run([folder / program, "wave", *arguments], cwd=scratch, capture_output=True, text=True, timeout=60)
    printed = run.stderr if expected_waves is None else run.stdout
    if run.returncode != (2 if expected_waves is None else 0):
        return f"exit code {run.returncode}\n{run.stderr}"
    if not re.search(".*".join(map(re.escape, pieces)), printed, re.DOTALL):
        return f"expected, in this order: {pieces}\nprinted:\n{printed}"
    waves = read_waves(scratch / "wave.vcd") if expected_waves else {}
    for name, expected in (expected_waves or {}).items():
        found = waves.get(name, [])
        if isinstance(expected, dict):
            found, expected = max((value for _, value in found), default=None), expected["most"]
        if found != expected:
            return f"wave {name}: expected {expected}, found {found}"
    return None


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    failed = 0
    for sentence, (program, *case) in CASES.items():
        with tempfile.TemporaryDirectory() as scratch:
            wrong = fault(folder, pathlib.Path(scratch), program, *case)
        print(f"{program} {sentence}: {wrong or 'ok'}")
        failed += wrong is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
