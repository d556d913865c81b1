r"""Area and perimeter of a mask's primary contour, from its runs alone.

A contour walks through pixel centres. Between two neighbouring columns, only their *segments*
(runs, cut at the column's foot) decide how it goes. Segments touch where they overlap or meet at a
corner (8-connected foreground), and the contour does one of three things:

    STEP            GAP             END
    row 0  o        row 0  o   #    row 0  o      STEP: from a top to the touching segment's top,
           |                \              |        or bottom to bottom. d rows apart, it takes
    row 1  o        row 1      o    row 1  o        d - 1 straight pixels and 1 diagonal; level, 1
            \                  |           |        straight.
    row 2  #  o     row 2      o    row 2  o      GAP: two segments of one column touch the same
    row 3  #  #             /                       segment of the other: 2 diagonals, d - 2
                    row 3  o   #                    straight (d rows from bottom to top).
                                                  END: a segment touches nothing: straight from
                                                    its top to its bottom.

- The perimeter is the number of straight pixels, and sqrt(2) for each diagonal.
- The area is, by the trapezoid rule, the sum over all moves from column to column of the row at the
  middle of the move, + at a bottom and - at a top. Twice that row is an integer: 2 a for a level
  move; between rows a and b, 2 max(a, b) - 1 at a top and 2 min(a, b) + 1 at a bottom.

Every segment has two *ends*, top and bottom. On each side, a STEP, a GAP or an END joins an end to
exactly one other end, so the contours are closed chains of ends. One sweep over the columns strings
them together. Cut by the sweep, a contour is a set of open chains; all that is kept of a chain are
its two open ends, each with its *mate* (the other one) and its share of the chain's sums. A STEP
moves an open end one column on; what joins two open ends merges two chains, or closes one: then a
contour is complete.

Why no hole is filled and no nesting followed: a contour round a hole has its bottoms above its
tops, so its area is negative; one inside a hole is smaller than the one round that hole. The
contour of largest area is therefore external.

Masks that are given by row are measured in the same way, rows in the place of columns: turned about
its diagonal, a shape keeps its area and perimeter.

Counted by 2x2 pixel quads of the component with its holes filled, the same sums are
A = Q4 + Q3 / 2 and P = Q2 + sqrt(2) (Q3 + 2 QD): a quad of 4 foreground pixels has area 1, one of 3
has area 1/2 and a diagonal, 2 side by side have a straight pixel, and 2 on a diagonal are passed
twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .chains import AREA2, DIAGONAL, FIRST, STRAIGHT, join, start, step
from .compiled import compiled, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .masks import MaskRuns
    from .toggles import Ints

# a segment: its first and last row, and the open ends of the chains that leave it to the right
TOP, BOTTOM, TOP_END, BOTTOM_END = 0, 1, 2, 3


@dataclass(frozen=True)
class Contours:
    """The primary (largest external) contour of each of N masks.

    Attributes:
        area: (N,) float64, px²; the shoelace area through pixel centres (`cv2.contourArea`).
        perimeter: (N,) float64, px; its closed length (`cv2.arcLength`).
        pixel_area: (N,) int64, px; number of foreground pixels of the whole mask.
    """

    area: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    pixel_area: NDArray[np.int64]


@inner
def _key(y: int, x: int, by_row: bool) -> int:
    """One integer for a pixel, so that pixels sort row by row; by_row, rows are called x here."""
    return (x << 32) + y if by_row else (y << 32) + x


@inner
def _cross_gaps(
    segments: Ints,
    i: int,
    left_stop: int,
    j: int,
    right_stop: int,
    x: int,
    by_row: bool,
    ends: Ints,
    num_ends: int,
    largest: Ints,
) -> tuple[int, int, int]:
    """From the touching segments i and j over all gaps below: the last two that touch."""
    while i + 1 < left_stop or j + 1 < right_stop:
        a, b = segments[i, BOTTOM], segments[j, BOTTOM]
        if a < b and i + 1 < left_stop and segments[i + 1, TOP] <= b + 1:
            gap = segments[i + 1, TOP] - a - 1
            end, next_end = segments[i, BOTTOM_END], segments[i + 1, TOP_END]
            join(ends, end, next_end, -2 * gap, gap - 1, 2, largest)
            i += 1
        elif b < a and j + 1 < right_stop and segments[j + 1, TOP] <= a + 1:
            gap = segments[j + 1, TOP] - b - 1
            start(ends, num_ends, -2 * gap, gap - 1, 2, _key(segments[j + 1, TOP], x, by_row))
            segments[j, BOTTOM_END], segments[j + 1, TOP_END] = num_ends, num_ends + 1
            num_ends += 2
            j += 1
        else:
            break
    return i, j, num_ends


@inner
def _link(
    segments: Ints,
    i: int,
    left_stop: int,
    j: int,
    right_stop: int,
    x: int,
    by_row: bool,
    ends: Ints,
    num_ends: int,
    largest: Ints,
) -> int:
    """Strings the chains from column x - 1, segments i to left_stop, to column x, j to right_stop.

    Returns:
        The number of ends used so far.
    """
    while i < left_stop or j < right_stop:
        if j == right_stop or (i < left_stop and segments[i, BOTTOM] + 1 < segments[j, TOP]):
            length = segments[i, BOTTOM] - segments[i, TOP]
            join(ends, segments[i, TOP_END], segments[i, BOTTOM_END], 0, length, 0, largest)
            i += 1
            continue
        top = segments[j, TOP]
        if i == left_stop or segments[j, BOTTOM] + 1 < segments[i, TOP]:
            start(ends, num_ends, 0, segments[j, BOTTOM] - top, 0, _key(top, x, by_row))
            segments[j, TOP_END], segments[j, BOTTOM_END] = num_ends, num_ends + 1
            num_ends += 2
            j += 1
            continue
        # i and j touch: on from their tops to the bottoms of the last two
        end, a = segments[i, TOP_END], segments[i, TOP]
        step(ends, end, a, top, (a != top) - 2 * max(a, top))
        ends[end, FIRST] = min(ends[end, FIRST], _key(top, x, by_row))
        segments[j, TOP_END] = end
        i, j, num_ends = _cross_gaps(
            segments, i, left_stop, j, right_stop, x, by_row, ends, num_ends, largest
        )
        end, a, b = segments[i, BOTTOM_END], segments[i, BOTTOM], segments[j, BOTTOM]
        step(ends, end, a, b, (a != b) + 2 * min(a, b))
        segments[j, BOTTOM_END] = end
        i += 1
        j += 1
    return num_ends


@inner
def _sweep(
    counts: NDArray[np.uint32], height: int, by_row: bool, segments: Ints, ends: Ints, largest: Ints
) -> int:
    """Sweeps one mask's columns; leaves the largest contour's sums in ``largest``.

    The segments of the last two columns share ``segments``, one half each.

    Returns:
        The number of foreground pixels.
    """
    half = len(segments) // 2
    left = left_stop = half
    right = right_stop = 0
    position = pixel_area = x = num_ends = 0
    foot = height  # of column x; its rows are the positions foot - height to foot - 1
    for k in range(1, len(counts), 2):
        position += np.int64(counts[k - 1])
        run_stop = position + np.int64(counts[k])
        pixel_area += run_stop - position
        while position < run_stop:
            while position >= foot:
                num_ends = _link(
                    segments, left, left_stop, right, right_stop, x, by_row, ends, num_ends, largest
                )
                left, left_stop = right, right_stop
                right = right_stop = half - right
                x += 1
                foot += height
                if left == left_stop and position >= foot:  # all contours have ended: skip
                    skipped = (position - foot) // height + 1
                    x += skipped
                    foot += skipped * height
            stop = min(run_stop, foot)
            top, bottom = position + height - foot, stop + height - foot - 1
            if right_stop > right and segments[right_stop - 1, BOTTOM] + 1 == top:
                segments[right_stop - 1, BOTTOM] = bottom  # the background run between was empty
            else:
                segments[right_stop, TOP], segments[right_stop, BOTTOM] = top, bottom
                right_stop += 1
            position = stop
    for _ in range(2):  # the last segments, and then nothing
        num_ends = _link(
            segments, left, left_stop, right, right_stop, x, by_row, ends, num_ends, largest
        )
        left, left_stop = right, right_stop
        right = right_stop = half - right
    return pixel_area


@compiled
def _measure(
    counts: NDArray[np.uint32], starts: Ints, line_lengths: Ints, by_row: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], Ints]:
    num_masks = len(line_lengths)
    longest = 0
    for j in range(num_masks):
        longest = max(longest, starts[j + 1] - starts[j])
    # a column has at most one segment for each foreground run; only a run's first and last segments
    # can start a chain, because those between fill their columns and touch the ones before
    segments = np.empty((2 * (longest // 2 + 1), 4), np.int64)
    ends = np.empty((4 * (longest // 2 + 1), 5), np.int64)
    largest = np.empty(5, np.int64)
    area, perimeter = np.empty(num_masks), np.empty(num_masks)
    pixel_area = np.empty(num_masks, np.int64)
    for j in range(num_masks):
        largest[AREA2] = largest[STRAIGHT] = largest[DIAGONAL] = 0
        largest[FIRST] = -1
        mask = counts[starts[j] : starts[j + 1]]
        pixel_area[j] = _sweep(mask, line_lengths[j], by_row, segments, ends, largest)
        area[j] = largest[AREA2] / 2
        perimeter[j] = largest[STRAIGHT] + np.sqrt(2.0) * largest[DIAGONAL]
    return area, perimeter, pixel_area


def measure_contours(masks: MaskRuns) -> Contours:
    """Measures the primary contour of every mask.

    Of several contours of the same largest area, the one whose first pixel, row by row, comes last
    is primary, as where `max` goes over the list that `cv2.findContours` returns.

    Returns:
        Area and perimeter 0 where a mask has no foreground.
    """
    return Contours(*_measure(masks.counts, masks.starts, masks.line_lengths, masks.by_row))
