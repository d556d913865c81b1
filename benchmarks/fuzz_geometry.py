"""Fuzzes the mask geometry for some minutes, array bounds checked: no input may break out.

    NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=/tmp/checked python -m benchmarks.fuzz_geometry --minutes 10

Every round draws random inputs from a seed, printed where something goes wrong: run lengths made by
damaging good ones, polygons at all distances from their frame, and bitmaps. What is accepted must
agree with pycocotools and cv2; what is not must have a problem and no counts.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from pycocotools import mask as coco_mask

from benchmarks import plain
from tfdp.geometry.contours import measure_contours
from tfdp.geometry.masks import MaskProblem, mask_runs_from_bitmaps, mask_runs_to_bitmaps
from tfdp.geometry.rasterize import rasterize_polygons
from tfdp.geometry.run_lengths import mask_runs_from_rle, mask_runs_to_rle


def damage(rng, rle: bytes) -> bytes:
    """Flips, drops, inserts and repeats some bytes."""
    text = bytearray(rle)
    for _ in range(rng.integers(0, 4)):
        at = int(rng.integers(0, len(text) + 1))
        kind = rng.integers(5)
        if kind == 0 and at < len(text):
            text[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del text[at : at + int(rng.integers(1, 5))]
        elif kind == 2:
            text[at:at] = bytes(rng.integers(48, 112, rng.integers(1, 5), dtype=np.uint8))
        elif kind == 3:
            text[at:at] = text[at : at + int(rng.integers(1, 30))]
        elif at < len(text):
            text[at] = int(rng.integers(256))
    return bytes(text)


def random_bitmap(rng):
    bitmap = rng.random(rng.integers(1, 40, 2)) < rng.choice([0, 0.1, 0.4, 0.5, 0.6, 0.9, 1])
    return np.kron(bitmap, np.ones(rng.integers(1, 4, 2), bool))


def check_measured(masks, problems, bitmaps) -> None:
    contours = measure_contours(masks)
    for j, bitmap in enumerate(bitmaps):
        expected = (0.0, 0.0) if problems[j] else plain.measure(bitmap.astype(np.uint8))
        np.testing.assert_allclose([contours.area[j], contours.perimeter[j]], expected, rtol=1e-6)


def fuzz_runs(rng) -> Counter:
    bitmaps = [random_bitmap(rng) for _ in range(50)]
    rles = [damage(rng, rle) for rle in mask_runs_to_rle(mask_runs_from_bitmaps(bitmaps))]
    sizes = np.array([bitmap.shape for bitmap in bitmaps])
    if rng.random() < 0.3:
        sizes[rng.integers(50)] = rng.choice([-1, 0, 1, 2**20, 2**21, 2**40, 2**62], 2)
    given = [
        rng.choice([-(2**40), -1, 0, 1, 9, 2**33, 2**62], rng.integers(9)).tolist()
        if rng.random() < 0.1
        else rle
        for rle in rles
    ]
    masks, problems = mask_runs_from_rle(given, sizes[:, 0], sizes[:, 1])
    lengths = np.diff(masks.starts)
    assert ((lengths == 0) == (problems != 0)).all()
    read = mask_runs_to_bitmaps(masks)
    for j in np.flatnonzero(problems == 0):
        assert read[j].shape == tuple(sizes[j])
        if isinstance(given[j], bytes):
            decoded = coco_mask.decode({"size": sizes[j].tolist(), "counts": given[j]})
            np.testing.assert_array_equal(read[j], decoded)
    check_measured(masks, problems, read)
    return Counter(MaskProblem(problem).name for problem in problems)


def random_part(rng, height, width):
    spread = rng.choice([0.1, 1, 1.5, 5, 100])
    part = (rng.random((rng.integers(3, 15), 2)) - 0.5) * spread * [width, height]
    part += [width / 2, height / 2]
    part = np.round(part * 2) / 2 if rng.random() < 0.2 else np.round(part, rng.integers(0, 4))
    if rng.random() < 0.2:
        part = part[rng.integers(len(part), size=len(part) + 3)]
    if rng.random() < 0.1:
        part[:, rng.integers(2)] = part[0, 0]
    return part


def fuzz_polygons(rng) -> Counter:
    sizes = rng.integers(1, rng.choice([8, 40, 300]), (20, 2))
    polygons = [
        [random_part(rng, *size) for _ in range(rng.choice([1, 1, 2, 5]))] for size in sizes
    ]
    for part in polygons[0][:1]:
        part[rng.integers(len(part))] = rng.choice([np.nan, np.inf, 1e300, -(2.0**31), 2.0**26], 2)
    parts = [part for polygon in polygons for part in polygon]
    for rasterizer, draw in plain.DRAW.items():
        masks, problems = rasterize_polygons(
            np.concatenate(parts),
            np.cumsum([0, *map(len, parts)]),
            np.cumsum([0, *map(len, polygons)]),
            sizes[:, 0],
            sizes[:, 1],
            rasterizer,
        )
        drawn = mask_runs_to_bitmaps(masks)
        for j in range(1, len(polygons)):
            flat = [part.ravel().tolist() for part in polygons[j]]
            np.testing.assert_array_equal(drawn[j], draw(flat, *sizes[j].tolist()))
        check_measured(masks, problems, drawn)
    return Counter(MaskProblem(problem).name for problem in problems)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    stop = time.monotonic() + 60 * arguments.minutes
    seed, counts = arguments.seed, Counter()
    while time.monotonic() < stop:
        try:
            counts += fuzz_runs(np.random.default_rng(seed))
            counts += fuzz_polygons(np.random.default_rng(seed))
        except BaseException:
            print(f"seed {seed}")
            raise
        seed += 1
    print(f"{seed - arguments.seed} rounds, {sum(counts.values())} masks, nothing broken: {counts}")


if __name__ == "__main__":
    main()
