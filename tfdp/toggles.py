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
def _sort(values: Ints) -> None:
    """Sorts a few values in place; almost always there are two or four."""
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
def sort_by_line(lines: Ints, values: Ints, num: int, ordered: Ints, line_ends: Ints) -> int:
    """Sorts ``num`` values by line (row or column), then by value: a counting sort.

    Args:
        lines: (>= num,) >= 0.
        values: (>= num,).
        num: number of values, at least 1.
        ordered: (>= num,), filled with the values.
        line_ends: (> max - min of lines + 1,), filled with the end of each line in ``ordered``,
            the first line's first.

    Returns:
        The first line.
    """
    first = last = lines[0]
    for k in range(num):
        first, last = min(first, lines[k]), max(last, lines[k])
    line_ends[: last - first + 2] = 0
    for k in range(num):
        line_ends[lines[k] - first + 1] += 1
    for line in range(1, last - first + 1):
        line_ends[line] += line_ends[line - 1]
    for k in range(num):  # each line's entry runs from its start to its end
        line = lines[k] - first
        ordered[line_ends[line]] = values[k]
        line_ends[line] += 1
    start = 0
    for line in range(last - first + 1):
        _sort(ordered[start : line_ends[line]])
        start = line_ends[line]
    return first


@compiled
def order_toggles(
    xs: Ints, places: Ints, num: int, ordered: Ints, column_ends: Ints
) -> int:
    """Puts toggles in column-major order and drops those that cancel.

    Args:
        xs: (>= num,) columns.
        places: (>= num,), x * height + y.
        num: number of toggles.
        ordered: (>= num,), filled with places.
        column_ends: (>= width + 1,), scratch.

    Returns:
        The number of places kept.
    """
    if num == 0:
        return 0
    sort_by_line(xs, places, num, ordered, column_ends)
    kept = 0
    for k in range(num):
        if kept > 0 and ordered[kept - 1] == ordered[k]:
            kept -= 1
        else:
            ordered[kept] = ordered[k]
            kept += 1
    return kept


@compiled
def append_runs(
    counts: NDArray[np.uint32], used: int, places: Ints, num: int, num_pixels: int
) -> int:
    """Appends the runs between ``num`` increasing places; ``counts`` must have num + 1 free.

    Returns:
        The number of counts in use.
    """
    last = 0
    for k in range(num):
        counts[used] = places[k] - last
        last = places[k]
        used += 1
    if num == 0 or last < num_pixels:
        counts[used] = num_pixels - last
        used += 1
    return used
