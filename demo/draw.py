"""Draws a small instance-segmentation dataset: what `make demo` and many tests run on.

Its classes are imbalanced and differ in outline, sizes run from a few pixels to half of the image,
some annotations are crowds, and some images hold nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from pycocotools import mask as mask_api

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HEIGHT, WIDTH = 240, 320

# name: (number of arms, depth of the notches between them, relative frequency, color)
CLASSES: dict[str, tuple[int, float, float, tuple[int, int, int]]] = {
    "pebble": (0, 0.0, 0.46, (168, 160, 150)),
    "tile": (4, 0.29, 0.26, (96, 132, 190)),
    "flower": (6, 0.35, 0.14, (200, 96, 140)),
    "gear": (12, 0.30, 0.08, (150, 110, 60)),
    "urchin": (18, 0.62, 0.04, (90, 70, 130)),
    "ring": (0, 0.0, 0.02, (230, 190, 70)),
}


def draw_dataset(folder: Path, num_images: int = 160, seed: int = 0) -> Path:
    """Draws the images and their annotations.

    Args:
        folder: receives ``images/`` and ``instances.json``.
        num_images: number of images; every tenth is empty.
        seed: of all that is drawn.

    Returns:
        The path of ``instances.json``.
    """
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for image_id in range(1, num_images + 1):
        image = {
            "id": image_id,
            "file_name": f"{image_id:06d}.jpg",
            "height": HEIGHT,
            "width": WIDTH,
        }
        pixels = _background(rng)
        if image_id % 10:
            for annotation in _draw_instances(pixels, rng):
                annotations.append({"id": len(annotations) + 1, "image_id": image_id, **annotation})
        cv2.imwrite(str(folder / "images" / image["file_name"]), pixels)
        images.append(image)
    categories = [{"id": i, "name": name} for i, name in enumerate(CLASSES, start=1)]
    path = folder / "instances.json"
    document = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(document))
    return path


def _background(rng: np.random.Generator) -> NDArray[np.uint8]:
    tint = rng.uniform(-8, 8, 3)
    coarse = (rng.uniform(200, 232, (6, 8, 1)) + tint).astype(np.float32)
    smooth = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)


def _draw_instances(pixels: NDArray[np.uint8], rng: np.random.Generator) -> list[dict[str, Any]]:
    names = list(CLASSES)
    frequency = np.array([CLASSES[name][2] for name in names])
    annotations = []
    for _ in range(1 + rng.poisson(4)):
        category = int(rng.choice(len(names), p=frequency / frequency.sum()))
        radius = float(np.exp(rng.uniform(np.log(5), np.log(70))))
        center = rng.uniform((0, 0), (WIDTH, HEIGHT))
        outline = _outline(names[category], radius, center, rng)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
        if names[category] == "ring":
            cv2.circle(mask, np.rint(center).astype(int).tolist(), int(radius * 0.6), 0, -1)
        if mask.sum() < 12:
            continue
        shade = np.array(CLASSES[names[category]][3]) * rng.uniform(0.75, 1.15)
        pixels[mask > 0] = np.clip(shade + rng.normal(0, 6, (int(mask.sum()), 3)), 0, 255)
        annotations.append(_annotation(category + 1, mask, outline, names[category] == "ring"))
    if rng.random() < 0.08:
        annotations.append(_crowd(pixels, rng))
    return annotations


def _outline(
    name: str, radius: float, center: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(K, 2) xy of a wavy circle: ``arms`` waves, as deep as the class says."""
    arms, depth, _, _ = CLASSES[name]
    angle = np.linspace(0, 2 * np.pi, max(24, 8 * arms), endpoint=False)
    wave = 1 - depth * 0.5 * (1 - np.cos(arms * angle))
    ratio = rng.uniform(0.7, 1.0)
    turn = rng.uniform(0, 2 * np.pi)
    x, y = radius * wave * np.cos(angle), radius * ratio * wave * np.sin(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    outline = np.stack([x, y], axis=1) @ rotation.T + center
    return np.clip(outline, (0, 0), (WIDTH - 1, HEIGHT - 1))


def _annotation(
    category_id: int, mask: NDArray[np.uint8], outline: NDArray[np.float64], has_hole: bool
) -> dict[str, Any]:
    """A polygon as most COCO files have it; run lengths where a polygon would fill the hole."""
    rle = mask_api.encode(np.asfortranarray(mask))
    segmentation: Any = [np.round(outline, 2).ravel().tolist()]
    if has_hole:
        segmentation = {"size": rle["size"], "counts": rle["counts"].decode()}
    return {
        "category_id": category_id,
        "segmentation": segmentation,
        "area": float(mask_api.area(rle)),
        "bbox": mask_api.toBbox(rle).tolist(),
        "iscrowd": 0,
    }


def _crowd(pixels: NDArray[np.uint8], rng: np.random.Generator) -> dict[str, Any]:
    """A heap of pebbles, annotated as one region with uncompressed run lengths."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    corner = rng.uniform((20, 20), (WIDTH - 80, HEIGHT - 60))
    for center in rng.uniform(corner, corner + np.array([60, 40]), (25, 2)):
        cv2.circle(mask, center.astype(int).tolist(), int(rng.integers(3, 7)), 1, -1)
    pixels[mask > 0] = CLASSES["pebble"][3]
    changes = np.flatnonzero(np.diff(mask.ravel(order="F"), prepend=0))
    counts = np.diff(changes, prepend=0, append=mask.size).tolist()
    rle = mask_api.encode(np.asfortranarray(mask))
    return {
        "category_id": 1,
        "segmentation": {"size": [HEIGHT, WIDTH], "counts": counts},
        "area": float(mask.sum()),
        "bbox": mask_api.toBbox(rle).tolist(),
        "iscrowd": 1,
    }
