#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the register table of the README with what the model prints; --write puts it there."""
import argparse
import pathlib
import subprocess
import sys

BEGIN, END = "<!-- registers -->\n", "<!-- /registers -->"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    parser.add_argument("readme", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="replace the table instead of comparing")
    arguments = parser.parse_args()
    table = subprocess.run([arguments.mho, "list", "registers"], check=True, capture_output=True, text=True).stdout
    text = arguments.readme.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN, 1)
    written, tail = rest.split(END, 1)
    if arguments.write:
        arguments.readme.write_text(head + BEGIN + table + END + tail, encoding="utf-8")
    elif written != table:
        print("the register table of the README is not what `mho list registers` prints; run this with --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
