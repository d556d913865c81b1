"""Area and perimeter of a mask's primary contour, from its runs alone.

A contour walks through pixel centres. Cut it along the columns and every piece of it lies between
two neighbouring columns x and x + 1, where only the vertical segments (runs cut at the column's
foot) of those two columns decide how it goes:

      x  x+1           x  x+1           x  x+1           x  x+1
      .   .            .   .            #   .            .   .
      #---#  level     #   .            |\\               #   .  a segment that
      #   #            |               #  .  gap        |      touches nothing:
      #   #            #   .            .\\ #  between    #   .  its two ends are
      #   #              \\            ./ #  two ends   |      joined by a
      #   #            #   #  step      #   .            #   .  vertical line
      .   .

- A *level* step goes straight, 1 px. A *step* from row a to row b goes |a - b| - 1 px straight, down
  the longer side, and once diagonally, sqrt(2) px: so the perimeter is straight + sqrt(2) diagonal.
- The shoelace area is the sum over all steps of the height of their middle, counted + where
  foreground lies above the step (a bottom end) and - where it lies below (a top end). Twice the height
  of a middle is an integer: a + b for a level step, 2 max(a, b) - 1 for a diagonal at a top end,
  2 min(a, b) + 1 at a bottom end.

Every segment has two *ends*, its top and its bottom pixel. On either side, the contour goes on from
an end to exactly one other end: to the facing end of the touching segments in the next column, or
back to an end of its own column. So the contours are closed chains of ends, and one sweep over the
columns strings them together. While the sweep is between two columns, every contour it has cut is a
set of open chains; a chain is known by its two open ends, each of which holds its *mate* and its
share of the sums. Joining two ends merges two chains, or closes one: then a contour is complete.

Segments touch when they overlap or meet at a corner (8-connected foreground). So:

- a contour round a component counts its area positive, one round a hole negative (a bottom end
  is above a top end there), and no hole has area 0: holes are told by their sign alone;
- a component inside a hole is smaller than the contour round that hole, so the contour of largest
  area is always an external one, and neither holes nor nesting need any further thought.

The same sums, counted by 2x2 pixel quads of the filled component: A = Q4 + Q3 / 2 and
P = Q2 + sqrt(2) (Q3 + 2 QD), with Q2 two foreground pixels side by side and QD two on a diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .masks import MaskRuns

    _Ints = NDArray[np.int64]

# a segment of a column: its first and last row, and the chain ends that leave it there
TOP, BOTTOM, TOP_END, BOTTOM_END = 0, 1, 2, 3
# an open end of a chain: the chain's other end, and this end's share of the chain's sums
MATE, AREA2, STRAIGHT, DIAGONAL, FIRST = 0, 1, 2, 3, 4


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


@compiled
def _start_chain(ends: _Ints, new: int, area2: int, straight: int, diagonal: int, first: int) -> None:
    """Starts a chain with the open ends ``new`` and ``new + 1``."""
    ends[new, MATE], ends[new + 1, MATE] = new + 1, new
    ends[new, AREA2], ends[new + 1, AREA2] = area2, 0
    ends[new, STRAIGHT], ends[new + 1, STRAIGHT] = straight, 0
    ends[new, DIAGONAL], ends[new + 1, DIAGONAL] = diagonal, 0
    ends[new, FIRST], ends[new + 1, FIRST] = first, first


@compiled
def _join_chains(
    ends: _Ints, a: int, b: int, area2: int, straight: int, diagonal: int, largest: _Ints
) -> None:
    """Joins the chains at their open ends a and b; one that joins itself is a whole contour."""
    area2 += ends[a, AREA2] + ends[b, AREA2]
    straight += ends[a, STRAIGHT] + ends[b, STRAIGHT]
    diagonal += ends[a, DIAGONAL] + ends[b, DIAGONAL]
    first = min(ends[a, FIRST], ends[b, FIRST])
    mate_a, mate_b = ends[a, MATE], ends[b, MATE]
    if mate_a != b:
        ends[mate_a, MATE], ends[mate_b, MATE] = mate_b, mate_a
        ends[mate_a, AREA2] += area2
        ends[mate_a, STRAIGHT] += straight
        ends[mate_a, DIAGONAL] += diagonal
        ends[mate_a, FIRST] = min(ends[mate_a, FIRST], first)
    elif area2 > largest[AREA2] or (area2 == largest[AREA2] and first > largest[FIRST]):
        largest[AREA2] = area2
        largest[STRAIGHT] = straight
        largest[DIAGONAL] = diagonal
        largest[FIRST] = first


@compiled
def _step_at_top(ends: _Ints, end: int, a: int, b: int) -> None:
    """Moves an open end from a top at row a to the touching segment's top at row b."""
    if a == b:
        ends[end, STRAIGHT] += 1
        ends[end, AREA2] -= 2 * a
    else:
        ends[end, STRAIGHT] += abs(a - b) - 1
        ends[end, DIAGONAL] += 1
        ends[end, AREA2] -= 2 * max(a, b) - 1


@compiled
def _step_at_bottom(ends: _Ints, end: int, a: int, b: int) -> None:
    """Moves an open end from a bottom at row a to the touching segment's bottom at row b."""
    if a == b:
        ends[end, STRAIGHT] += 1
        ends[end, AREA2] += 2 * a
    else:
        ends[end, STRAIGHT] += abs(a - b) - 1
        ends[end, DIAGONAL] += 1
        ends[end, AREA2] += 2 * min(a, b) + 1


@compiled
def _link_columns(
    left: _Ints, num_left: int, right: _Ints, num_right: int, x: int, ends: _Ints, num_ends: int, largest: _Ints
) -> int:
    """Strings the contours from the segments of one column to those of the next, column x.

    Returns:
        The number of ends in use.
    """
    i = j = 0
    while i < num_left or j < num_right:
        if j == num_right or (i < num_left and left[i, BOTTOM] + 1 < right[j, TOP]):
            # left i touches nothing on the right
            _join_chains(
                ends, left[i, TOP_END], left[i, BOTTOM_END], 0, left[i, BOTTOM] - left[i, TOP], 0, largest
            )
            i += 1
            continue
        if i == num_left or right[j, BOTTOM] + 1 < left[i, TOP]:
            # right j touches nothing on the left
            first = (right[j, TOP] << 32) + x
            _start_chain(ends, num_ends, 0, right[j, BOTTOM] - right[j, TOP], 0, first)
            right[j, TOP_END], right[j, BOTTOM_END] = num_ends, num_ends + 1
            num_ends += 2
            j += 1
            continue
        # a cluster of touching segments starts: through its tops, gap by gap, out at its bottoms
        end = left[i, TOP_END]
        _step_at_top(ends, end, left[i, TOP], right[j, TOP])
        if right[j, TOP] < left[i, TOP]:
            ends[end, FIRST] = min(ends[end, FIRST], (right[j, TOP] << 32) + x)
        right[j, TOP_END] = end
        while True:
            if left[i, BOTTOM] < right[j, BOTTOM]:
                if i + 1 == num_left or left[i + 1, TOP] > right[j, BOTTOM] + 1:
                    break
                gap = left[i + 1, TOP] - left[i, BOTTOM] - 1
                _join_chains(
                    ends, left[i, BOTTOM_END], left[i + 1, TOP_END], -2 * gap, gap - 1, 2, largest
                )
                i += 1
            else:
                if j + 1 == num_right or right[j + 1, TOP] > left[i, BOTTOM] + 1:
                    break
                gap = right[j + 1, TOP] - right[j, BOTTOM] - 1
                _start_chain(ends, num_ends, -2 * gap, gap - 1, 2, (right[j + 1, TOP] << 32) + x)
                right[j, BOTTOM_END], right[j + 1, TOP_END] = num_ends, num_ends + 1
                num_ends += 2
                j += 1
        end = left[i, BOTTOM_END]
        _step_at_bottom(ends, end, left[i, BOTTOM], right[j, BOTTOM])
        right[j, BOTTOM_END] = end
        i += 1
        j += 1
    return num_ends


@compiled
def _sweep(counts: NDArray[np.uint32], height: int, left: _Ints, right: _Ints, ends: _Ints, largest: _Ints) -> int:
    """Sweeps a mask's columns; leaves the largest contour's sums in ``largest``.

    Returns:
        The number of foreground pixels.
    """
    num_ends = num_left = num_right = 0
    pixel_area = x = 0
    column_start = position = np.int64(0)
    foreground = False
    for count in counts:
        run_end = position + np.int64(count)
        if foreground:
            pixel_area += np.int64(count)
            while position < run_end:
                if position >= column_start + height:
                    num_ends = _link_columns(left, num_left, right, num_right, x, ends, num_ends, largest)
                    left, right = right, left
                    num_left, num_right = num_right, 0
                    skipped = (position - column_start) // height
                    if skipped > 1:
                        num_ends = _link_columns(left, num_left, right, 0, x + 1, ends, num_ends, largest)
                        num_left = 0
                    x += skipped
                    column_start += skipped * height
                segment_end = min(run_end, column_start + height)
                top, bottom = position - column_start, segment_end - column_start - 1
                if num_right > 0 and right[num_right - 1, BOTTOM] + 1 == top:
                    right[num_right - 1, BOTTOM] = bottom  # across a background run of length 0
                else:
                    right[num_right, TOP], right[num_right, BOTTOM] = top, bottom
                    num_right += 1
                position = segment_end
        position = run_end
        foreground = not foreground
    num_ends = _link_columns(left, num_left, right, num_right, x, ends, num_ends, largest)
    _link_columns(right, num_right, left, 0, x + 1, ends, num_ends, largest)
    return pixel_area


@compiled
def _measure(
    counts: NDArray[np.uint32],
    starts: _Ints,
    heights: _Ints,
    area: NDArray[np.float64],
    perimeter: NDArray[np.float64],
    pixel_area: _Ints,
) -> None:
    longest = 0
    for j in range(len(heights)):
        longest = max(longest, starts[j + 1] - starts[j])
    # a column holds at most one segment a run, and a run starts at most two chains (see `_sweep`)
    left = np.empty((longest + 1, 4), np.int64)
    right = np.empty((longest + 1, 4), np.int64)
    ends = np.empty((2 * longest + 4, 5), np.int64)
    largest = np.empty(5, np.int64)
    for j in range(len(heights)):
        largest[:] = 0
        largest[FIRST] = -1
        pixel_area[j] = _sweep(counts[starts[j] : starts[j + 1]], heights[j], left, right, ends, largest)
        area[j] = largest[AREA2] / 2
        perimeter[j] = largest[STRAIGHT] + np.sqrt(2.0) * largest[DIAGONAL]


def measure_contours(masks: MaskRuns) -> Contours:
    """Measures the primary contour of every mask; 0, 0 where there is no foreground."""
    area, perimeter = np.empty((2, len(masks)))
    pixel_area = np.empty(len(masks), np.int64)
    _measure(masks.counts, masks.starts, masks.heights, area, perimeter, pixel_area)
    return Contours(area, perimeter, pixel_area)
