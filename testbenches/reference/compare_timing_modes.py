#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a scenario loosely and approximately timed: outputs, conversions and everything that layers.csv counts must be
the same, and latency and steady interval must agree, within the given percentage, on machines where that is due. Each
machine is one word: '1.5% --set adc.converters=4'; without a percentage times are not compared."""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

# Of layers.csv, all that may depend on when things happen; `limited_by` names where the time goes.
TIMES = {"first_start_s", "last_end_s", "latency_s", "busy_s", "input_stall_s", "buffer_stall_s", "interval_s",
         "time_per_inference_s", "utilisation", "limited_by"}
MODES = ("loosely_timed", "approximately_timed")


def run(mho, scenario, options, out):
    subprocess.run([mho, "run", *scenario.split(), *options, "--out", out], check=True, stdout=subprocess.DEVNULL)
    with open(out / "layers.csv", newline="", encoding="utf-8") as file:
        layers = list(csv.DictReader(file))
    return {"outputs": {path.name: path.read_bytes() for path in (out / "outputs").iterdir()},
            "layers": [{key: value for key, value in layer.items() if key not in TIMES} for layer in layers],
            "windows_timed": [layer["first_start_s"] for layer in layers],
            "summary": json.loads((out / "summary.json").read_text(encoding="utf-8"))}


def options_of(words):
    """--set takes the next word, and values such as '1 ps' hold spaces: everything up to the next --set."""
    return [word for part in words.split("--set")[1:] for word in ("--set", part.strip())]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("scenario", help="with its options, as one word: 'classify_shapes --inferences 3'")
    parser.add_argument("machines", nargs="+")
    arguments = parser.parse_args()
    failures = 0

    def check(holds, what):
        nonlocal failures
        failures += not holds
        print(f"{what}: {'holds' if holds else 'DOES NOT HOLD'}")

    for machine in arguments.machines:
        percent, words = machine.split("%") if "%" in machine else (None, machine)
        with tempfile.TemporaryDirectory() as name:
            loose, approximate = [run(arguments.mho, arguments.scenario, [*options_of(words), "--set", f"timing={mode}"],
                                      pathlib.Path(name, mode)) for mode in MODES]
        title = words.strip() or "the machine as it is"
        check(loose["outputs"] and loose["outputs"] == approximate["outputs"], f"{title}: the same bytes of outputs")
        check(loose["layers"] and loose["layers"] == approximate["layers"], f"{title}: the same counts in layers.csv")
        check(loose["windows_timed"] != approximate["windows_timed"], f"{title}: two modes, not one twice")
        for key in ("adc_conversions", "adc_saturations"):
            check(loose["summary"][key] == approximate["summary"][key], f"{title}: the same {key}")
        check(loose["summary"]["adc_conversions"] > 0, f"{title}: there are conversions")
        for key in ("latency_s", "steady_latency_s"):
            ratio = approximate["summary"][key] / loose["summary"][key]
            text = f"{title}: {key} {approximate['summary'][key]:.6g}, {100 * (ratio - 1):+.2f} %"
            if percent is None:
                print(text)
            else:
                check(abs(ratio - 1) <= float(percent) / 100, f"{text}, at most {percent} %")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
