"""Binary masks as run lengths: the one form that every geometry function reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from .compiled import compiled, inner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .toggles import Ints

MAX_SIDE = 2**20  # px; with it, no sum of positions leaves 64 bits and no scratch array is large
MAX_PIXELS = 2**32 - 1  # COCO's counts have 32 bits
MAX_OUTLINE = (
    2**21
)  # px; drawing and measuring take up to 100 bytes for each. A run has two or more


class MaskProblem(IntEnum):
    """Why a mask could not be read; ``name.lower()`` is the reason to report."""

    NONE = 0
    BAD_SIZE = 1  # height or width < 1 or > MAX_SIDE, or more than MAX_PIXELS pixels
    GARBAGE = 2  # characters outside COCO's alphabet, or items that are no 32-bit integers
    TRUNCATED = 3  # the string ends in the middle of a number
    NEGATIVE_COUNT = 4
    WRONG_TOTAL = 5  # the counts do not add up to height * width
    BAD_POLYGON = 6  # no part, a part of fewer than 3 points, or coordinates not finite or absurd
    OUTLINE_TOO_LONG = 7  # more than MAX_OUTLINE pixels of outline inside the frame, or counts


@dataclass(frozen=True)
class MaskRuns:
    """N binary masks as run lengths.

    A mask is read down its columns, left to right, as COCO does, or (`by_row`) along its rows, top
    to bottom. Its counts alternate background, foreground, background, ... and add up to
    height * width. A count may be 0. A mask without a single count is one that could not be read.

    Attributes:
        counts: (R,) uint32, px; the counts of all masks, one mask after another.
        starts: (N + 1,) int64; mask j is ``counts[starts[j]:starts[j + 1]]``.
        line_lengths: (N,) int64, px; a column's length (the height), or a row's (the width).
        by_row: whether the lines are rows.
    """

    counts: NDArray[np.uint32]
    starts: NDArray[np.int64]
    line_lengths: NDArray[np.int64]
    by_row: bool = False

    def __len__(self) -> int:
        return len(self.line_lengths)


@inner
def is_bad_size(height: int, width: int) -> bool:
    """Whether a frame is empty, or larger than any real one."""
    return not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and height * width <= MAX_PIXELS)


@inner
def _scan_pixels(pixels: NDArray[np.bool_], counts: NDArray[np.uint32]) -> int:
    """Writes one bitmap's counts, pixel by pixel as they lie in memory.

    Returns:
        Their number; 0 for more than MAX_OUTLINE.
    """
    num = last = 0
    before = False
    for start in range(0, len(pixels), 64):
        block = pixels[start : start + 64]
        changes = False
        for pixel in block:  # a vector instruction or two, and mostly that is all
            changes |= pixel != before
        if changes:
            for k in range(len(block)):
                if block[k] != before:
                    before = not before
                    counts[num] = start + k - last
                    last = start + k
                    num += 1
            if num >= MAX_OUTLINE:
                return 0
    counts[num] = len(pixels) - last
    return num + 1


@compiled
def _scan(pixels: NDArray[np.bool_], sizes: Ints) -> tuple[NDArray[np.uint32], Ints]:
    counts = np.empty(
        len(pixels) + len(sizes), np.uint32
    )  # of a chessboard; pages unused cost nothing
    starts = np.zeros(len(sizes) + 1, np.int64)
    offset = 0
    for j in range(len(sizes)):
        num = _scan_pixels(pixels[offset : offset + sizes[j]], counts[starts[j] :])
        offset += sizes[j]
        starts[j + 1] = starts[j] + num
    return counts[: starts[-1]].copy(), starts


def mask_runs_from_bitmaps(bitmaps: Sequence[NDArray[np.generic]]) -> MaskRuns:
    """Scans bitmaps into runs along their rows.

    Args:
        bitmaps: N arrays (H, W), each of its own size; nonzero is foreground.

    Returns:
        The N masks, in order. One of more than `MAX_OUTLINE` counts has none.
    """
    pixels = [bitmap.astype(np.bool_, copy=False).ravel() for bitmap in bitmaps]
    counts, starts = _scan(
        np.concatenate([np.empty(0, np.bool_), *pixels]),
        np.array([bitmap.size for bitmap in bitmaps], np.int64),
    )
    widths = np.array([bitmap.shape[1] for bitmap in bitmaps], np.int64)
    return MaskRuns(counts, starts, widths, by_row=True)


def mask_runs_from_counts(
    counts: Sequence[NDArray[np.integer[Any]]], heights: NDArray[np.int64]
) -> MaskRuns:
    """N masks as one.

    Args:
        counts: of each mask (K,) its run lengths down the columns, which add up to its pixels.
        heights: (N,) px.
    """
    starts = np.cumsum([0, *map(len, counts)], dtype=np.int64)
    joined = np.concatenate([np.empty(0, np.uint32), *counts]).astype(np.uint32, copy=False)
    return MaskRuns(joined, starts, heights)


def mask_runs_to_bitmaps(masks: MaskRuns) -> list[NDArray[np.bool_]]:
    """Draws every mask as a bool array (H, W); (0, 0) where it could not be read."""
    bitmaps = []
    for j, line_length in enumerate(masks.line_lengths):
        counts = masks.counts[masks.starts[j] : masks.starts[j + 1]]
        pixels = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        lines = pixels.reshape(-1, line_length) if len(pixels) > 0 else pixels.reshape(0, 0)
        bitmaps.append(lines if masks.by_row else lines.T)
    return bitmaps
