# SPDX-License-Identifier: Apache-2.0
"""Renders the images of the resnet20_shapes test set with numpy alone.

Each shows one of twelve shapes in a random pose before a textured background, partly hidden, unevenly lit and noisy. Images come in batches
of 60 (five of each class, shuffled) and every batch has its own random stream: the first N images of a seed are the same for any count.
Numbers are float64 until the last step; another version of numpy may still differ in the last bit of a sine and so, rarely, in one code of one pixel.
"""
import numpy as np

from shapes_outlines import SHAPES

SIDE = 32           # pixels
SUPERSAMPLES = 3    # samples a pixel along each axis, for smooth edges
BATCH = 60


def sample_grid():
    """Coordinates in [-1, 1] of all samples, x and y of shape [96, 96], y up."""
    line = (np.arange(SIDE * SUPERSAMPLES) + 0.5) / (SIDE * SUPERSAMPLES) * 2 - 1
    return np.meshgrid(line, -line)


GRID_X, GRID_Y = sample_grid()


def average_samples(samples):
    """Mean over each pixel's samples: [96, 96] -> [32, 32]."""
    return samples.reshape(SIDE, SUPERSAMPLES, SIDE, SUPERSAMPLES).mean(axis=(1, 3))


def pixel_grid():
    """Coordinates of pixel centres, x and y of shape [32, 32]."""
    return average_samples(GRID_X), average_samples(GRID_Y)


PIXEL_X, PIXEL_Y = pixel_grid()


def object_coordinates(rng):
    """Maps image samples to object coordinates by a random rotation, scale, stretch, shear, translation and perspective."""
    size = rng.uniform(0.38, 0.72)
    angle, stretch, shear = rng.uniform(-np.pi, np.pi), np.exp(rng.uniform(-0.28, 0.28)), rng.uniform(-0.3, 0.3)
    shift_x, shift_y = rng.uniform(-1, 1, 2) * (0.95 - size)
    tilt_x, tilt_y = rng.uniform(-0.3, 0.3, 2)
    x, y = (GRID_X - shift_x) / size, (GRID_Y - shift_y) / size
    depth = 1 + size * (tilt_x * x + tilt_y * y)
    x, y = x / depth, y / depth
    x, y = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return x * stretch + shear * y, y / stretch


def coverage_of(label, rng):
    """How much of each pixel the shape covers, [32, 32] in [0, 1]; three in ten shapes are outlines."""
    x, y = object_coordinates(rng)
    field = SHAPES[label](x, y, rng)
    inside = field < 0
    if rng.random() < 0.3:
        inside &= field > -rng.uniform(0.22, 0.36)
    return average_samples(inside.astype(np.float64))


def enlarge(coarse):
    """Bilinear interpolation of a coarse [C, k, k] field to [C, 32, 32]."""
    last = coarse.shape[-1] - 1
    position = np.linspace(0, last, SIDE)
    low = np.minimum(position.astype(int), last - 1)
    part = position - low
    rows = coarse[:, low] * (1 - part)[:, None] + coarse[:, low + 1] * part[:, None]
    return rows[:, :, low] * (1 - part) + rows[:, :, low + 1] * part


def grating(rng):
    """A sine wave of random direction, pitch and sharpness, [32, 32] in [-1, 1]."""
    angle, pitch, phase = rng.uniform(0, np.pi), rng.uniform(4, 16), rng.uniform(0, 2 * np.pi)
    wave = np.sin(pitch * (PIXEL_X * np.cos(angle) + PIXEL_Y * np.sin(angle)) + phase)
    return np.tanh(wave * rng.uniform(0.8, 4))


def texture(rng, strength):
    """A zero-mean pattern [3, 32, 32]: coloured clouds, or a grating, or checks."""
    clouds = enlarge(rng.normal(0, 1, (3, *[int(rng.integers(3, 12))] * 2)))
    kind = rng.random()
    if kind < 0.5:
        return clouds * strength
    pattern = grating(rng) if kind < 0.8 else grating(rng) * grating(rng)
    return (pattern * rng.uniform(0.3, 1, (3, 1, 1)) + 0.5 * clouds) * strength


def strip(rng, width):
    """A straight strip across the image, [32, 32] in [0, 1], `width` as a part of the image."""
    angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.7, 0.7)
    distance = np.abs(PIXEL_X * np.cos(angle) + PIXEL_Y * np.sin(angle) - offset)
    return np.clip((width - distance) * SIDE / 2 + 0.5, 0, 1)


def blob(rng, size):
    """A disc somewhere in the image, [32, 32] in [0, 1]."""
    centre_x, centre_y = rng.uniform(-1, 1, 2)
    distance = np.hypot(PIXEL_X - centre_x, PIXEL_Y - centre_y)
    return np.clip((size - distance) * SIDE / 2 + 0.5, 0, 1)


def paint(image, coverage, colour):
    """Lays a colour ([3, 1, 1] or [3, 32, 32]) over the image where coverage is 1."""
    return image * (1 - coverage) + colour * coverage


def draw_clutter(image, rng):
    """Up to three thin strips and small blobs that belong to no class."""
    for _ in range(int(rng.integers(0, 4))):
        mark = strip(rng, rng.uniform(0.01, 0.05)) if rng.random() < 0.5 else blob(rng, rng.uniform(0.06, 0.2))
        image = paint(image, mark, rng.uniform(0, 1, (3, 1, 1)))
    return image


def draw_occlusion(image, rng):
    """Half of the images have something in front: a wide strip or a larger blob."""
    if rng.random() < 0.5:
        return image
    mark = strip(rng, rng.uniform(0.05, 0.16)) if rng.random() < 0.6 else blob(rng, rng.uniform(0.15, 0.4))
    return paint(image, mark, rng.uniform(0, 1, (3, 1, 1)) + texture(rng, 0.05))


def two_colours(rng):
    """Background and object colour, [3, 1, 1] each, whose difference is at least visible."""
    while True:
        back, front = rng.uniform(0.1, 0.9, (2, 3, 1, 1))
        if 0.22 < np.abs(back - front).mean():
            return back, front


def expose(image, rng):
    """Uneven light, contrast, slight blur and sensor noise; the result is uint8 [3, 32, 32]."""
    direction = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.45) * (PIXEL_X * np.cos(direction) + PIXEL_Y * np.sin(direction))
    image = (image * light - 0.5) * rng.uniform(0.6, 1.15) + rng.uniform(0.38, 0.62)
    if rng.random() < 0.35:
        padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
        rows = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
        image = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 4
    image = image + rng.normal(0, rng.uniform(0.01, 0.06), image.shape)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def render_image(label, rng):
    """One image of class `label`, uint8 [3, 32, 32]."""
    back, front = two_colours(rng)
    image = draw_clutter(back + texture(rng, rng.uniform(0.02, 0.12)), rng)
    image = paint(image, coverage_of(label, rng), front + texture(rng, rng.uniform(0, 0.08)))
    return expose(draw_occlusion(image, rng), rng)


def render(count, seed):
    """`count` images (uint8 [count, 3, 32, 32]) and their labels (int64 [count])."""
    images, labels = np.empty((count, 3, SIDE, SIDE), np.uint8), np.empty(count, np.int64)
    for start in range(0, count, BATCH):
        rng = np.random.default_rng([seed, start // BATCH])
        batch_labels = rng.permutation(np.arange(BATCH) % len(SHAPES))
        for index in range(start, min(start + BATCH, count)):
            labels[index] = batch_labels[index - start]
            images[index] = render_image(labels[index], rng)
    return images, labels
