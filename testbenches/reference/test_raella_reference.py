#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the numpy reference of RAELLA's arithmetic against examples worked by hand."""
import sys
import unittest

import numpy as np

import raella_reference as raella
from raella_reference import Crossbar, Cycle

ONE_ROW = Crossbar(slicing=(4, 2, 2), speculation=())


def block_of(levels, centres=None):
    """levels [slice][filter][row], as if they had been encoded."""
    levels = np.array(levels)
    return raella.Encoded(np.full(levels.shape[1], 128) if centres is None else np.array(centres), levels)


def run(codes, block, crossbar):
    psums, counts = raella.block_psums(np.array(codes), block, crossbar)
    return psums.tolist(), counts


class Encoding(unittest.TestCase):
    def test_slices_keep_bits_of_the_magnitude_and_the_sign(self):
        # -109 is 0110 11 01 with a minus: -6, -3, -1; 109 = 6 * 16 + 3 * 4 + 1
        self.assertEqual([int(raella.signed_slice(np.array(-109), width, low)) for width, low in ((4, 4), (2, 2), (2, 0))], [-6, -3, -1])

    def test_lowest_bits_of_slices_from_the_top(self):
        self.assertEqual(raella.low_bits((4, 2, 2)), [4, 2, 0])
        self.assertEqual(raella.low_bits((1, 3, 4)), [7, 4, 0])

    def test_the_cost_of_a_centre(self):
        # Codes 150 and 120 around 130: offsets 20 = 1|1|0 and -10 = -(0|2|2). Sums 1, -1, -2: 16 * 1 + 4 * 1 + 1 * 16 = 36.
        self.assertEqual(raella.centre_cost(np.array([[150, 120]]), 130, (4, 2, 2)).tolist(), [36])

    def test_one_weight_is_its_own_centre(self):
        # Any other centre leaves an offset; codes 1 and 255 are centres too, 0 is none: |0 - 1| costs 1, |0 - 2| 16.
        for weight, centre in ((0, 128), (-127, 1), (127, 255), (-128, 1)):
            self.assertEqual(raella.encode([[weight]], (4, 2, 2)).centres.tolist(), [centre])

    def test_the_smallest_of_equal_centres(self):
        # Codes 100 and 103: around 101 offsets are -1 and 2, in the lowest slice -1 + 2 = 1, a cost of 1; around 102 they are -2 and 1, a
        # cost of 1 as well. Slices cannot all cancel, that would take offsets of equal size, and 203 is odd.
        self.assertEqual(raella.encode([[100 - 128, 103 - 128]], (4, 2, 2)).centres.tolist(), [101])

    def test_zero_offset_stays_at_the_zero_point(self):
        block = raella.encode([[5, -3], [127, -128]], (4, 2, 2), "zero_offset")
        self.assertEqual(block.centres.tolist(), [128, 128])
        self.assertEqual(block.levels[:, 0].tolist(), [[0, 0], [1, 0], [1, -3]])       # 5 = 0|1|1, -3 = -(0|0|3)
        self.assertEqual(block.levels[:, 1].tolist(), [[7, -8], [3, 0], [3, 0]])       # 127 = 7|3|3, -128 = -(8|0|0)

    def test_levels_and_centre_give_weights_back(self):
        weights = np.arange(-128, 128).reshape(4, 64)
        for slicing in ((4, 2, 2), (1,) * 8, (3, 1, 4), (2, 2, 2, 2)):
            block = raella.encode(weights, slicing)
            back = sum(part << low for part, low in zip(block.levels, raella.low_bits(slicing))) + block.centres[:, None] - 128
            self.assertTrue((back == weights).all(), slicing)


class Cycles(unittest.TestCase):
    def test_eleven_cycles_with_speculation_and_eight_without(self):
        def words(crossbar):
            return [f"{each.kind[0]}{each.width}@{each.shift}{'-' if each.negative else ''}" for each in raella.cycles_of(crossbar)]
        eleven = ["s4@4", "r1@7", "r1@6", "r1@5", "r1@4", "s2@2", "r1@3", "r1@2", "s2@0", "r1@1", "r1@0"]
        self.assertEqual(words(Crossbar()), eleven)
        self.assertEqual(words(Crossbar(speculation=())), [f"p1@{bit}" for bit in range(7, -1, -1)])
        self.assertEqual(words(Crossbar(signed_inputs=True)), eleven + [word + "-" for word in eleven])

    def test_a_slice_that_is_not_cut_further_is_converted_plainly(self):
        self.assertEqual(raella.cycles_of(Crossbar(speculation=(4, 2, 1, 1)))[-2:], [Cycle(1, 1, "plain", False), Cycle(0, 1, "plain", False)])

    def test_magnitudes_go_in_two_passes(self):
        crossbar, codes = Crossbar(signed_inputs=True), np.array([5, -6, -128])
        self.assertEqual(raella.driven(codes, Cycle(0, 2, "speculate", False), crossbar).tolist(), [1, 0, 0])
        self.assertEqual(raella.driven(codes, Cycle(0, 2, "speculate", True), crossbar).tolist(), [0, 2, 0])
        self.assertEqual(raella.driven(codes, Cycle(4, 4, "speculate", True), crossbar).tolist(), [0, 0, 8])


class Conversion(unittest.TestCase):
    def test_products_of_two_rows(self):
        # Levels 1|2|3 and -1|0|-2 stand for 16 + 8 + 3 = 27 and -16 - 2 = -18: 27 * 5 - 18 * 200 = -3465, centre 128 adds nothing.
        block = block_of([[[1, -1]], [[2, 0]], [[3, -2]]])
        for speculation in ((), (4, 2, 2)):
            psums, counts = run([[5, 200]], block, ONE_ROW._replace(speculation=speculation))
            self.assertEqual(psums, [[-3465]])
            self.assertEqual(counts["adc_saturations"], 0)
        # Centre 130: two more for each input, 2 * 205, a correction of the one psum.
        psums, counts = run([[5, 200]], block._replace(centres=np.array([130])), ONE_ROW)
        self.assertEqual((psums, counts["offset_corrections"]), ([[-3055]], 1))

    def test_counts_without_speculation(self):
        # Nothing saturates: 3 columns, 8 cycles. 5 has two bits set and 200 three: pulses 5; level pulses 2 * (1+2+3) + 3 * (1+0+2).
        _, counts = run([[5, 200]], block_of([[[1, -1]], [[2, 0]], [[3, -2]]]), ONE_ROW)
        self.assertEqual(dict(counts), {"vectors": 1, "column_reads": 24, "offset_corrections": 0, "adc_conversions": 24, "adc_saturations": 0,
                                        "shift_adds": 24, "row_pulses": 5, "current_level_pulses": 21, "input_codes_read": 2, "adc_out_of_range": 0})

    def test_a_speculation_fails_and_is_recovered(self):
        # One row of level 5, code 0xf3. 5 * 15 = 75 fails; its four bits give 5 each: 75 << 4 after all. 5 * 0 passes; 5 * 3 = 15 passes.
        psums, counts = run([[0xf3]], block_of([[[5]]]), Crossbar(slicing=(8,)))
        self.assertEqual(psums, [[5 * 0xf3]])
        self.assertEqual(counts["speculations"], 3)
        self.assertEqual(counts["speculation_failures"], 1)
        self.assertEqual(counts["recovery_conversions"], 4)
        self.assertEqual(counts["adc_conversions"], 7)
        self.assertEqual(counts["shift_adds"], 6)
        self.assertEqual(counts["adc_saturations"], 0)
        self.assertEqual(counts["row_pulses"], 15 + 4 + 0 + 0 + 3 + 2)   # speculation, then the same bits again
        self.assertEqual(counts["current_level_pulses"], 5 * 24)
        self.assertEqual(counts["column_reads"], 11)

    def test_a_sum_at_a_bound_fails_without_being_clipped(self):
        for level, code, fails in ((7, 9, 1), (9, 7, 1), (-8, 8, 1), (-7, 9, 0), (31, 2, 0)):   # 63, 63, -64, -63, 62
            psums, counts = run([[code]], block_of([[[level]]]), Crossbar(slicing=(8,), inputs=(1, 1, 1, 1), speculation=(4,)))
            self.assertEqual((psums, counts["speculation_failures"], counts["adc_saturations"]), ([[level * code]], fails, 0))

    def test_saturation_is_accepted_in_recovery(self):
        # Five rows of level 15 sum to 75 with one bit each: clipped to 63 in recovery. Codes 1: speculation at bits 1..0 sees 75 and fails.
        psums, counts = run([[1] * 5], block_of([[[15] * 5]]), Crossbar(slicing=(8,)))
        self.assertEqual(psums, [[63]])
        self.assertEqual((counts["speculation_failures"], counts["recovery_conversions"], counts["adc_saturations"]), (1, 2, 1))
        # Of whole cycles one sum was out of range, the speculated one; codes are read once more for the cycles that recover.
        self.assertEqual((counts["adc_out_of_range"], counts["input_codes_read"]), (1, 10))
        # Codes 3: both bits clip to 63, 2 * 63 + 63.
        psums, counts = run([[3] * 5], block_of([[[15] * 5]]), Crossbar(slicing=(8,)))
        self.assertEqual((psums, counts["adc_saturations"]), ([[189]], 2))
        # Without speculation the same, and the other way round: -75 gives -64.
        self.assertEqual(run([[1] * 5], block_of([[[-15] * 5]]), Crossbar(slicing=(8,), speculation=()))[0], [[-64]])

    def test_what_is_not_converted_cannot_saturate(self):
        # Five rows of 15 with code 1, two of -15 with code 2: 75 - 60 = 15 passes. Bit by bit it would have been 75 and -30.
        psums, counts = run([[1] * 5 + [2] * 2], block_of([[[15] * 5 + [-15] * 2]]), Crossbar(slicing=(8,)))
        self.assertEqual((psums, counts["adc_saturations"], counts["recovery_conversions"]), ([[15]], 0, 0))

    def test_a_sum_at_a_bound_is_no_saturation(self):
        psums, counts = run([[1] * 2], block_of([[[-32, -32]]]), Crossbar(slicing=(8,), speculation=()))
        self.assertEqual((psums, counts["adc_saturations"]), ([[-64]], 0))

    def test_signed_inputs_count_positively_then_negatively(self):
        # 3 * 7 + 2 * -9; the negative pass drives 9 on the second row.
        psums, counts = run([[7, -9]], block_of([[[3, 2]]]), Crossbar(slicing=(8,), signed_inputs=True))
        self.assertEqual(psums, [[3]])
        self.assertEqual(counts["adc_conversions"], 6)
        self.assertEqual(counts["column_reads"], 22)
        # The sum that the centre is multiplied with has a sign, too: (7 - 9) * (120 - 128) more.
        self.assertEqual(run([[7, -9]], block_of([[[3, 2]]], [120]), Crossbar(slicing=(8,), signed_inputs=True))[0], [[19]])

    def test_row_blocks_have_converters_and_centres_of_their_own(self):
        # Rows 0..2 and row 3: 3 * 30 = 90 would clip to 63, the rest adds 30. Zero offset keeps the levels.
        crossbar = Crossbar(slicing=(2, 2, 4), rows=3, speculation=(), encoding="zero_offset")
        blocks = raella.encode_layer(np.full((1, 4), 15), crossbar)
        self.assertEqual([block.levels.shape for block in blocks], [(3, 1, 3), (3, 1, 1)])
        self.assertEqual(raella.layer_psums([[1] * 4] * 2, blocks, crossbar)[0].tolist(), [[60], [60]])   # 45 + 15
        few = crossbar._replace(adc_bits=5)
        psums, counts = raella.layer_psums([[1] * 4] * 2, blocks, few, chunk=1)                            # -16 .. 15: 45 clips, 15 does not
        self.assertEqual((psums.tolist(), counts["adc_saturations"]), ([[30], [30]], 2))
        self.assertEqual(counts["vectors"], 4)
        centred = raella.encode_layer(np.array([[15, 15, 15, -20]]), crossbar._replace(encoding="centre_offset"))
        self.assertEqual([block.centres.tolist() for block in centred], [[143], [108]])


class Properties(unittest.TestCase):
    def test_large_products_stay_exact(self):
        self.assertEqual(int(raella.exact_product(np.array([[4097]]), np.array([[4097]]))[0, 0]), 4097 * 4097)   # odd and above 2^24

    def test_wide_converters_give_the_dot_product(self):
        random = np.random.default_rng(3)
        for slicing, speculation, signed in (((4, 2, 2), (4, 2, 2), False), ((1,) * 8, (), True), ((2, 3, 3), (3, 3, 2), True), ((4, 4), (4, 4), False)):
            crossbar = Crossbar(slicing=slicing, speculation=speculation, signed_inputs=signed, rows=100, adc_bits=20)
            weights = random.integers(-128, 128, (5, 250))
            codes = random.integers(-128, 128, (7, 250)) if signed else random.integers(0, 256, (7, 250))
            psums, counts = raella.layer_psums(codes, raella.encode_layer(weights, crossbar), crossbar)
            self.assertTrue((psums == codes @ weights.T).all())
            self.assertEqual(counts["speculation_failures"], 0)

    def test_recovery_loses_no_more_than_no_speculation(self):
        # A column that passes is exact, one that fails gets what one-bit slices give: where each bit of a sum is exact without speculation,
        # it is with it.
        random = np.random.default_rng(4)
        weights, codes = random.integers(-20, 60, (6, 40)), random.integers(0, 256, (50, 40))
        tried = Crossbar(rows=64)
        plain = tried._replace(speculation=())
        blocks = raella.encode_layer(weights, tried)
        with_it, counts = raella.layer_psums(codes, blocks, tried)
        without, accepted = raella.layer_psums(codes, blocks, plain)
        self.assertGreater(counts["speculation_failures"], 0)
        self.assertLessEqual(counts["adc_saturations"], accepted["adc_saturations"])
        exact = codes @ weights.T
        self.assertTrue(((with_it == exact) | (without != exact)).all())


if __name__ == "__main__":
    sys.exit(unittest.main())
