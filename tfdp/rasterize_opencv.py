"""Polygons drawn as `cv2.fillPoly` draws them (OpenCV 4.11 and later), vertices truncated to int32.

fillPoly draws two things, part by part, and the mask is the union of all:

- every edge as an 8-connected line: one pixel a step along the longer axis, walked from left to
  right, the other coordinate rounded to the nearest pixel (a half goes back to the start's side);
- between the edges, by even-odd rule: in each row, the crossings of the edges' 16.16 fixed-point x,
  sorted, are paired, and a pair fills the pixels from ceil(left) to floor(right).

An edge that leaves the frame is clipped first, and both its line and its slope are the clipped ones'.

Both come as *spans* [left, right) of rows. From row to row, the places where the union of the spans
differs are the mask's toggles: so a row costs its spans, not its pixels, and no canvas is drawn on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiled import compiled
from .toggles import append_runs, grown, order_toggles, sort_by_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .toggles import Ints

ONE = 1 << 16  # of the fixed-point numbers


@compiled
def _divide(a: int, b: int) -> int:
    """The quotient rounded toward zero, as C divides."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


@compiled
def _outside(x: int, y: int, height: int, width: int) -> int:
    """The sides of the frame that a point lies beyond, one bit each: left, right, above, below."""
    return (x < 0) + 2 * (x >= width) + 4 * (y < 0) + 8 * (y >= height)


@compiled
def _clip(
    x0: int, y0: int, x1: int, y1: int, height: int, width: int
) -> tuple[int, int, int, int, bool]:
    """Clips an edge to the frame, in integers; the last value says whether anything is left.

    An edge that misses the frame may come back moved; that, too, is as in `cv2.clipLine`.
    """
    beyond0, beyond1 = _outside(x0, y0, height, width), _outside(x1, y1, height, width)
    if beyond0 & beyond1 == 0 and beyond0 | beyond1 != 0:
        if beyond0 & 12:
            y = 0 if beyond0 & 4 else height - 1
            x0, y0 = x0 + _divide((y - y0) * (x1 - x0), y1 - y0), y
            beyond0 = _outside(x0, y0, height, width)
        if beyond1 & 12:
            y = 0 if beyond1 & 4 else height - 1
            x1, y1 = x1 + _divide((y - y1) * (x1 - x0), y1 - y0), y
            beyond1 = _outside(x1, y1, height, width)
        if beyond0 & beyond1 == 0 and beyond0 | beyond1 != 0:
            if beyond0:
                x = 0 if beyond0 == 1 else width - 1
                x0, y0 = x, y0 + _divide((x - x0) * (y1 - y0), x1 - x0)
                beyond0 = 0
            if beyond1:
                x = 0 if beyond1 == 1 else width - 1
                x1, y1 = x, y1 + _divide((x - x1) * (y1 - y0), x1 - x0)
                beyond1 = 0
    return x0, y0, x1, y1, beyond0 | beyond1 == 0


@compiled
def _draw_line(
    x0: int, y0: int, x1: int, y1: int, rows: Ints, spans: Ints, num: int
) -> int:
    """Appends a line's span in each of its rows; returns the new number of spans."""
    if x0 > x1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    dx, dy = x1 - x0, abs(y1 - y0)
    down = 1 if y1 > y0 else -1
    left = x0
    for step in range(dy + 1):
        if dx >= dy:  # the last x that rounds to this row
            right = min(x1, x0 + (2 * step + 1) * dx // (2 * dy)) if dy > 0 else x1
            rows[num], spans[num] = y0 + down * step, left << 32 | (right + 1)
            left = right + 1
        else:
            x = x0 + (2 * dx * step + dy - 1) // (2 * dy)
            rows[num], spans[num] = y0 + down * step, x << 32 | (x + 1)
        num += 1
    return num


@compiled
def _draw_part(
    xy: NDArray[np.float64],
    height: int,
    width: int,
    rows: Ints,
    spans: Ints,
    num: int,
    crossed_rows: Ints,
    crossings: Ints,
    ordered: Ints,
    row_ends: Ints,
) -> int:
    """Appends the spans of one part; returns their new number."""
    num_crossings = 0
    x0, y0 = int(xy[-1, 0]), int(xy[-1, 1])
    for k in range(len(xy)):
        x1, y1 = int(xy[k, 0]), int(xy[k, 1])
        cx0, cy0, cx1, cy1, visible = _clip(x0, y0, x1, y1, height, width)
        if visible:
            num = _draw_line(cx0, cy0, cx1, cy1, rows, spans, num)
        if y0 != y1:
            if cy0 == cy1:  # clipped to nothing, or to one row: the slope is the whole edge's
                cy0, cy1 = y0, y1
            slope = _divide((cx1 - cx0) * ONE, cy1 - cy0)
            x, y = (cx0, cy0) if y0 < y1 else (cx1, cy1)
            for row in range(max(min(y0, y1), 0), min(max(y0, y1), height)):
                crossed_rows[num_crossings] = row
                crossings[num_crossings] = x * ONE + (row - y) * slope
                num_crossings += 1
        x0, y0 = x1, y1
    if num_crossings > 0:
        row = sort_by_line(crossed_rows, crossings, num_crossings, ordered, row_ends)
        k = i = 0
        while k < num_crossings:
            while row_ends[i] <= k:
                i += 1
            left = max((ordered[k] + ONE - 1) >> 16, 0)
            right = min((ordered[k + 1] >> 16) + 1, width)
            if left < right:
                rows[num], spans[num] = row + i, left << 32 | right
                num += 1
            k += 2
    return num


@compiled
def _unite(spans: Ints, edges: Ints) -> int:
    """Unites a row's sorted spans; writes where the row changes; returns the number of changes."""
    num = 0
    for span in spans:
        left, right = span >> 32, span & 0xFFFFFFFF
        if num > 0 and left <= edges[num - 1]:
            edges[num - 1] = max(edges[num - 1], right)
        else:
            edges[num], edges[num + 1] = left, right
            num += 2
    return num


@compiled
def _toggle_differences(
    above: Ints, num_above: int, edges: Ints, num_edges: int, y: int, height: int, xs: Ints, places: Ints, num: int, limit: int
) -> int:
    """Appends a toggle for each pixel at which two rows differ; returns the new number of toggles."""
    i = j = 0
    differ = False
    start = 0
    while i < num_above or j < num_edges:
        if j == num_edges or (i < num_above and above[i] < edges[j]):
            x = above[i]
            i += 1
        elif i == num_above or edges[j] < above[i]:
            x = edges[j]
            j += 1
        else:
            i += 1
            j += 1
            continue
        if differ:
            if num + x - start > limit:
                return limit + 1
            for column in range(start, x):
                xs[num], places[num] = column, column * height + y
                num += 1
        start = x
        differ = not differ
    return num


@compiled
def draw_opencv(
    xy: NDArray[np.float64],
    part_starts: Ints,
    mask_starts: Ints,
    heights: Ints,
    widths: Ints,
    outlines: Ints,
) -> tuple[NDArray[np.uint32], Ints]:
    """Draws every mask whose outline is > 0, and leaves the others without counts.

    Args:
        outlines: (N,) px; no less than the rows and columns that all edges of a mask cross.
        xy, part_starts, mask_starts, heights, widths: as in `rasterize_polygons`.

    Returns:
        counts and starts, as in `MaskRuns`.
    """
    longest, largest = 1, 1
    for j in range(len(heights)):
        if outlines[j] > 0:
            longest, largest = max(longest, outlines[j]), max(largest, heights[j], widths[j])
    crossed_rows, crossings = np.empty((2, longest), np.int64)
    rows, spans, ordered, above, edges = np.empty((5, 2 * longest), np.int64)
    line_ends = np.empty(largest + 2, np.int64)
    xs, places, ordered_places = np.empty((3, 1024), np.int64)
    column_ends = np.empty(largest + 2, np.int64)
    counts = np.empty(1024, np.uint32)
    starts = np.zeros(len(heights) + 1, np.int64)
    used = 0
    for j in range(len(heights)):
        if outlines[j] > 0:
            height, width = heights[j], widths[j]
            num_spans = 0
            for part in range(mask_starts[j], mask_starts[j + 1]):
                vertices = xy[part_starts[part] : part_starts[part + 1]]
                num_spans = _draw_part(vertices, height, width, rows, spans, num_spans, crossed_rows, crossings, ordered, line_ends)
            num = num_above = 0
            if num_spans > 0:
                first = sort_by_line(rows, spans, num_spans, ordered, line_ends)
                start = i = 0
                while start < num_spans:
                    row_spans = ordered[start : line_ends[i]]
                    num_edges = _unite(row_spans, edges)
                    size = num + 4000
                    xs, places = grown(xs, num, size), grown(places, num, size)
                    num = _toggle_differences(above, num_above, edges, num_edges, first + i, height, xs, places, num, len(xs))
                    above, edges = edges, above
                    num_above = num_edges
                    start = line_ends[i]
                    i += 1
                num = _toggle_differences(above, num_above, edges, 0, first + i, height, xs, places, num, len(xs))
            ordered_places = grown(ordered_places, 0, num)
            num = order_toggles(xs, places, num, ordered_places, column_ends)
            counts = grown(counts, used, used + num + 1)
            used = append_runs(counts, used, ordered_places, num, height * width)
        starts[j + 1] = used
    return counts[:used].copy(), starts
