#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of a tutorial and compares what they print with what it quotes.

Every ```sh block runs in one temporary copy of the tutorial's folder. The lines of a ```text block behind it must follow
each other in what is printed; a line `...` stands for any others. A comment on the line before a block changes that:
<!-- needs a display --> skips it, <!-- needs matplotlib --> or <!-- needs snakemake --> skips it where that is missing,
<!-- as an example --> leaves a ```text block alone."""
import argparse
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"(?:<!-- (?P<remark>[a-z ]+) -->\n)?```(?P<kind>sh|text)\n(?P<body>.*?)^```$",
                   re.DOTALL | re.MULTILINE)
TIMEOUT_S = 120


def skipped(remark):
    return remark == "needs a display" or remark == "as an example" or (
        remark == "needs matplotlib" and importlib.util.find_spec("matplotlib") is None) or (
        remark == "needs snakemake" and shutil.which("snakemake") is None)


def missing_line(quoted, printed):
    """The first quoted line that is not printed behind those before it."""
    lines, at, anywhere = [line.rstrip() for line in printed.splitlines()], 0, True
    for line in (line.rstrip() for line in quoted.splitlines()):
        if line.strip() == "...":
            anywhere = True
            continue
        candidates = lines[at:] if anywhere else lines[at:at + 1]
        if line not in candidates:
            return line
        at, anywhere = at + candidates.index(line) + 1, False
    return None


def check(readme, folder, environment):
    """What is wrong, one line or more each."""
    wrong, printed, blocks_run = [], None, 0
    text = readme.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        where = f"{readme.name}:{text.count(chr(10), 0, block.start('body'))}"
        if skipped(block["remark"]):
            printed = None if block["kind"] == "sh" else printed
        elif block["kind"] == "sh":
            run = subprocess.run(["bash", "-euo", "pipefail", "-c", block["body"]], cwd=folder, env=environment,
                                 capture_output=True, text=True, timeout=TIMEOUT_S)
            printed = run.stdout
            blocks_run += 1
            if run.returncode != 0:
                wrong.append(f"{where}: exit code {run.returncode}\n{run.stdout}{run.stderr}")
        elif printed is not None:
            line = missing_line(block["body"], printed)
            if line is not None:
                wrong.append(f"{where}: quoted but not printed there: {line!r}; printed was\n{printed}")
    if blocks_run == 0:
        wrong.append(f"{readme.name}: there is no command to run")
    return wrong


def copy_of(root, readme, scratch):
    """The tutorial's folder and the scripts, at the same places below `scratch`."""
    folder = readme.parent.relative_to(root)
    shutil.copytree(readme.parent, scratch / folder)
    shutil.copytree(root / "scripts", scratch / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return scratch / folder


SAMPLE = """```sh\nprintf 'a\\nb\\nc\\nd\\n'\n```\n\n```text\n%s\n```\n"""
SELF_TESTS = {"a\nb": 0, "b\n...\nd": 0, "c\nd": 0, "a\nc": 1, "d\n...\na": 1, "e": 1, "...\nd": 0, "a\n...": 0}


def self_test(scratch):
    wrong = []
    for quoted, faults in SELF_TESTS.items():
        sample = scratch / "sample.md"
        sample.write_text(SAMPLE % quoted, encoding="utf-8")
        if len(check(sample, scratch, dict(os.environ))) != faults:
            wrong.append(f"self-test: {quoted!r} must give {faults} faults")
    (scratch / "sample.md").write_text("no command\n", encoding="utf-8")
    if not check(scratch / "sample.md", scratch, dict(os.environ)):
        wrong.append("self-test: a text without commands passes")
    (scratch / "sample.md").write_text("```sh\nfalse\ntrue\n```\n", encoding="utf-8")
    if not check(scratch / "sample.md", scratch, dict(os.environ)):
        wrong.append("self-test: a command that fails goes unnoticed")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path, help="the project's root")
    parser.add_argument("readme", type=pathlib.Path, help="relative to the root")
    parser.add_argument("--path", action="append", default=[], help="folder of programs that the commands call")
    parser.add_argument("--install", help="build folder: install it for the commands, so that find_package(mho) works")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    environment = dict(os.environ)
    programs = [str(pathlib.Path(folder).resolve()) for folder in arguments.path]
    environment["PATH"] = os.pathsep.join(programs + [environment["PATH"]])
    with tempfile.TemporaryDirectory() as temporary:
        scratch = pathlib.Path(temporary)
        wrong = self_test(scratch)
        if arguments.install:
            subprocess.run(["cmake", "--install", arguments.install, "--prefix", scratch / "installed"], check=True,
                           stdout=subprocess.DEVNULL)
            environment["CMAKE_PREFIX_PATH"] = str(scratch / "installed")
        wrong += check(root / arguments.readme, copy_of(root, root / arguments.readme, scratch), environment)
    print("\n".join(wrong) or f"{arguments.readme}: all commands run, and print what is quoted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
