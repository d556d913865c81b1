"""Masks of FiftyOne labels, cropped to their boxes, put back into the frame of their image."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from ..geometry.framing import frame_bitmap
from .masks import check_mask_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class FramedMask(NamedTuple):
    """A mask as run lengths in its whole frame.

    Attributes:
        counts: (K,) uint32, as `MaskRuns` has those of one mask, down the columns.
        height: of the frame, px.
        box_xywh: as `PlacedMask` has it.
    """

    counts: NDArray[np.uint32]
    height: int
    box_xywh: tuple[float, float, float, float]

    @property
    def nbytes(self) -> int:
        return self.counts.nbytes


class PlacedMask(NamedTuple):
    """A mask in the frame of its image.

    Attributes:
        bitmap: (h, w) bool, the box's content.
        x: column of its left edge, px.
        y: row of its upper edge, px.
        box_xywh: the box, px, such that FiftyOne's COCO importer crops the same bitmap again.
    """

    bitmap: NDArray[np.bool_]
    x: int
    y: int
    box_xywh: tuple[float, float, float, float]


def _place_side(start: float, length: float, size: int, frame: int) -> tuple[int, float, float]:
    """First pixel, and the box's start and length, along one axis."""
    start, length = round(start, 4), round(length, 4)  # without the noise of the division by frame
    first = round(start)
    if round(start + length) - first == size and 0 <= first <= frame - size:
        return first, start, length
    first = max(0, min(first, frame - size))
    return first, float(first), float(size)


def _place_mask(
    mask: NDArray[np.generic], relative_xywh: Sequence[float], height: int, width: int
) -> PlacedMask:
    """Finds where in an image of ``height`` x ``width`` px the mask of a label lies."""
    x, y, w, h = (v * side for v, side in zip(relative_xywh, (width, height) * 2, strict=True))
    bitmap = mask != 0
    rows, columns = round(h), round(w)
    if bitmap.size == 0 or abs(rows - len(bitmap)) > 1 or abs(columns - bitmap.shape[1]) > 1:
        size = (max(1, min(columns, width)), max(1, min(rows, height)))
        check_mask_size(*size)
        source = bitmap.astype(np.uint8) if bitmap.size else np.zeros((1, 1), np.uint8)
        bitmap = cv2.resize(source, size, interpolation=cv2.INTER_NEAREST).astype(bool)
    bitmap = bitmap[:height, :width]
    left, box_x, box_w = _place_side(x, w, bitmap.shape[1], width)
    top, box_y, box_h = _place_side(y, h, bitmap.shape[0], height)
    return PlacedMask(bitmap, left, top, (box_x, box_y, box_w, box_h))


def frame_mask(
    mask: NDArray[np.generic], relative_xywh: Sequence[float], height: int, width: int
) -> FramedMask:
    """Puts the mask of a label where it lies in an image of ``height`` x ``width`` px.

    A mask of another resolution than its box is drawn at the box's, as FiftyOne's App shows it.

    Args:
        mask: (h, w), nonzero = foreground.
        relative_xywh: the label's box, in fractions of the image's width and height.
        height: px.
        width: px.

    Raises:
        UnreadableError: the box would make it larger than a mask may be; it has too many runs.
    """
    placed = _place_mask(mask, relative_xywh, height, width)
    counts = frame_bitmap(placed.bitmap, placed.x, placed.y, height, width)
    return FramedMask(counts, height, placed.box_xywh)
