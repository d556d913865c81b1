"""Masks of detections in the frame of their image, each from the pixels of its box alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch.nn.functional import interpolate
from torchvision.models.detection.roi_heads import expand_boxes, expand_masks

from ..geometry.framing import frame_bitmap
from ..geometry.masks import mask_runs_from_counts
from ..geometry.run_lengths import mask_runs_to_rle

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

PADDING = 1  # of the mask head's pixels, so that what is cut at the box's edge fades there


def _paste(mask: torch.Tensor, corners: list[int], height: int, width: int) -> NDArray[np.uint32]:
    """The run lengths of one padded (1, m, m) mask, resized to its whole box."""
    x1, y1, x2, y2 = corners
    size = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
    resized = interpolate(mask[None], size=size, mode="bilinear", align_corners=False)[0, 0]
    left, top = max(x1, 0), max(y1, 0)
    seen = resized[top - y1 : max(height - y1, 0), left - x1 : max(width - x1, 0)]
    return frame_bitmap(seen.numpy() > 0.5, left, top, height, width)


def paste_masks(masks: torch.Tensor, boxes: torch.Tensor, height: int, width: int) -> list[bytes]:
    """What torchvision's `paste_masks_in_image` > .5 gives, encoded, without the full frames.

    Args:
        masks: (n, 1, m, m) probabilities, on the CPU.
        boxes: (n, 4) x1, y1, x2, y2 px.
        height: of the image, px.
        width: of the image, px.

    Returns:
        (n,) COCO's compressed run lengths of (height, width) masks.
    """
    padded, scale = expand_masks(masks, padding=PADDING)
    corners = expand_boxes(boxes, scale).long().tolist()
    counts = [_paste(mask, box, height, width) for mask, box in zip(padded, corners, strict=True)]
    return mask_runs_to_rle(mask_runs_from_counts(counts, np.full(len(counts), height)))
