"""Bitmaps of a part of an image, as run lengths of the whole image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import UnreadableError
from .masks import MAX_OUTLINE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def frame_bitmap(
    bitmap: NDArray[np.bool_], x: int, y: int, height: int, width: int
) -> NDArray[np.uint32]:
    """The run lengths of a bitmap in its whole frame; only its own pixels are looked at.

    Args:
        bitmap: (h, w), which lies inside the frame.
        x: column of its left edge, px.
        y: row of its upper edge, px.
        height: of the frame, px.
        width: of the frame, px.

    Returns:
        (K,) counts down the columns, as `MaskRuns` has those of one mask.

    Raises:
        UnreadableError: more than `MAX_OUTLINE` of them (``outline_too_long``).
    """
    rows, columns = bitmap.shape
    padded = np.zeros((columns, rows + 2), bool)  # transposed: COCO reads down the columns
    padded[:, 1:-1] = bitmap.T
    changes = padded[:, 1:] != padded[:, :-1]
    if np.count_nonzero(changes) > MAX_OUTLINE:
        raise UnreadableError("outline_too_long", f"more than {MAX_OUTLINE:,} px")
    column, row = np.nonzero(changes)
    places = (x + column) * height + y + row
    goes_on = np.flatnonzero(places[1:] == places[:-1])  # a run into the next column is one run
    places = np.delete(places, np.append(goes_on, goes_on + 1))
    if len(places) == 0 or places[-1] < height * width:
        places = np.append(places, height * width)
    return np.diff(places, prepend=0).astype(np.uint32)
