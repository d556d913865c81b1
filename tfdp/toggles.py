"""From the pixels where a mask changes, read down its columns, to its runs.

A *toggle* (x, y) says: going down column x, the mask changes from row y - 1 to row y. Background
lies above row 0 and below the last row, so a toggle at y = height closes what touches the foot of
the column. Two toggles at one place cancel. Scanned bitmaps and drawn polygons both come as toggles,
in any order; here they are put in order and counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from .compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Buffer = TypeVar("Buffer", bound=NDArray[np.generic])


@compiled
def grown(buffer: Buffer, used: int, size: int) -> Buffer:
    """The buffer itself where it holds ``size`` items, else a larger one with the ``used`` copied."""
    if size <= len(buffer):
        return buffer
    larger = np.empty(max(size, 2 * len(buffer)), buffer.dtype)
    larger[:used] = buffer[:used]
    return larger


@compiled
def order_toggles(
    xs: Ints, ys: Ints, num: int, height: int, positions: Ints, column_ends: Ints
) -> int:
    """Writes the toggles' places in column-major order, x * height + y, without those that cancel.

    Args:
        xs: (>= num,) columns.
        ys: (>= num,) rows, 0 to height.
        num: number of toggles.
        height: px.
        positions: (>= num,), filled here.
        column_ends: (>= width + 1,), scratch.

    Returns:
        The number of positions.
    """
    if num == 0:
        return 0
    first, last = xs[0], xs[0]
    for k in range(num):
        first, last = min(first, xs[k]), max(last, xs[k])
    # counting sort by column: column_ends[x] runs from the start of column x to its end
    column_ends[: last - first + 2] = 0
    for k in range(num):
        column_ends[xs[k] - first + 1] += 1
    for x in range(1, last - first + 1):
        column_ends[x] += column_ends[x - 1]
    for k in range(num):
        x = xs[k] - first
        positions[column_ends[x]] = xs[k] * height + ys[k]
        column_ends[x] += 1
    start = 0
    for x in range(last - first + 1):
        _sort(positions[start : column_ends[x]])
        start = column_ends[x]
    kept = 0
    for k in range(num):
        if kept > 0 and positions[kept - 1] == positions[k]:
            kept -= 1
        else:
            positions[kept] = positions[k]
            kept += 1
    return kept


@compiled
def _sort(values: Ints) -> None:
    if len(values) > 32:
        values.sort()
        return
    for k in range(1, len(values)):
        value = values[k]
        place = k
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


@compiled
def append_runs(
    counts: NDArray[np.uint32], used: int, positions: Ints, num: int, num_pixels: int
) -> int:
    """Appends the runs between ``num`` increasing positions; ``counts`` must have num + 1 free.

    Returns:
        The number of counts in use.
    """
    last = 0
    for k in range(num):
        counts[used] = positions[k] - last
        last = positions[k]
        used += 1
    if num == 0 or last < num_pixels:
        counts[used] = num_pixels - last
        used += 1
    return used
