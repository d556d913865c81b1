"""From the places where a mask changes to its runs, and how such places are put in order.

A mask is read line by line (its columns, or its rows), and a *toggle* is a place in that order at
which it changes from background to foreground or back. Two toggles at one place cancel: so a run
that ends with its line and goes on in the next is one run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from .compiled import compiled, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Scalar = TypeVar("Scalar", bound=np.generic)


@compiled
def grown(buffer: NDArray[Scalar], used: int, size: int) -> NDArray[Scalar]:
    """The buffer where it has room for ``size`` items, else a larger one with the ``used`` ones."""
    if size <= len(buffer):
        return buffer
    larger = np.empty(max(size, 2 * len(buffer)), buffer.dtype)
    for k in range(used):  # a slice would compile for two seconds
        larger[k] = buffer[k]
    return larger


@inner
def sort(values: Ints) -> None:
    """Sorts in place: Shell's sort, for mostly two or four values, and seldom thousands."""
    gap = 1
    while 3 * gap < len(values):
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, len(values)):
            value = values[k]
            place = k
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap //= 3


@inner
def sort_by_line(lines: Ints, values: Ints, num: int, ordered: Ints, line_stops: Ints) -> int:
    """Sorts ``num`` values by line, then by value: a counting sort, since lines are small integers.

    Args:
        lines: (>= num,) >= 0.
        values: (>= num,).
        num: number of values, at least 1.
        ordered: (>= num,), filled with the values.
        line_stops: (> max - min of lines + 1,), filled with the end of each line's values in
            ``ordered``, the first used line's first.

    Returns:
        The first used line.
    """
    first = last = lines[0]
    for k in range(num):
        first, last = min(first, lines[k]), max(last, lines[k])
    line_stops[: last - first + 2] = 0
    for k in range(num):
        line_stops[lines[k] - first + 1] += 1
    for line in range(1, last - first + 1):
        line_stops[line] += line_stops[line - 1]
    for k in range(num):  # each line's entry moves from its values' start to their end
        line = lines[k] - first
        ordered[line_stops[line]] = values[k]
        line_stops[line] += 1
    start = 0
    for line in range(last - first + 1):
        stop = line_stops[line]
        if stop == start + 2:  # by far the most frequent
            a, b = ordered[start], ordered[start + 1]
            ordered[start], ordered[start + 1] = min(a, b), max(a, b)
        elif stop > start + 2:
            sort(ordered[start:stop])
        start = stop
    return first


@inner
def add_toggle(toggles: Ints, num: int, place: int) -> int:
    """Appends a place, not before the last, or cancels with it; returns the number of toggles."""
    if num > 0 and toggles[num - 1] == place:
        return num - 1
    toggles[num] = place
    return num + 1


@inner
def append_runs(
    counts: NDArray[np.uint32], used: int, toggles: Ints, num: int, num_pixels: int
) -> int:
    """Appends the runs between ``num`` increasing toggles; ``counts`` must have num + 1 free.

    Returns:
        The number of counts in use.
    """
    last = 0
    for k in range(num):
        counts[used] = toggles[k] - last
        last = toggles[k]
        used += 1
    if num == 0 or last < num_pixels:
        counts[used] = num_pixels - last
        used += 1
    return used
