"""Binary masks as column-major run lengths: the one form that every geometry function reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class MaskProblem(IntEnum):
    """Why a mask could not be read; ``name.lower()`` is the reason to report."""

    NONE = 0
    BAD_SIZE = 1  # height or width < 1 or > MAX_SIDE, or height * width >= 2**32
    GARBAGE = 2  # characters outside the COCO alphabet, or items that are not integers
    TRUNCATED = 3  # the string ends in the middle of a number
    NEGATIVE_COUNT = 4
    WRONG_TOTAL = 5  # the counts do not add up to height * width
    BAD_POLYGON = 6  # no part, a part of fewer than 3 points, or coordinates not finite
    OUTLINE_TOO_LONG = 7  # an outline of more than MAX_OUTLINE pixels inside the frame


@dataclass(frozen=True)
class MaskRuns:
    """N binary masks as run lengths, in COCO's own order.

    A mask is read down its columns, left to right; its counts alternate background, foreground,
    background, ... and add up to height * width. A count may be 0. A mask without a single count is
    one that could not be read.

    Attributes:
        counts: (R,) uint32, px; the counts of all masks, one mask after another.
        starts: (N + 1,) int64; mask j is ``counts[starts[j]:starts[j + 1]]``.
        heights: (N,) int64, px.
    """

    counts: NDArray[np.uint32]
    starts: NDArray[np.int64]
    heights: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.heights)


def mask_runs_from_bitmaps(bitmaps: Sequence[NDArray[np.generic]]) -> MaskRuns:
    """Scans bitmaps into runs.

    Args:
        bitmaps: N arrays (H, W), each of its own size; nonzero is foreground.
    """
    raise NotImplementedError


def mask_runs_from_rle(
    rles: Sequence[bytes | str | Sequence[int]],
    heights: NDArray[np.int64],
    widths: NDArray[np.int64],
) -> tuple[MaskRuns, NDArray[np.uint8]]:
    """Reads COCO run lengths, both kinds, and checks every one.

    Args:
        rles: N ``counts`` values: a compressed string (bytes or str) or a list of integers.
        heights: (N,) px.
        widths: (N,) px.

    Returns:
        The N masks, in order, and (N,) uint8 of `MaskProblem`: 0 where the mask could be read.
        A mask with a problem has no counts. Nothing is allocated or read on the word of a file.
    """
    raise NotImplementedError


def mask_runs_to_rle(masks: MaskRuns) -> list[bytes]:
    """Writes compressed COCO strings, byte for byte as pycocotools does."""
    raise NotImplementedError


def mask_runs_to_bitmaps(masks: MaskRuns) -> list[NDArray[np.bool_]]:
    """Draws every mask as a bool array (H, W)."""
    raise NotImplementedError
