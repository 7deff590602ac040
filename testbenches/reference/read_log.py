#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads transaction logs as models/observe/transaction_log.h describes them, and holds a run of mho against what it
finds there: conversions, busy times, and what `mho log` makes of the same file. It shares no code with mho."""
import argparse
import collections
import csv
import decimal
import json
import pathlib
import subprocess
import sys
import tempfile
import zlib

MAGIC = bytes.fromhex("896d686f6c6f670a")
FOOTER, MODULE, SERVER, FIRST_SERVER = 0, 1, 2, 3
MODULO = 1 << 64
DELTAS = (("id", 1), ("parent", 2), ("operation", 4), ("node", 8))
KEPT = (("items", 16), ("work", 32), ("interval", 64), ("service", 128))
Occupation = collections.namedtuple("Occupation", "module lane kind unit id parent operation node items work begin end "
                                                  "interval service")


class CutOff(Exception):
    """The bytes end within an entry."""


class Log:
    """A whole log in memory: occupations, whether it is complete, and what times are multiples of."""

    def __init__(self, data):
        self.data, self.at = data, len(MAGIC)
        if data[:len(MAGIC)] != MAGIC:
            raise ValueError("no transaction log")
        if self.unsigned() != 1:
            raise ValueError("another version")
        self.unit_s = decimal.Decimal(1).scaleb(self.signed())
        self.kinds = [(self.text(), self.text()) for _ in range(self.unsigned())]
        self.modules, self.servers, self.occupations = [], [], []
        self.complete = False
        self.last = {"begin": 0, "id": 0, "parent": 0, "operation": 0, "node": MODULO - 1}
        try:
            while self.entry():
                pass
        except CutOff:
            pass

    def byte(self):
        if self.at >= len(self.data):
            raise CutOff
        self.at += 1
        return self.data[self.at - 1]

    def unsigned(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self):
        value = self.unsigned()
        return -((value + 1) >> 1) if value & 1 else value >> 1

    def text(self):
        length = self.unsigned()
        if self.at + length > len(self.data):
            raise CutOff
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def entry(self):
        what = self.unsigned()
        if what == FOOTER:
            records = self.unsigned()
            checksum = int.from_bytes(self.data[self.at:self.at + 4], "little")
            if records != len(self.occupations) or checksum != zlib.adler32(self.data[:self.at]):
                raise ValueError("the footer does not fit the log")
            if self.at + 4 != len(self.data):
                raise ValueError("the log goes on behind its footer")
            self.complete = True
            return False
        if what == MODULE:
            self.modules.append(self.text())
        elif what == SERVER:
            server = (self.modules[self.unsigned()], self.signed(), self.kinds[self.unsigned()])
            self.servers.append((server, {"items": 1, "work": 0, "interval": 0, "service": 0}))
        else:
            self.occupation(*self.servers[what - FIRST_SERVER])
        return True

    def occupation(self, server, kept):
        flags = self.byte()
        last = dict(self.last)
        last["begin"] = (last["begin"] + self.signed()) % MODULO
        for name, flag in DELTAS:
            last[name] = (last[name] + (name == "id") + (self.signed() if flags & flag else 0)) % MODULO
        own = {name: self.unsigned() if flags & flag else kept[name] for name, flag in KEPT}
        end = (last["begin"] + (own["items"] - 1) * own["interval"] + self.signed()) % MODULO
        self.last = last
        kept.update(own)
        module, lane, (kind, unit) = server
        node = last["node"] - MODULO if last["node"] >> 63 else last["node"]
        self.occupations.append(Occupation(module, lane, kind, unit, last["id"], last["parent"], last["operation"], node,
                                           own["items"], own["work"], last["begin"], end, own["interval"],
                                           own["service"]))

    def seconds(self, time):
        return time * self.unit_s

    def busy(self, kinds=None):
        """Seconds that each module was busy, items times service."""
        sums = collections.defaultdict(decimal.Decimal)
        for each in self.occupations:
            if kinds is None or each.kind in kinds:
                sums[each.module] += self.seconds(each.items * each.service)
        return sums


def encode(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def self_test():
    """A log written by hand: one stream of ten items, 900 + 9 * 50 + 100 = 1450, and what is missing without its end."""
    body = MAGIC + bytes([1, 23, 1, 1]) + b"k" + bytes([1]) + b"u" + bytes([1, 1]) + b"m" + bytes([2, 0, 5, 0])
    body += bytes([3, 0xf8]) + encode(1800) + encode(10) + bytes([10, 7]) + encode(50) + encode(100) + encode(200)
    whole = body + bytes([0, 1])
    log = Log(whole + zlib.adler32(whole).to_bytes(4, "little"))
    assert log.complete and log.occupations == [Occupation("m", -3, "k", "u", 1, 0, 0, 4, 10, 7, 900, 1450, 50, 100)]
    assert log.busy() == {"m": decimal.Decimal("1e-9")}
    assert not Log(body).complete and len(Log(body).occupations) == 1
    assert not Log(body[:-1]).occupations


def check(condition, message):
    if not condition:
        sys.exit(f"read_log.py: {message}")


def check_conversions(log, summary):
    logged = sum(each.work for each in log.occupations if each.kind == "conversion")
    counted = summary["adc_conversions"] + summary["adc_unit_conversions"]
    check(logged == counted, f"{logged} conversions are logged, {counted} are counted")


def check_ids(log):
    """Ids are unique, and whatever belongs to a command lies within it as the command was logged."""
    ids = collections.Counter(each.id for each in log.occupations)
    check(max(ids.values()) == 1, "an id is there twice")
    commands = {each.id: each for each in log.occupations if each.kind == "command"}
    check(commands, "no command is logged")
    for each in log.occupations:
        if each.kind == "conversion":
            check(each.parent in commands, f"conversion {each.id} has no command")
            command = commands[each.parent]
            check(command.begin <= each.begin and each.node == command.node,
                  f"conversion {each.id} is not its command's")


def check_statistics(log, path):
    """The statistic `busy` of every module of the accelerator is what its occupations add up to."""
    with open(path, encoding="utf-8") as table:
        stated = {row["module"]: float(row["value"]) for row in csv.DictReader(table) 
                  if row["name"] == "busy" and ".pim0." in row["module"]}
    busy = log.busy()
    check(stated, "no module states how long it was busy")
    for module, seconds in stated.items():
        check(abs(seconds - float(busy.get(module, 0))) <= 1e-9 * max(seconds, 1e-9),
              f"{module} states {seconds} s of busy time, the log adds up to {busy.get(module, 0)} s")


def check_summary(log, summary):
    check(summary["complete"] == log.complete and summary["records"] == len(log.occupations),
          "`mho log --json` counts other records")
    expected = collections.defaultdict(lambda: [0, 0, 0, decimal.Decimal(0)])
    for each in log.occupations:
        for sums in (expected[each.module, each.kind], expected["", each.kind]):
            sums[0] += 1
            sums[1] += each.items
            sums[2] += each.work
            sums[3] += log.seconds(each.items * each.service)
    rows = summary["modules"] + summary["kinds"]
    check(len(rows) == len(expected), "`mho log --json` has other modules")
    for row in rows:
        records, items, work, busy = expected[row.get("module", ""), row["kind"]]
        check((row["records"], row["items"], row["work"]) == (records, items, work) and
              abs(row["busy_s"] - float(busy)) <= 1e-9 * float(busy), f"`mho log --json` differs: {row}")


def check_csv(log, path):
    with open(path, encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    check(len(rows) == len(log.occupations), "`mho log --csv` has another number of lines")
    for row, each in zip(rows, log.occupations):
        same = (row["module"], row["kind"], row["work_unit"]) == (each.module, each.kind, each.unit) and all(
            int(row[name]) == getattr(each, name)
            for name in ("lane", "id", "parent", "operation", "node", "items", "work")) and all(
            decimal.Decimal(row[name + "_s"]) == log.seconds(getattr(each, name))
            for name in ("begin", "end", "interval", "service"))
        check(same, f"`mho log --csv` differs: {row}")


def check_nesting(slices):
    tracks = collections.defaultdict(list)
    for event in slices:
        tracks[event["pid"], event["tid"]].append((event["ts"], -(event["ts"] + event["dur"])))
    for track, spans in tracks.items():
        open_until = []
        for begin, minus_end in sorted(spans):
            while open_until and open_until[-1] <= begin:
                open_until.pop()
            check(not open_until or -minus_end <= open_until[-1], f"slices of track {track} do not nest")
            open_until.append(-minus_end)


def check_flows(events, slices):
    """Each arrow has two ends; it starts at its command's slice and ends at one of its conversions'."""
    ends = collections.defaultdict(dict)
    for event in events:
        if event["ph"] in "sf":
            check(event["ph"] not in ends[event["id"]], f"flow {event['id']} has an end twice")
            ends[event["id"]][event["ph"]] = event
    at = {event["args"]["id"]: event for event in slices}
    conversions = [event for event in slices if event["cat"] == "conversion"]
    check({event["args"]["id"] for event in conversions} == set(ends), "a conversion has no arrow")
    for number, flow in ends.items():
        check(set(flow) == {"s", "f"}, f"flow {number} has one end only")
        conversion = at[number]
        command = at[conversion["args"]["parent"]]
        for end, slice_ in (("s", command), ("f", conversion)):
            check(all(flow[end][key] == slice_[key] for key in ("pid", "tid", "ts")), f"flow {number} ends nowhere")


def check_perfetto(log, path):
    with open(path, encoding="utf-8") as file:
        events = json.load(file, parse_float=decimal.Decimal)["traceEvents"]
    slices = [event for event in events if event["ph"] == "X"]
    check(len(slices) == len(log.occupations), "`mho log --perfetto` has another number of slices")
    micro = decimal.Decimal(10) ** 6
    by_id = {each.id: each for each in log.occupations}
    for event in slices:
        each = by_id[event["args"]["id"]]
        check((event["cat"], event["args"]["work"], event["args"]["work_unit"], event["args"]["items"]) ==
              (each.kind, each.work, each.unit, each.items) and event["ts"] == log.seconds(each.begin) * micro and
              event["dur"] == log.seconds(each.end - each.begin) * micro, f"`mho log --perfetto` differs: {event}")
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    check({(event["pid"], event["tid"]) for event in slices} == named, "a track has no name")
    check_nesting(slices)
    check_flows(events, slices)


def run(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mho", help="the program")
    arguments, of_run = parser.parse_known_args()  # what it does not know is for `mho run classify_shapes`
    self_test()
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "out")
        run(arguments.mho, "run", "classify_shapes", "--set", "observe.log=true", "--out", out, *of_run)
        path = out / "transactions.bin"
        data = path.read_bytes()
        log = Log(data)
        check(log.complete, "the log is not complete")
        check_ids(log)
        check_conversions(log, json.loads((out / "summary.json").read_text()))
        if (out / "statistics.csv").exists():
            check_statistics(log, out / "statistics.csv")
        run(arguments.mho, "log", path, "--csv", out / "log.csv", "--perfetto", out / "log.json")
        check_summary(log, json.loads(run(arguments.mho, "log", path, "--json")))
        check_csv(log, out / "log.csv")
        check_perfetto(log, out / "log.json")
        half = out / "half.bin"
        half.write_bytes(data[:len(data) // 2])
        check_summary(Log(half.read_bytes()), json.loads(run(arguments.mho, "log", half, "--json")))
    print(f"{len(log.occupations)} records, {len(data) / len(log.occupations):.1f} bytes each, all as counted")


if __name__ == "__main__":
    main()
