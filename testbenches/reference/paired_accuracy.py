# SPDX-License-Identifier: Apache-2.0
"""How much accuracy one classifier loses against another on the same images: only images on which exactly one of them is right say anything
(McNemar), so the interval is much narrower than those of two accuracies apart."""
import math
from typing import NamedTuple

import numpy as np

NORMAL_95 = 1.959964


class PairedDrop(NamedTuple):
    """Of a classifier that is compared with a reference."""
    images: int
    accuracy: float
    reference_accuracy: float
    lost: int       # right in the reference, wrong here
    gained: int     # the other way round
    changed: int    # answers that differ, right or wrong
    low: float      # 95 % interval of reference_accuracy - accuracy
    high: float

    @property
    def drop(self):
        return self.reference_accuracy - self.accuracy

    def __str__(self):
        return (f"{self.accuracy * 100:6.2f} %  drop {self.drop * 100:+.2f} points ({self.low * 100:+.2f} to {self.high * 100:+.2f}), "
                f"{self.lost} lost, {self.gained} gained, {self.changed} answers changed")


def interval(lost, gained, images):
    """Agresti and Min (Statistics in Medicine 24, 2005, 729): Wald's interval after half a pair was added to each of the four outcomes, so
    that it has a width where no image flips."""
    lost, gained, images = lost + 0.5, gained + 0.5, images + 2
    difference = (lost - gained) / images
    deviation = math.sqrt((lost + gained - (lost - gained) ** 2 / images)) / images
    return difference - NORMAL_95 * deviation, difference + NORMAL_95 * deviation


def paired_drop(answers, reference, labels):
    """Answers of both on the same images, and what is right."""
    answers, reference, labels = map(np.asarray, (answers, reference, labels))
    if not answers.shape == reference.shape == labels.shape or answers.ndim != 1 or len(labels) == 0:
        raise ValueError(f"answers to {answers.shape}, {reference.shape} and labels of {labels.shape} images")
    right, right_reference = answers == labels, reference == labels
    lost, gained = int((right_reference & ~right).sum()), int((right & ~right_reference).sum())
    return PairedDrop(len(labels), float(right.mean()), float(right_reference.mean()), lost, gained, int((answers != reference).sum()),
                      *interval(lost, gained, len(labels)))
