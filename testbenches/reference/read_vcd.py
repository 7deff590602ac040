#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads value change dumps (IEEE 1364-2005, clause 18): scopes, scalars, vectors and reals over time. Written from the
standard; it knows nothing of the program that wrote the file. Called as a program it prints, for every signal, the
last value, the integral over time and the number of changes."""
import dataclasses
import re
import sys

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15}


@dataclasses.dataclass
class Signal:
    name: str       # scopes and reference, joined by dots, without a range
    kind: str       # wire, real, ...
    width: int
    changes: list = dataclasses.field(default_factory=list)  # (time in units of the file, value)

    def at_end(self):
        return self.changes[-1][1]

    def integral(self, end, begin=0):
        """Sum of value x time from `begin` to `end`, in units of the file; integers stay exact."""
        total = 0
        for (start, value), (stop, _) in zip(self.changes, self.changes[1:] + [(end, None)]):
            total += value * max(0, min(stop, end) - max(start, begin))
        return total


@dataclasses.dataclass
class Dump:
    unit_s: float
    signals: dict   # name -> Signal
    end: int        # last time in the file


def value_of(kind, text):
    if kind == "real":
        return float(text)
    if not set(text) <= {"0", "1"}:
        raise ValueError(f"a value {text!r} that is not known")  # x and z: nothing of ours is undriven
    return int(text, 2)


def read_header(tokens):
    unit_s, scopes, signals, by_code = None, [], {}, {}
    for token in tokens:
        body = []
        if token.startswith("$"):
            for word in tokens:
                if word == "$end":
                    break
                body.append(word)
        if token == "$enddefinitions":
            return unit_s, signals, by_code
        if token == "$timescale":
            number, unit = re.fullmatch(r"(1|10|100)(s|ms|us|ns|ps|fs)", "".join(body)).groups()
            unit_s = int(number) * UNITS[unit]
        elif token == "$scope":
            scopes.append(body[1])
        elif token == "$upscope":
            scopes.pop()
        elif token == "$var":
            kind, width, code, reference = body[0], int(body[1]), body[2], body[3]
            name = ".".join(scopes + [re.sub(r"\[.*\]$", "", reference)])
            if name in signals:
                raise ValueError(f"{name} is declared twice")
            signals[name] = by_code.setdefault(code, Signal(name, kind, width))
    raise ValueError("the header does not end")


def read(path):
    with open(path, encoding="ascii") as file:
        text = file.read()
    if not text.endswith("\n"):
        raise ValueError("the last line is cut off")
    tokens = iter(text.split())
    unit_s, signals, by_code = read_header(tokens)
    now, last = 0, -1
    for token in tokens:
        if token == "$comment":
            while next(tokens) != "$end":
                pass
        elif token in ("$dumpvars", "$dumpall", "$dumpon", "$dumpoff", "$end"):
            continue
        elif token[0] == "#":
            now = int(token[1:])
            if now < last:
                raise ValueError(f"time goes back from {last} to {now}")
            last = now
        elif token[0] in "bBrR":
            signal = by_code[next(tokens)]
            if (token[0] in "rR") != (signal.kind == "real"):
                raise ValueError(f"{signal.name} is a {signal.kind} and has the value {token}")
            if len(token) - 1 > signal.width and signal.kind != "real":
                raise ValueError(f"{signal.name} has {signal.width} bits and the value {token}")
            signal.changes.append((now, value_of(signal.kind, token[1:])))
        else:
            signal = by_code[token[1:]]
            signal.changes.append((now, value_of("wire", token[0])))
    return Dump(unit_s, signals, last)


if __name__ == "__main__":
    dump = read(sys.argv[1])
    print(f"end {dump.end} unit {dump.unit_s}")
    for each in sorted(dump.signals.values(), key=lambda signal: signal.name):
        print(each.name, each.at_end(), each.integral(dump.end), len(each.changes))
