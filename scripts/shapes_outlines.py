# SPDX-License-Identifier: Apache-2.0
"""The twelve shapes of the resnet20_shapes test set as implicit functions.

Each function takes object coordinates (y up, a shape spans about [-1, 1]) and a random generator for its proportions, and returns a value
that is negative inside, zero on the outline and grows roughly like the distance outside.
Neighbours in the list below are meant to be confused: pentagon with hexagon with disc, heart with drop, star with gear.
"""
import numpy as np


def regular_polygon(x, y, corners, roundness):
    """Polygon with one corner at the top; `roundness` in [0, 1] blends its corners towards the disc of the same area."""
    step = 2 * np.pi / corners
    angle = np.mod(np.arctan2(x, y) + step / 2, step) - step / 2
    apothem = np.sqrt(np.pi / (corners * np.tan(step / 2)))
    radius = np.hypot(x, y)
    flat = radius * np.cos(step / 2 - np.abs(angle)) - apothem
    return flat * (1 - roundness) + (radius - 1.0) * roundness


def box(x, y, half_width, half_height):
    """Axis-aligned rectangle around the origin."""
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def triangle(x, y, rng):
    return regular_polygon(x, y + 0.1, 3, rng.uniform(0.0, 0.2))


def square(x, y, rng):
    return regular_polygon(x, y, 4, rng.uniform(0.0, 0.3))


def pentagon(x, y, rng):
    return regular_polygon(x, y, 5, rng.uniform(0.0, 0.3))


def hexagon(x, y, rng):
    return regular_polygon(x, y, 6, rng.uniform(0.0, 0.3))


def disc(x, y, rng):
    del rng  # a disc has no proportions
    return np.hypot(x, y) - 1.0


def crescent(x, y, rng):
    bite = rng.uniform(0.35, 0.75)
    x = x - bite / 3
    return np.maximum(np.hypot(x, y) - 1.1, 0.95 - np.hypot(x - bite, y))


def drop(x, y, rng):
    """A disc with a tip: the tip is the corner that two tangents from (0, tip) make."""
    radius, tip = 0.78, rng.uniform(1.15, 1.75)
    y = y + 0.35
    sine = radius / tip
    cosine = np.sqrt(1 - sine * sine)
    wedge = np.abs(x) * cosine + (y - tip) * sine
    above_tangent_points = radius * sine - y
    return np.minimum(np.hypot(x, y) - radius, np.maximum(wedge, above_tangent_points))


def heart(x, y, rng):
    """A square standing on a corner and a disc on each upper side."""
    side = rng.uniform(0.62, 0.72)
    y = y + 0.05
    along, across = (x + y) / np.sqrt(2), (y - x) / np.sqrt(2)
    body = box(along, across, side, side)
    lobes = np.minimum(np.hypot(along - side, across), np.hypot(along, across - side)) - side
    return np.minimum(body, lobes)


def star(x, y, rng):
    """Five points; each edge is the straight line from a point to the next notch."""
    step = np.pi / 5
    outer, inner = 1.3, rng.uniform(0.55, 0.75)
    radius = np.hypot(x, y)
    angle = np.abs(np.mod(np.arctan2(x, y) + step, 2 * step) - step)
    u, v = radius * np.cos(angle), radius * np.sin(angle)
    edge_u, edge_v = inner * np.cos(step) - outer, inner * np.sin(step)
    return ((u - outer) * edge_v - v * edge_u) / np.hypot(edge_u, edge_v)


def gear(x, y, rng):
    teeth = int(rng.integers(6, 10))
    depth = rng.uniform(0.1, 0.17)
    wave = np.tanh(3 * np.sin(teeth * np.arctan2(x, y)))
    return np.hypot(x, y) - 1.0 - depth * wave


def cross(x, y, rng):
    arm = rng.uniform(0.28, 0.48)
    return np.minimum(box(x, y, arm, 1.15), box(x, y, 1.15, arm))


def arrow(x, y, rng):
    """A triangular head on a rectangular shaft, pointing up."""
    neck, shaft = rng.uniform(0.0, 0.35), rng.uniform(0.22, 0.42)
    half_width = rng.uniform(0.85, 1.05)
    slope = half_width / (1.25 - neck)
    head = np.maximum((np.abs(x) - (1.25 - y) * slope) / np.hypot(1, slope), neck - y)
    tail = np.maximum(np.abs(x) - shaft, np.maximum(y - neck - 0.05, -1.2 - y))
    return np.minimum(head, tail)


#: The classes in the order of their labels.
SHAPES = (triangle, square, pentagon, hexagon, disc, crescent, drop, heart, star, gear, cross, arrow)
CLASS_NAMES = tuple(shape.__name__ for shape in SHAPES)
