#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random layers on RAELLA's crossbars, once loosely and once approximately timed, against the numpy reference: psums of every row block,
centres, levels, everything that is counted, and begin and end of the crossbar cycles must be exactly the same.

The C++ side is raella_probe: crossbar_tile, shared_adc and shift_add_unit bound through their TLM sockets.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
from collections import Counter
from typing import NamedTuple

import numpy as np

import raella_reference as raella
from raella_reference import Crossbar

CYCLE_NS = 100.0
CELL_COLUMNS = 512
ONE_BIT = (1,) * 8
SLICINGS = [(4, 2, 2), (4, 4), (2, 2, 2, 2), ONE_BIT, (3, 3, 2), (1, 4, 3), (2, 1, 1, 4), (3, 2, 3)]
STREAMS = [(ONE_BIT, (4, 2, 2)), (ONE_BIT, ()), (ONE_BIT, (2, 4, 2)), ((2, 2, 2, 2), (4, 4)), ((2, 2, 2, 2), ()), (ONE_BIT, (4, 2, 1, 1)),
           ((4, 4), ()), (ONE_BIT, (3, 3, 2))]


class Layer(NamedTuple):
    crossbar: Crossbar
    weights: np.ndarray   # [filter][row]
    codes: np.ndarray     # [vector][row]
    batch: int            # vectors of a transaction, loosely timed

    def __str__(self):
        crossbar = self.crossbar
        return (f"{self.weights.shape[1]} rows in blocks of {crossbar.rows}, {len(self.weights)} filters, {len(self.codes)} vectors, "
                f"{crossbar.encoding} {'-'.join(map(str, crossbar.slicing))}, inputs {'-'.join(map(str, crossbar.inputs))}"
                f"{' signed' if crossbar.signed_inputs else ''}, speculation {'-'.join(map(str, crossbar.speculation)) or 'off'}, "
                f"{crossbar.adc_bits}-bit ADC")

    def crossbars_of_block(self):
        filters = CELL_COLUMNS // len(self.crossbar.slicing)
        return -(-len(self.weights) // filters)


def random_weights(random, filters, rows):
    """Bell-shaped around a mean of the filter's own, as trained ones are; or anything; or all at the ends."""
    kind = random.integers(0, 6)
    if kind == 0:
        return random.integers(-128, 128, (filters, rows))
    if kind == 1:
        return random.choice([-128, -127, 127], (filters, rows))
    spread = random.choice([4.0, 15.0, 30.0])
    return np.clip(np.rint(random.normal(random.normal(0, 25, (filters, 1)), spread, (filters, rows))), -128, 127).astype(int)


def random_codes(random, vectors, rows, signed):
    """Skewed towards zero as behind a ReLU, with the sign of a coin where inputs are signed; or anything; or saturated."""
    kind = random.integers(0, 5)
    top = 128 if signed else 256
    if kind == 0:
        codes = random.integers(0, top, (vectors, rows))
    elif kind == 1:
        codes = np.where(random.random((vectors, rows)) < 0.7, top - 1, 0)
    else:
        codes = random.exponential(random.choice([3.0, 12.0, 40.0]), (vectors, rows)).astype(int)
        codes = np.where(random.random((vectors, rows)) < random.choice([0.0, 0.5]), 0, codes)
    codes = np.minimum(codes, top - 1)
    if not signed:
        return codes
    codes = np.where(random.random((vectors, rows)) < 0.5, -codes, codes)
    return np.where(codes == -127, -128, codes)


def random_layer(random, index):
    """Every slicing and every stream in turn, the rest drawn."""
    inputs, speculation = STREAMS[0] if index % 3 == 0 else STREAMS[index % len(STREAMS)]
    crossbar = Crossbar(slicing=SLICINGS[0] if index % 2 == 0 else SLICINGS[index % len(SLICINGS)], inputs=inputs, speculation=speculation,
                        encoding="zero_offset" if random.random() < 0.25 else "centre_offset", rows=int(random.choice([512, 512, 512, 100])),
                        adc_bits=int(random.choice([7, 7, 7, 5, 6, 9])), signed_inputs=bool(random.random() < 0.4))
    rows = int(random.choice([1, 2, 27, 511, 512, 513, 1024, 1500, *random.integers(1, 1500, 8)]))
    filters = int(random.choice([1, 2, 3, 16, 33, *random.integers(1, 60, 3), 200 if rows < 700 else 20]))
    vectors = int(random.integers(1, 9))
    return Layer(crossbar, random_weights(random, filters, rows), random_codes(random, vectors, rows, crossbar.signed_inputs),
                 int(random.integers(1, vectors + 1)))


def write_layer(folder, layer, approximate):
    folder.mkdir()
    crossbar = layer.crossbar
    lines = [("rows", layer.weights.shape[1]), ("filters", len(layer.weights)), ("vectors", len(layer.codes)), ("batch", layer.batch),
             ("approximate", int(approximate)), ("crossbar_rows", crossbar.rows), ("adc_bits", crossbar.adc_bits),
             ("encoding", crossbar.encoding), ("signed", int(crossbar.signed_inputs)), ("slicing", *crossbar.slicing),
             ("inputs", *crossbar.inputs), ("speculation", *crossbar.speculation)]
    (folder / "layer.txt").write_text("".join(" ".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
    (folder / "weights.bin").write_bytes(layer.weights.astype(np.int8).tobytes())
    (folder / "codes.bin").write_bytes((layer.codes & 0xff).astype(np.uint8).tobytes())


class Answer(NamedTuple):
    psums: np.ndarray     # [block][vector][filter]
    centres: np.ndarray   # [block][filter]
    levels: list          # of each block, [row][column], column = filter * slices + slice
    counts: Counter


def numpy_answer(layer):
    """What the reference says; counts that the modules make of every crossbar are scaled here."""
    blocks = raella.encode_layer(layer.weights, layer.crossbar)
    crossbars, psums, total, first = layer.crossbars_of_block(), [], Counter(adc_unit_conversions=0), 0
    for block in blocks:
        last = first + block.levels.shape[2]
        added, counts = raella.block_psums(layer.codes[:, first:last], block, layer.crossbar)
        cycles = len(raella.cycles_of(layer.crossbar)) * len(layer.codes)
        columns = block.levels.shape[0] * block.levels.shape[1]
        psums.append(added)
        total.update(counts)
        total.update(array_cycles=cycles * crossbars, row_drives=cycles * crossbars * (last - first),
                     row_pulses=counts["row_pulses"] * (crossbars - 1), cell_pulses=counts["row_pulses"] * columns * 2)
        first = last
    levels = [block.levels.transpose(2, 1, 0).reshape(block.levels.shape[2], -1) for block in blocks]
    return Answer(np.stack(psums), np.stack([block.centres for block in blocks]), levels, total)


def probe_answer(folder, layer):
    """What the modules gave, and the lines about their arrays."""
    filters, slices = len(layer.weights), len(layer.crossbar.slicing)
    psums = np.fromfile(folder / "psums.bin", np.int32).reshape(-1, len(layer.codes), filters)
    centres = np.fromfile(folder / "centres.bin", np.int32).reshape(-1, filters) + raella.BIAS
    stored, levels = np.fromfile(folder / "levels.bin", np.int8), []
    for first, last in raella.row_blocks(layer.weights.shape[1], layer.crossbar.rows):
        levels.append(stored[first * filters * slices:last * filters * slices].reshape(last - first, -1))
    words = [line.split() for line in (folder / "counts.txt").read_text(encoding="utf-8").splitlines()]
    counts = Counter({each[0]: int(each[1]) for each in words if each[0] != "array"})
    return Answer(psums, centres, levels, counts), [list(map(float, each[1:])) for each in words if each[0] == "array"]


def wrong_parts(want, got):
    """Names of everything that differs, with the figures of what is counted."""
    for name in ("psums", "centres"):
        if not np.array_equal(getattr(want, name), getattr(got, name)):
            yield name
    if not all(map(np.array_equal, want.levels, got.levels)):
        yield "levels"
    for name in want.counts:
        if want.counts[name] != got.counts[name]:
            yield f"{name} {got.counts[name]} instead of {want.counts[name]}"


def wrong_cycles(layer, records, approximate):
    """One record a cycle and vector, one after the other, approximately timed; else one of a batch, items following each other."""
    cycles = len(raella.cycles_of(layer.crossbar))
    blocks = len(raella.row_blocks(layer.weights.shape[1], layer.crossbar.rows))
    if approximate:
        for block in range(blocks):
            begun = sorted(each[1] for each in records if each[0] == block)
            takes = {each[2] - each[1] for each in records if each[0] == block}
            if len(begun) != cycles * len(layer.codes) or takes != {CYCLE_NS} or set(np.diff(begun)) - {CYCLE_NS}:
                yield f"block {block}: {len(begun)} crossbar cycles of {takes} ns"
        return
    batches = -(-len(layer.codes) // layer.batch)
    if len(records) != blocks * batches:
        yield f"{len(records)} transactions"
    for block, begin, end, items, work, interval, service in records:
        if service != cycles * CYCLE_NS or work != cycles * items or end - begin != items * service or (items > 1 and interval != service):
            yield f"block {block}: {items} vectors, {work} cycles, {service} ns each, from {begin} to {end}"


def check(layer, folders):
    """Complaints about one layer, and what the reference counted."""
    want, faults = numpy_answer(layer), []
    for folder, approximate in zip(folders, (False, True)):
        got, records = probe_answer(folder, layer)
        found = [*wrong_parts(want, got), *wrong_cycles(layer, records, approximate)]
        faults += [f"{'approximately' if approximate else 'loosely'} timed: {fault}" for fault in found]
    return faults, want.counts


def eleven_cycles(random):
    """4-2-2 over one-bit slices: 1.1 us a vector, 2.2 us where inputs are signed; the layer of the paper's table."""
    for signed in (False, True):
        crossbar = Crossbar(signed_inputs=signed)
        assert len(raella.cycles_of(crossbar)) == (22 if signed else 11)
        yield Layer(crossbar, random_weights(random, 20, 600), random_codes(random, 5, 600, signed), 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe", help="the program raella_probe")
    parser.add_argument("--layers", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    layers = [*eleven_cycles(random), *(random_layer(random, index) for index in range(arguments.layers))]
    total, faults = Counter(), 0
    with tempfile.TemporaryDirectory() as name:
        folders = [[pathlib.Path(name, f"{index}_{mode}") for mode in ("loose", "approximate")] for index in range(len(layers))]
        for layer, pair in zip(layers, folders):
            for folder, approximate in zip(pair, (False, True)):
                write_layer(folder, layer, approximate)
        subprocess.run([arguments.probe, *(folder for pair in folders for folder in pair)], check=True)
        for index, (layer, pair) in enumerate(zip(layers, folders)):
            found, counts = check(layer, pair)
            faults += len(found)
            total.update(counts)
            for fault in found:
                print(f"layer {index}: {layer}: {fault}")
    for name in ("adc_conversions", "speculations", "speculation_failures", "recovery_conversions", "adc_saturations"):
        print(f"{name:<22}{total[name]:>12}")
        if total[name] == 0:
            print("never happened: the layers check less than they should")
            faults += 1
    print(f"{faults} faults" if faults else f"{len(layers)} layers are the same in numpy and on crossbars, in both timing modes")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
