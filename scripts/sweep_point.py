#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one point of a sweep: `sweep_point.py NAME`, in the sweep's folder. What to run stands in requests/NAME.json; a
run leaves points/NAME, one that fails failures/NAME.json with its exit code and its last line."""
import json
import pathlib
import shutil
import signal
import subprocess
import sys


def reason_of(run):
    lines = [line.strip() for line in run.stderr.splitlines() if line.strip()]
    if run.returncode < 0:
        return f"ended by signal {-run.returncode} ({signal.strsignal(-run.returncode)})"
    return lines[-1] if lines else f"exit code {run.returncode}"


def main():
    name = sys.argv[1]
    request = json.loads(pathlib.Path("requests", name + ".json").read_text(encoding="utf-8"))
    folder, failure = pathlib.Path("points", name).absolute(), pathlib.Path("failures", name + ".json")
    failure.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        run = subprocess.run([request["program"]] + request["arguments"] + [f"--out={folder}"], cwd=request["folder"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                             errors="replace", check=False)
        code, reason = run.returncode, reason_of(run)
    except OSError as error:
        code, reason = 1, f"{request['program']}: {error.strerror}"
    if code != 0:
        failure.parent.mkdir(exist_ok=True)
        failure.write_text(json.dumps({"exit_code": code, "reason": reason}) + "\n", encoding="utf-8")
    return 0 if code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
