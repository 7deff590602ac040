#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what arrays with noise read (noise_probe) with numpy's own simulation of the same model: means and variances
of columns, distributions by Kolmogorov and Smirnov's test and by chi-square, shares of stuck devices, independence.

Seeds are fixed, so a run that passes passes again. Bounds are five standard errors of a mean or a variance, six where
hundreds of columns are looked at, and probabilities of 1e-5 for tests of distributions.
"""
import argparse
import math
import subprocess
import sys
from dataclasses import dataclass

import numpy

KOLMOGOROV = 2.47  # sqrt(n) D is above once in 100 000 times: 2 exp(-2 * 2.47^2)
FAILED = []


@dataclass
class Model:
    spread: float = 0.0
    read: float = 0.0
    proportional: float = 0.0
    off: float = 0.0
    on: float = 0.0


def check(what, holds):
    print(("  " if holds else "X ") + what)
    if not holds:
        FAILED.append(what)


def near(what, got, want, error, errors=5.0):
    """Largest distance of `got` from `want` in standard errors."""
    distance = float(numpy.max(numpy.abs(numpy.asarray(got) - want) / error))
    check(f"{what}: {distance:.1f} standard errors (up to {errors:g})", distance <= errors)


def moments(what, sample, mean, variance, kurtosis=3.0, errors=6.0, simulated=math.inf):
    """Mean and variance of each column of sample[n][columns] against those expected, or simulated so many times."""
    n = 1 / (1 / sample.shape[0] + 1 / simulated)
    near(f"{what}, means", sample.mean(axis=0), mean, numpy.sqrt(variance / n), errors)
    near(f"{what}, variances", sample.var(axis=0, ddof=1), variance, variance * numpy.sqrt((kurtosis - 1) / n), errors)


def normal_cdf(x):
    return 0.5 * numpy.vectorize(math.erfc)(-numpy.asarray(x) / math.sqrt(2))


def chi_square(what, observed, expected):
    """Bins of fewer than ten are put together; the bound by Wilson and Hilferty, 4.26 standard deviations."""
    order = numpy.argsort(expected)
    kept, rest = [], [0.0, 0.0]
    for i in order:
        if expected[i] < 10 or 0 < rest[1] < 10:
            rest = [rest[0] + observed[i], rest[1] + expected[i]]
        else:
            kept.append((observed[i], expected[i]))
    if rest[1] >= 10:
        kept.append(tuple(rest))
    elif rest[0] > 10 + 5 * math.sqrt(10):
        check(f"{what}: {rest[0]:g} where next to none are due", False)
    if len(kept) < 2:
        return  # nothing that could be otherwise
    o, e = numpy.array(kept).T
    value, freedom = float(((o - e) ** 2 / e).sum()), len(kept) - 1
    bound = freedom * (1 - 2 / (9 * freedom) + 4.26 * math.sqrt(2 / (9 * freedom))) ** 3
    check(f"{what}: chi-square {value:.1f} of {freedom} (up to {bound:.1f})", value <= bound)


def same_distribution(what, a, b):
    """Two-sample test; many equal values make it milder."""
    a, b = numpy.sort(numpy.ravel(a)), numpy.sort(numpy.ravel(b))
    points = numpy.concatenate([a, b])
    below_a, below_b = (numpy.searchsorted(sample, points, "right") / sample.size for sample in (a, b))
    value = float(numpy.abs(below_a - below_b).max()) * math.sqrt(a.size * b.size / (a.size + b.size))
    check(f"{what}: Kolmogorov-Smirnov {value:.2f} (up to {KOLMOGOROV})", value <= KOLMOGOROV)


class Arrays:
    """Levels and values, read by the program or simulated here."""

    def __init__(self, probe, levels, values, cell_bits, paired):
        self.probe, self.levels, self.values = probe, levels.astype(numpy.int64), values.astype(numpy.int64)
        self.cell_bits, self.paired = cell_bits, paired
        self.count, self.cycles, self.rows = values.shape
        self.columns = levels.shape[1]

    def read(self, model, arrays=1, seed=1, first_vector=0, values=None):
        """sums[arrays][count][cycles][columns] of the program."""
        values = self.values if values is None else values
        numbers = (arrays, self.rows, self.columns, self.cell_bits, int(self.paired), max(1, int(self.values.max())),
                   model.spread, model.read, model.proportional, model.off, model.on, seed, first_vector,
                   values.shape[0], values.shape[1])
        request = " ".join(map(str, numbers)).encode() + b"\n" + self.levels.astype(numpy.int8).tobytes()
        request += values.astype(numpy.uint8).tobytes()
        sums = subprocess.run([self.probe], input=request, check=True, stdout=subprocess.PIPE).stdout
        shape = (arrays, *values.shape[:2], self.columns)
        return numpy.frombuffer(sums, numpy.int16).reshape(shape).astype(numpy.int64)

    def exact(self):
        """N+ - N- and N+ + N- of ideal cells."""
        return self.values @ self.levels, self.values @ numpy.abs(self.levels)

    def simulate(self, model, arrays, random):
        """The same sums from the model's definition, in double precision."""
        top, result = 2**self.cell_bits - 1, []
        for _ in range(arrays):
            currents = []
            for wanted in (numpy.maximum(self.levels, 0), numpy.maximum(-self.levels, 0))[: 2 if self.paired else 1]:
                drawn = random.random(wanted.shape)
                level = numpy.where(drawn < model.off, 0, numpy.where(drawn < model.off + model.on, top, wanted))
                conductance = numpy.maximum(level * (1 + model.spread * random.standard_normal(wanted.shape)), 0)
                currents.append(self.values @ conductance)
            net, total = currents[0] - sum(currents[1:]), sum(currents)
            deviation = numpy.sqrt(model.read**2 + model.proportional**2 * total)
            result.append(net + deviation * random.standard_normal(net.shape))
        return numpy.clip(numpy.rint(numpy.array(result)), -32768, 32767)


def isaac(probe, random, count=200, columns=65, largest=1):
    """128 rows of 2-bit cells, bit-serial inputs or wider; the last column is the unit column."""
    levels = random.integers(0, 4, (128, columns))
    levels[:, -1] = 1
    return Arrays(probe, levels, random.integers(0, largest + 1, (count, 4, 128)), 2, False)


def raella(probe, random, count=200, columns=40):
    """512 rows of pairs of 4-bit devices, slices of up to four bits."""
    return Arrays(probe, random.integers(-15, 16, (512, columns)), random.integers(0, 16, (count, 3, 512)), 4, True)


def check_read_noise(arrays):
    net, _ = arrays.exact()
    for read in (0.3, 1.0, 7.5):
        error = arrays.read(Model(read=read))[0] - net
        codes = numpy.arange(error.min() - 3, error.max() + 4)
        expected = (normal_cdf((codes + 0.5) / read) - normal_cdf((codes - 0.5) / read)) * error.size
        chi_square(f"read noise {read}, errors", [(error == code).sum() for code in codes], expected)
        rounded = float((expected * codes**2).sum() / expected.sum())
        fourth = float((expected * codes**4).sum() / expected.sum()) / rounded**2
        moments(f"read noise {read}, columns", error.reshape(-1, arrays.columns), 0, rounded, fourth)


def check_proportional_noise(arrays, random):
    net, total = arrays.exact()
    for noise in (0.04, 0.08, 0.12):
        model = Model(proportional=noise)
        read = arrays.read(model, arrays=4)
        scaled = (read - net) / numpy.sqrt(noise**2 * total + 1 / 12)  # rounding adds 1/12
        moments(f"E = {noise}, columns", scaled.reshape(-1, arrays.columns), 0, 1)
        own = (arrays.simulate(model, 4, random) - net) / numpy.sqrt(noise**2 * total + 1 / 12)
        same_distribution(f"E = {noise}, all sums", scaled, own)
        for name, part in (("small", total < numpy.median(total)), ("large", total >= numpy.median(total))):
            moments(f"E = {noise}, {name} currents", scaled[:, part].reshape(-1, 1), 0, 1, errors=5)


def check_little_driven(probe, random):
    """Currents that differ by a factor of 100 in one array, so that the variance is seen to follow them."""
    arrays = raella(probe, random)
    arrays.values[::2] *= random.random(arrays.values[::2].shape) < 0.01
    net, total = arrays.exact()
    read = arrays.read(Model(proportional=0.12, read=0.6), arrays=4)
    scaled = (read - net) / numpy.sqrt(0.12**2 * total + 0.36 + 1 / 12)
    moments("few pulses", scaled[:, ::2].reshape(-1, arrays.columns), 0, 1)
    moments("many pulses", scaled[:, 1::2].reshape(-1, arrays.columns), 0, 1)


def check_replicas(arrays, name, model, random):
    """Sums of the first vector in 400 replicas and in 1500 simulated ones."""
    read, own = arrays.read(model, arrays=400)[:, 0, 0], arrays.simulate(model, 1500, random)[:, 0, 0]
    centre, scale = own.mean(axis=0), own.std(axis=0)
    moments(name, read, centre, scale**2, 3.2, simulated=1500)
    same_distribution(f"{name}, all columns", (read - centre) / scale, (own - centre) / scale)


def check_spread(arrays, name, random):
    for spread in (0.02, 0.1, 0.5, 1.0):
        check_replicas(arrays, f"{name}, spread {spread}", Model(spread=spread), random)
    again = arrays.read(Model(spread=0.1), values=numpy.repeat(arrays.values[:1], 5, axis=0))[0]
    check(f"{name}: devices are drawn once", bool((again == again[0]).all()))


def devices(arrays, model, count):
    """Levels of cells, [arrays][rows][columns]: what one pulse on one row gives."""
    pulses = numpy.eye(arrays.rows, dtype=numpy.int64)[:, None, :]
    return arrays.read(model, arrays=count, values=pulses)[:, :, 0]


def check_stuck(arrays, name):
    top = 2**arrays.cell_bits - 1
    for model in (Model(off=0.02), Model(on=0.03), Model(off=0.1, on=0.05), Model(off=0.5, on=0.5)):
        cells = devices(arrays, model, 20)
        for level in numpy.unique(arrays.levels):
            found = cells[:, arrays.levels == level]
            due = {}
            working = 1 - model.off - model.on
            of_device = [[(0, model.off), (top, model.on), (max(sign * level, 0), working)] for sign in (1, -1)]
            for first, p in of_device[0]:
                for second, q in of_device[1] if arrays.paired else [(0, 1.0)]:
                    due[first - second] = due.get(first - second, 0.0) + p * q
            codes = numpy.arange(-top, top + 1)
            if level in (0, 1, -1, top, -top, 2):
                expected = numpy.array([due.get(int(code), 0.0) for code in codes]) * found.size
                chi_square(f"{name}, stuck off {model.off} on {model.on}, level {level}",
                           numpy.array([(found == code).sum() for code in codes])[expected > 0], expected[expected > 0])
                check(f"{name}, level {level}: no other levels", bool(numpy.isin(found, codes[expected > 0]).all()))


def uncorrelated(what, a, b):
    a, b = numpy.ravel(a).astype(float), numpy.ravel(b).astype(float)
    near(what, numpy.corrcoef(a, b)[0, 1], 0, 1 / math.sqrt(a.size))


def check_independence(arrays):
    net, _ = arrays.exact()
    noise = arrays.read(Model(read=4.0), arrays=3) - net
    uncorrelated("noise of replicas", noise[0], noise[1])
    uncorrelated("noise of neighbouring vectors", noise[:, 1:], noise[:, :-1])
    uncorrelated("noise of neighbouring cycles", noise[:, :, 1:], noise[:, :, :-1])
    for lag in (1, 16, 32):
        uncorrelated(f"noise of columns {lag} apart", noise[..., lag:], noise[..., :-lag])
        uncorrelated(f"squared noise of columns {lag} apart", noise[..., lag:] ** 2, noise[..., :-lag] ** 2)
    again = arrays.read(Model(read=4.0), first_vector=7, values=arrays.values[7:30])[0]
    check("vectors read later give the same", bool((again - net[7:30] == noise[0, 7:30]).all()))
    other = arrays.read(Model(read=4.0), seed=2)[0] - net
    uncorrelated("noise of seeds", noise[0], other)


def check_independent_cells(arrays):
    """200 pulses on one row at a time show the spread of single devices."""
    pulses = 200 * numpy.eye(arrays.rows, dtype=numpy.int64)[:, None, :]
    ones = Arrays(arrays.probe, numpy.full_like(arrays.levels, 3), pulses, 2, False)
    spread = ones.read(Model(spread=0.2), arrays=6)[:, :, 0] - 600
    moments("spread of single devices", spread.reshape(-1, 1), 0, (600 * 0.2) ** 2, errors=5)
    uncorrelated("devices of replicas", spread[:-1], spread[1:])
    uncorrelated("devices of neighbouring rows", spread[:, 1:], spread[:, :-1])
    for lag in (1, 16, 32):
        uncorrelated(f"devices of columns {lag} apart", spread[..., lag:], spread[..., :-lag])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", help="the program noise_probe")
    probe, random = parser.parse_args().probe, numpy.random.default_rng(5)
    check_read_noise(isaac(probe, random))
    check_proportional_noise(raella(probe, random), random)
    check_little_driven(probe, random)
    unipolar, pairs = isaac(probe, random, count=1, largest=15), raella(probe, random, count=1)
    for name, arrays in (("unipolar", unipolar), ("pairs", pairs)):
        check_spread(arrays, name, random)
        check_stuck(arrays, name)
        everything = Model(spread=0.1, read=0.8, proportional=0.08, off=0.01, on=0.02)
        check_replicas(arrays, f"{name}, all effects", everything, random)
    check_independence(isaac(probe, random))
    check_independent_cells(isaac(probe, random, count=1))
    print(f"{len(FAILED)} checks fail" if FAILED else "noise is distributed as the model says")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
