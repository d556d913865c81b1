"""Shapes measured our way and the plain way: one thread, warm, in one and the same run.

    python -m benchmarks.score_shapes

Both ways start from the parsed annotations and end with SI-SCS; the scores are compared.
"""

from __future__ import annotations

import json
import os
import time
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from benchmarks import plain
from tfdp.geometry.contours import measure_contours
from tfdp.geometry.rasterize import rasterize_polygons
from tfdp.geometry.run_lengths import mask_runs_from_rle
from tfdp.scores.complexity import score_si_scs

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TFDP_SHARED", ROOT.parent / "shared")) / "data"
CHUNK = 4096  # masks measured at a time


def fastest(function, repeats):
    """Processor seconds of the fastest of several calls, and what it returned."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        seconds.append(time.process_time() - start)
    return min(seconds), result


def in_chunks(items, measure):
    parts = [measure(items[k : k + CHUNK]) for k in range(0, len(items), CHUNK)]
    return np.concatenate([score_si_scs(part.area, part.perimeter) for part in parts])


def score_rles(rles):
    def measure(chunk):
        sizes = np.array([rle["size"] for rle in chunk])
        masks, problems = mask_runs_from_rle(
            [rle["counts"] for rle in chunk], sizes[:, 0], sizes[:, 1]
        )
        assert not problems.any()
        return measure_contours(masks)

    return in_chunks(rles, measure)


def score_polygons(polygons, rasterizer):
    def measure(chunk):
        parts = list(chain.from_iterable(parts for parts, _, _ in chunk))
        masks, problems = rasterize_polygons(
            np.fromiter(chain.from_iterable(parts), float).reshape(-1, 2),
            np.cumsum([0, *(len(part) // 2 for part in parts)]),
            np.cumsum([0, *(len(parts) for parts, _, _ in chunk)]),
            np.array([height for _, height, _ in chunk]),
            np.array([width for _, _, width in chunk]),
            rasterizer,
        )
        assert not problems.any()
        return measure_contours(masks)

    return in_chunks(polygons, measure)


def score_plainly(masks):
    return score_si_scs(*np.array([plain.measure(mask) for mask in masks]).T)


def read_rles(path):
    return [entry["segmentation"] for entry in json.loads(path.read_bytes())["annotations"]]


def read_polygons(path):
    coco = json.loads(path.read_bytes())
    images = {image["id"]: image for image in coco["images"]}
    return [
        (
            entry["segmentation"],
            images[entry["image_id"]]["height"],
            images[entry["image_id"]]["width"],
        )
        for entry in coco["annotations"]
        if isinstance(entry["segmentation"], list)
    ]


def draw_street_rles(num_images=4, per_image=50, height=1024, width=2048):
    """Ragged blobs of street scenes' sizes: a few large, most small."""
    rng = np.random.default_rng(0)
    rles = []
    for _ in range(num_images * per_image):
        mask = np.zeros((height, width), np.uint8)
        angles = np.sort(rng.random(40)) * 2 * np.pi
        radii = np.exp(rng.uniform(np.log(8), np.log(250))) * rng.uniform(0.7, 1.1, 40)
        outline = np.stack([np.cos(angles) * radii, np.sin(angles) * radii * 0.7], axis=1)
        outline += rng.random(2) * [width, height]
        cv2.fillPoly(mask, [outline.astype(np.int32)], 1)
        rles.append(coco_mask.encode(np.asfortranarray(mask)))
    return rles


def decode(rles):
    return (coco_mask.decode(rle) for rle in rles)


def draw(polygons, rasterizer):
    return (plain.DRAW[rasterizer](*polygon) for polygon in polygons)


def main() -> None:
    voc = read_rles(DATA / "voc2012/instances_train.json")
    polygons = read_polygons(DATA / "coco/instances.json")
    street = draw_street_rles()
    rows = [
        ("VOC RLE", voc, lambda: score_rles(voc), lambda: score_plainly(decode(voc))),
        *(
            (
                f"COCO polygon, {name}",
                polygons,
                lambda name=name: score_polygons(polygons, name),
                lambda name=name: score_plainly(draw(polygons, name)),
            )
            for name in ("opencv", "coco")
        ),
        (
            "RLE at 2048x1024, drawn",
            street,
            lambda: score_rles(street),
            lambda: score_plainly(decode(street)),
        ),
    ]
    start = time.perf_counter()
    for _, _, ours, _ in rows:
        ours()
    print(
        f"compiled, or loaded from the cache, and run once: {time.perf_counter() - start:.1f} s\n"
    )
    print(
        f"{'per instance':28}{'masks':>8}{'ours µs':>10}{'plain µs':>10}{'ratio':>8}{'scores':>14}"
    )
    for name, items, ours, plainly in rows:
        seconds, scores = fastest(ours, 20)
        plain_seconds, plain_scores = fastest(plainly, 3)
        same = np.allclose(scores, plain_scores, rtol=1e-6, atol=0)
        print(
            f"{name:28}{len(items):8}{seconds / len(items) * 1e6:10.2f}"
            f"{plain_seconds / len(items) * 1e6:10.1f}{plain_seconds / seconds:7.0f}x"
            f"{'equal' if same else 'DIFFERENT':>14}"
        )


if __name__ == "__main__":
    main()
