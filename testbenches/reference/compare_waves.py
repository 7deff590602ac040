#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a network approximately timed with everything recorded and looks at the same facts four times: busy times and
conversions in wave.vcd (read_vcd.py) and in the transaction log (read_log.py), neither read by code of the program, in
statistics.csv and in summary.json; energy in the wave of power and in the summary."""
import argparse
import collections
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import read_log
import read_vcd

WINDOW_NS = 10
# Modules whose wave `busy` counts what is busy, so that its integral is their statistic `busy`.
# Their kind of occupation in the log.
BUSY = {"adc": "conversion", "bus": "transfer", "crossbars": "array", "shift_add": "shift_add", "writer": "program"}


class Comparison:
    def __init__(self):
        self.compared = collections.Counter()
        self.failures = []

    def equal(self, what, name, got, expected, tolerance=1e-9):
        self.compared[what] += 1
        if abs(got - expected) > tolerance * max(abs(got), abs(expected)):
            self.failures.append(f"{what} of {name}: {got!r} and {expected!r}")


def statistics(folder):
    with open(folder / "statistics.csv", newline="", encoding="utf-8") as file:
        return {(row["module"], row["name"]): float(row["value"]) for row in csv.DictReader(file)}


def log_sums(folder):
    """(module, kind) -> busy time in steps of the log, work."""
    log = read_log.Log((folder / "transactions.bin").read_bytes())
    busy, work = collections.Counter(), collections.Counter()
    for each in log.occupations:
        busy[each.module, each.kind] += each.items * each.service
        work[each.module, each.kind] += each.work
    return busy, work, float(log.unit_s)


def compare_modules(check, dump, gathered, busy, work, unit_s):
    for (module, name), value in gathered.items():
        own = module.split(".")[-1]
        wave = dump.signals.get(f"SystemC.{module}.{name}")
        if name == "busy" and own in BUSY:
            check.equal(f"busy of {own} in wave", module, wave.integral(dump.end) * dump.unit_s, value)
            check.equal(f"busy of {own} in log", module, busy[module, BUSY[own]] * unit_s, value)
        if name == "conversions":
            check.equal("conversions in wave", module, wave.at_end(), value, 0)
            check.equal("conversions in log", module, work[module, "conversion"], value, 0)


def compare_sums(check, folder, gathered):
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    with open(folder / "layers.csv", newline="", encoding="utf-8") as file:
        unit_columns = sum(int(row["adc_unit_conversions"]) for row in csv.DictReader(file))
    conversions = sum(value for (_, name), value in gathered.items() if name == "conversions")
    check.equal("conversions in the summary", "the machine", conversions, summary["adc_conversions"] + unit_columns, 0)
    saturations = sum(value for (_, name), value in gathered.items() if name == "saturations")
    check.equal("saturations in the summary", "the machine", saturations, summary["adc_saturations"], 0)
    return summary


def compare_energy(check, dump, summary):
    """Power of the windows behind the first interrupt, which ends programming, is the energy of the run; what came
    after the last whole window is missing."""
    irq, watts = dump.signals["SystemC.platform.irq"], dump.signals["SystemC.platform.power.watts"]
    rises = [time for time, value in irq.changes if value == 1]
    check.equal("interrupts", "the platform", len(rises), 2, 0)
    # The run: from the doorbell, one write of a 64-byte descriptor (100 ns and 25.6 GB/s) behind the driver's decision
    # to infer, to the interrupt.
    decided = next(time for time, value in dump.signals["SystemC.platform.host.state"].changes if value == 2)
    check.equal("duration", "the run", summary["energy_per_inference_j"] * summary["inferences"] / summary["average_power_w"],
                (rises[-1] - decided) * dump.unit_s - 102.5e-9)
    window = round(WINDOW_NS * 1e-9 / dump.unit_s)
    begin = -(-rises[0] // window) * window + window  # what the wave shows from here on was counted after the rise
    joules = watts.integral(dump.end, begin) * dump.unit_s
    energy = summary["energy_per_inference_j"] * summary["inferences"]
    check.equal("energy in the wave of power", "the run", joules, energy, 1e-3)
    if not joules <= energy * (1 + 1e-9):
        check.failures.append(f"power adds up to {joules} J, more than {energy} J")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("arguments", nargs="+", help="of `mho run`, as one word")
    arguments = parser.parse_args()
    check = Comparison()
    waves = [f"**.{module}.busy" for module in BUSY] + ["**.conversions", "irq", "host.state", "power.watts"]
    for run in arguments.arguments:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name, "out")
            options = [option for wave in waves for option in ("--waves", wave)]
            result = subprocess.run([arguments.mho, "run", *run.split(), "--set", "timing=approximately_timed", "--set",
                                     f"observe.power_window={WINDOW_NS} ns", "--log", "--out", folder, *options],
                                    check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if result.stderr:
                check.failures.append(f"messages on standard error: {result.stderr}")
            dump, gathered = read_vcd.read(folder / "wave.vcd"), statistics(folder)
            compare_modules(check, dump, gathered, *log_sums(folder))
            # The driver's last state begins at the very end.
            check.equal("last state", "the host", dump.signals["SystemC.platform.host.state"].at_end(), 4, 0)
            compare_energy(check, dump, compare_sums(check, folder, gathered))
    for what, number in sorted(check.compared.items()):
        print(f"{what}: {number} compared")
        if number == 0:
            check.failures.append(f"{what}: nothing to compare")
    print("\n".join(check.failures[:20]))
    return 1 if check.failures or not check.compared else 0


if __name__ == "__main__":
    sys.exit(main())
