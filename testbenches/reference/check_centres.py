#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks centres and levels of Centre+Offset and Zero+Offset (RAELLA, ISCA 2023) against a search by brute force:
every centre, every slice, every row, in integers without limit. Shares nothing with the models; what it is sure of
itself is worked by hand in self_test()."""
import argparse
import itertools
import subprocess
import sys

import numpy

CENTRES = numpy.arange(1, 256)


def slice_of(offsets, high, low):
    """Bits high .. low of the magnitude, shifted down, with the sign."""
    return numpy.sign(offsets) * ((numpy.abs(offsets) >> low) % (1 << (high - low + 1)))


def bounds(widths):
    """(high, low) of every slice, most significant first."""
    lows = [8 - total for total in itertools.accumulate(widths)]
    return [(low + width - 1, low) for low, width in zip(lows, widths)]


def costs(weights, widths):
    """Cost of every centre for one filter, as Python integers."""
    offsets = (weights.astype(numpy.int64) + 128)[:, None] - CENTRES[None, :]
    sums = [slice_of(offsets, high, low).sum(axis=0) for high, low in bounds(widths)]
    return [sum(2 ** low * int(column[i]) ** 4 for (_, low), column in zip(bounds(widths), sums))
            for i in range(len(CENTRES))]


def centre_of(weights, widths):
    found = costs(weights, widths)
    return 1 + found.index(min(found))  # the first, and so the smallest, of equal ones


def levels_of(weights, centres, widths):
    """[row][filter][slice] of weights[filter][row]."""
    offsets = weights.astype(numpy.int64) + 128 - numpy.array(centres)[:, None]
    return numpy.stack([slice_of(offsets, high, low).T for high, low in bounds(widths)], axis=-1)


def random_filters(random, rows, filters):
    """Full range, narrow, skewed, or few distinct values: the last give many equal costs."""
    kind = random.integers(5)
    if kind == 0:
        weights = random.integers(-128, 128, (filters, rows))
    elif kind == 1:
        weights = random.normal(random.uniform(-90, 90, (filters, 1)), random.uniform(1, 50), (filters, rows))
    elif kind == 2:
        weights = random.exponential(random.uniform(5, 60), (filters, rows)) * random.choice([-1, 1], (filters, 1))
    elif kind == 3:
        weights = random.choice(random.integers(-128, 128, 3), (filters, rows))
    else:
        weights = numpy.full((filters, rows), random.choice([-128, 127, 0, -1]))
    return numpy.clip(numpy.rint(weights), -128, 127).astype(numpy.int64)


def cases(seed, count):
    random = numpy.random.default_rng(seed)
    slicings = [widths for parts in range(2, 9) for widths in itertools.product(range(1, 5), repeat=parts)
                if sum(widths) == 8]
    assert len(slicings) == 108
    for i in range(count):
        rows = int(random.choice([1, 2, 3, 9, 27, 147, 511, 512, random.integers(1, 513)]))
        widths = (4, 2, 2) if i % 4 == 0 else slicings[random.integers(len(slicings))]
        encoding = "zero_offset" if i % 10 == 9 else "centre_offset"
        yield encoding, widths, random_filters(random, rows, int(random.integers(1, 7)))
    # Costs that leave 64 bits: 65536 * 1, 4096 * 8 levels to the fourth power times 16.
    yield "centre_offset", (4, 2, 2), numpy.full((1, 4096), 127)
    yield "centre_offset", (4, 4), numpy.full((1, 65536), 127)


def check(encoding, widths, weights, centres, levels):
    expected = [128] * len(weights)
    if encoding == "centre_offset":
        expected = [centre_of(row, widths) for row in weights]
    where = f"{encoding}, slices {widths}, {weights.shape[1]} rows, {weights.shape[0]} filters"
    if centres != expected:
        return [f"{where}: centres {centres}, expected {expected}"]
    if not numpy.array_equal(levels, levels_of(weights, expected, widths).ravel()):
        return [f"{where}: other levels"]
    return []


def ties(weights, widths):
    found = costs(weights, widths)
    return found.count(min(found)) > 1


def self_test():
    """u = 130, 125, 133 from 130: 0, -5 = -(0 01 01), 3 = 0 00 11."""
    assert levels_of(numpy.array([[2, -3, 5]]), [130], (4, 2, 2)).tolist() == [[[0, 0, 0]], [[0, -1, -1]], [[0, 0, 3]]]
    assert bounds((4, 2, 2)) == [(7, 4), (3, 2), (1, 0)]
    # u = 127, 128: one unit of the last slice from either side, so the smaller centre.
    assert centre_of(numpy.array([-1, 0]), (4, 2, 2)) == 127 and ties(numpy.array([-1, 0]), (4, 2, 2))
    # u = 0: from 1 it is -1, cost 1.
    assert centre_of(numpy.array([-128]), (4, 2, 2)) == 1 and costs(numpy.array([-128]), (4, 2, 2))[1] == 16


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", help="centres_probe")
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    self_test()
    blocks = list(cases(arguments.seed, arguments.cases))
    text = "\n".join(" ".join(map(str, [encoding, len(widths), *widths, weights.shape[1], weights.shape[0],
                                        *weights.ravel()])) for encoding, widths, weights in blocks)
    lines = subprocess.run([arguments.probe], input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    if len(lines) != 2 * len(blocks):
        return f"{len(lines)} lines for {len(blocks)} blocks"
    wrong, equal_costs, filters = [], 0, 0
    for i, (encoding, widths, weights) in enumerate(blocks):
        centres = [int(word) for word in lines[2 * i].split()]
        wrong += check(encoding, widths, weights, centres, numpy.array(lines[2 * i + 1].split(), dtype=numpy.int64))
        filters += len(weights)
        equal_costs += sum(ties(row, widths) for row in weights) if weights.shape[1] < 600 else 0
    print("\n".join(wrong) if wrong else f"{filters} filters, {equal_costs} of them with equal costs: all agree")
    return 1 if wrong or equal_costs == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
