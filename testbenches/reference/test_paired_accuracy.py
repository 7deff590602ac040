#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks paired differences of accuracy against examples worked by hand and against repeated draws."""
import sys
import unittest

import numpy as np

from paired_accuracy import interval, paired_drop


class PairedAccuracy(unittest.TestCase):
    def test_flips_are_counted_by_direction(self):
        #                        both right  lost  gained  both wrong, other answer  both wrong, same answer
        result = paired_drop([1, 2, 0, 3, 3, 4], [1, 2, 3, 0, 1, 4], [1, 2, 3, 3, 0, 0])
        self.assertEqual((result.images, result.lost, result.gained, result.changed), (6, 1, 1, 3))
        self.assertEqual((result.accuracy, result.reference_accuracy, result.drop), (0.5, 0.5, 0.0))
        lost = paired_drop([0, 0, 0, 1], [1, 1, 0, 1], [1, 1, 1, 1])
        self.assertEqual((lost.lost, lost.gained, lost.changed, lost.drop), (2, 0, 2, 0.5))

    def test_the_interval_by_hand(self):
        # 30 lost, 14 gained of 9998: 30.5 and 14.5 of 10 000. Difference 16 / 10 000 = 0.0016, deviation sqrt(45 - 256 / 10 000) / 10 000 =
        # sqrt(44.9744) / 10 000 = 6.70630e-4, times 1.959964 = 1.314411e-3.
        low, high = interval(30, 14, 9998)
        self.assertAlmostEqual(low, 0.0016 - 1.314411e-3, places=8)
        self.assertAlmostEqual(high, 0.0016 + 1.314411e-3, places=8)

    def test_without_flips_it_still_has_a_width(self):
        # Half a pair each way of 100: sqrt(1) / 100 = 0.01.
        low, high = interval(0, 0, 98)
        self.assertAlmostEqual(high, 0.01959964, places=8)
        self.assertAlmostEqual(low, -high, places=12)

    def test_a_drop_is_positive_where_images_are_lost(self):
        result = paired_drop([0] * 40 + [1] * 60, [1] * 100, [1] * 100)
        self.assertAlmostEqual(result.drop, 0.4)
        self.assertGreater(result.low, 0.29)
        self.assertLess(result.high, 0.5)

    def test_intervals_of_repeated_draws_hold_the_truth(self):
        # One image in a hundred is lost, one in two hundred gained: the truth, 0.005, lies in 95 % of the intervals.
        random = np.random.default_rng(5)
        outcomes = random.multinomial(3000, (0.01, 0.005, 0.985), size=2000)
        bounds = np.array([interval(lost, gained, 3000) for lost, gained, _ in outcomes])
        held = ((bounds[:, 0] < 0.005) & (0.005 < bounds[:, 1])).mean()
        self.assertGreater(held, 0.935)
        self.assertLess(held, 0.965)

    def test_lengths_must_agree(self):
        for lengths in ((2, 2, 1), (1, 2, 2), (0, 0, 0)):
            with self.assertRaises(ValueError):
                paired_drop(*[np.zeros(length, int) for length in lengths])


if __name__ == "__main__":
    sys.exit(unittest.main())
