# SPDX-License-Identifier: Apache-2.0
"""RAELLA's arithmetic (ISCA 2023) in numpy, written from the paper and the authors' description alone: centres, signed slices of offsets,
column sums cycle by cycle, the converter's clamp, speculation and recovery, and how often each happens.

It shares no code with the C++ project, and takes the plain way wherever there is a clever one: centres by trying all 255, every column of
every cycle computed. Ideal cells only: noise is checked elsewhere.
"""
from collections import Counter
from typing import NamedTuple, Tuple

import numpy as np

BIAS = 128   # weights are searched as unsigned codes w + 128


class Crossbar(NamedTuple):
    """What stores a layer and how its inputs are streamed."""
    slicing: Tuple[int, ...] = (4, 2, 2)       # of weights, most significant first
    encoding: str = "centre_offset"            # or zero_offset
    rows: int = 512
    adc_bits: int = 7                          # signed
    inputs: Tuple[int, ...] = (1,) * 8         # widths of input slices, most significant first
    speculation: Tuple[int, ...] = (4, 2, 2)   # () for none
    signed_inputs: bool = False                # two passes of magnitudes

    def bounds(self):
        return -(1 << (self.adc_bits - 1)), (1 << (self.adc_bits - 1)) - 1


class Encoded(NamedTuple):
    """A row block as it is stored."""
    centres: np.ndarray   # [filter]
    levels: np.ndarray    # [slice][filter][row], signed


class Cycle(NamedTuple):
    """One crossbar cycle: bits shift .. shift + width - 1 of all inputs are driven."""
    shift: int
    width: int
    kind: str       # "plain", "speculate" or "recover"
    negative: bool  # second pass of signed inputs


def low_bits(widths):
    """The lowest bit of each slice, slices from the most significant one down."""
    return [sum(widths[index + 1:]) for index in range(len(widths))]


def signed_slice(offsets, width, low):
    """D of the paper: bits low .. low + width - 1 of |offset|, shifted down, with the offset's sign."""
    return np.sign(offsets) * (np.abs(offsets) >> low & (1 << width) - 1)


def centre_cost(codes, centre, slicing):
    """sum_i 2^(l_i) (sum over rows of D)^4 of each filter; codes [filter][row] are w + 128. Below 2^63 for 512 rows: 16 * 7680^4 < 2^56."""
    offsets = codes - centre
    return sum((signed_slice(offsets, width, low).sum(axis=1) ** 4) << low for width, low in zip(slicing, low_bits(slicing)))


def best_centres(codes, slicing):
    """The centre of least cost of each filter, the smallest of several."""
    costs = np.stack([centre_cost(codes, centre, slicing) for centre in range(1, 256)])
    return costs.argmin(axis=0) + 1


def encode(weights, slicing, encoding="centre_offset"):
    """weights [filter][row], int8 values."""
    codes = np.asarray(weights, np.int64) + BIAS
    assert codes.min() >= 0 and codes.max() <= 255 and sum(slicing) == 8, "8-bit weights"
    centres = best_centres(codes, slicing) if encoding == "centre_offset" else np.full(len(codes), BIAS)
    offsets = codes - centres[:, None]
    return Encoded(centres, np.stack([signed_slice(offsets, width, low) for width, low in zip(slicing, low_bits(slicing))]))


def cycles_of(crossbar):
    """All cycles of one vector in order. A speculated slice that is an input slice itself is converted plainly."""
    passes = (False, True) if crossbar.signed_inputs else (False,)
    slices = list(zip(low_bits(crossbar.inputs), crossbar.inputs))
    found = []
    for negative in passes:
        if not crossbar.speculation:
            found += [Cycle(low, width, "plain", negative) for low, width in slices]
        for low, width in zip(low_bits(crossbar.speculation), crossbar.speculation):
            if (low, width) in slices:
                found.append(Cycle(low, width, "plain", negative))
                continue
            found.append(Cycle(low, width, "speculate", negative))
            found += [Cycle(part, bits, "recover", negative) for part, bits in slices if low <= part < low + width]
    return found


def driven(codes, cycle, crossbar):
    """What the rows get in one cycle: a slice of the code, or of its magnitude where inputs are signed."""
    if crossbar.signed_inputs:
        codes = np.maximum(-codes if cycle.negative else codes, 0)
    return codes >> cycle.shift & (1 << cycle.width) - 1


def exact_product(left, right):
    """Integers through BLAS, in single precision where no sum can reach 2^24, else in double."""
    largest = int(np.abs(left).max(initial=0)) * int(np.abs(right).max(initial=0)) * len(right)
    real = np.float32 if largest < 1 << 24 else np.float64
    return (left.astype(real) @ right.astype(real)).astype(np.int64)


def weight_of(cycle):
    return (-1 if cycle.negative else 1) << cycle.shift


def block_psums(codes, block, crossbar):
    """codes [vector][row] -> psums [vector][filter] and what was counted."""
    low, high = crossbar.bounds()
    slices, filters, rows = block.levels.shape
    columns = np.ascontiguousarray(block.levels.reshape(slices * filters, rows).T)   # BLAS takes half the time
    cycles = cycles_of(crossbar)
    counts = Counter(vectors=len(codes), column_reads=len(codes) * len(cycles) * slices * filters)
    counts["offset_corrections"] = len(codes) * filters if (block.centres != BIAS).any() else 0
    counts["input_codes_read"] = codes.size * (2 if crossbar.signed_inputs else 1) * (2 if "speculate" in {each.kind for each in cycles} else 1)
    sums = np.zeros((len(codes), slices * filters), np.int64)
    failed = None
    for cycle in cycles:
        values = driven(codes, cycle, crossbar)
        raw = exact_product(values, columns)
        out = (raw < low) | (raw > high)
        code = np.clip(raw, low, high)
        if cycle.kind != "recover":
            counts["adc_out_of_range"] += int(out.sum())
        if cycle.kind == "speculate":
            failed = (code == low) | (code == high)
            counts.update(adc_conversions=code.size, speculations=code.size, speculation_failures=int(failed.sum()))
            valid = ~failed
        elif cycle.kind == "recover":
            valid = failed
            counts.update(adc_conversions=int(valid.sum()), recovery_conversions=int(valid.sum()), adc_saturations=int((out & valid).sum()))
        else:
            valid = np.ones_like(out)
            counts.update(adc_conversions=code.size, adc_saturations=int(out.sum()))
        sums += np.where(valid, code, 0) * weight_of(cycle)
        counts.update(shift_adds=int(valid.sum()), row_pulses=int(values.sum()),
                      current_level_pulses=int((values.sum(axis=0) * np.abs(columns).sum(axis=1)).sum()))
    analog = sum(part << shift for part, shift in zip(sums.reshape(-1, slices, filters).transpose(1, 0, 2), low_bits(crossbar.slicing)))
    return analog + codes.sum(axis=1)[:, None] * (block.centres - BIAS), counts


def row_blocks(rows, most):
    """First and last row of the parts that dot products are cut into."""
    return [(first, min(first + most, rows)) for first in range(0, rows, most)]


def encode_layer(weights, crossbar):
    """weights [filter][row] -> a block for each `crossbar.rows` rows; each block has centres of its own."""
    return [encode(weights[:, first:last], crossbar.slicing, crossbar.encoding) for first, last in row_blocks(weights.shape[1], crossbar.rows)]


def layer_psums(codes, blocks, crossbar, chunk=8192):
    """codes [vector][row] -> psums [vector][filter] of the whole layer, and counts of all its row blocks."""
    codes, counts, psums = np.asarray(codes, np.int64), Counter(), []
    for start in range(0, len(codes), chunk):
        part, first, total = codes[start:start + chunk], 0, 0
        for block in blocks:
            last = first + block.levels.shape[2]
            added, counted = block_psums(part[:, first:last], block, crossbar)
            total, first = total + added, last
            counts.update(counted)
        psums.append(total)
    return np.concatenate(psums), counts
