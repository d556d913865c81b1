"""A batch of images and instances on its way from the process that loads it to the device.

Each tensor that one process sends to another takes an open file: so all images of a batch are one
tensor, all masks another, and what is small is in numpy's arrays, which are copied.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BITS = 8


class Batch(NamedTuple):
    """Some images with their instances, one after another."""

    images: torch.Tensor  # (sum 3 h w,) uint8
    masks: torch.Tensor  # uint8, each image's (n h w,) pixels as bits; none where none were loaded
    sizes: NDArray[np.int64]  # (b, 2) height, width px
    counts: NDArray[np.int64]  # (b,) n
    boxes: NDArray[np.float32]  # (sum n, 4) x1, y1, x2, y2 px
    labels: NDArray[np.int64]  # (sum n,)


def join_examples(examples: Sequence[dict[str, torch.Tensor]]) -> Batch:
    """A batch of examples: image (3, h, w) uint8, boxes (n, 4), labels (n,), masks (n, h, w)."""
    masks = [np.packbits(e["masks"].numpy()) for e in examples if "masks" in e]
    return Batch(
        images=torch.cat([e["image"].flatten() for e in examples]),
        masks=torch.from_numpy(np.concatenate([np.zeros(0, np.uint8), *masks])),
        sizes=np.array([e["image"].shape[1:] for e in examples]),
        counts=np.array([len(e["boxes"]) for e in examples]),
        boxes=np.concatenate([e["boxes"].numpy() for e in examples]),
        labels=np.concatenate([e["labels"].numpy() for e in examples]),
    )


def split_images(batch: Batch, device: torch.device) -> list[torch.Tensor]:
    """The images, (3, h, w) float in [0, 1] each, on a device."""
    shapes = [(3, height, width) for height, width in batch.sizes.tolist()]
    moved = batch.images.to(device, non_blocking=True)
    parts = torch.split(moved, [math.prod(shape) for shape in shapes])
    return [part.view(s).float() / 255 for part, s in zip(parts, shapes, strict=True)]


def split_boxes(batch: Batch, device: torch.device) -> list[torch.Tensor]:
    """The boxes of each image, (n, 4) float, on a device."""
    return list(torch.split(torch.from_numpy(batch.boxes).to(device), batch.counts.tolist()))


def split_targets(batch: Batch, device: torch.device) -> list[dict[str, torch.Tensor]]:
    """`boxes` (n, 4) float, `labels` (n,), `masks` (n, h, w) uint8 of each image, on a device."""
    counts = batch.counts.tolist()
    labels = torch.split(torch.from_numpy(batch.labels).to(device), counts)
    shapes = [(n, *size) for n, size in zip(counts, batch.sizes.tolist(), strict=True)]
    packed = batch.masks.to(device, non_blocking=True)
    masks = torch.split(packed, [-(-math.prod(shape) // BITS) for shape in shapes])
    parts = zip(split_boxes(batch, device), labels, masks, shapes, strict=True)
    return [
        {"boxes": boxes, "labels": of_image, "masks": _unpack(bits, shape)}
        for boxes, of_image, bits, shape in parts
    ]


def _unpack(bits: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """The inverse of `numpy.packbits`."""
    places = torch.arange(BITS - 1, -1, -1, dtype=torch.uint8, device=bits.device)
    pixels = ((bits[:, None] >> places) & 1).flatten()
    return pixels[: math.prod(shape)].view(shape)
