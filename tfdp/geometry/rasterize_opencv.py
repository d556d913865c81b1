"""Polygons drawn as `cv2.fillPoly` draws them (OpenCV 4.11 and later), vertices truncated to int32.

fillPoly draws two things, part by part, and the mask is the union of all:

- every edge as an 8-connected line: one pixel a step along the longer axis, walked from left to
  right, the other coordinate rounded to the nearest pixel (a half goes back to the start's side);
- between the edges, by even-odd rule: in each row, the crossings of the edges' 16.16 fixed-point x,
  sorted, are paired, and a pair fills the pixels from ceil(left) to floor(right).

An edge that leaves the frame is clipped first, and its line and slope are the clipped edge's.

Here, both are *spans* [left, right) of rows. An edge inside the frame needs only its line's spans:
a line covers the pixels on either side of its own crossing, so everything from one crossing line to
the next is filled. Rows are united span by span: the work grows with the outline, not the frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiled import compiled, inner
from .opencv_edges import ONE, clip, divide, draw_crossings, draw_line
from .toggles import add_toggle, append_runs, grown, sort_by_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .toggles import Ints


@inner
def _draw_part(
    xy: NDArray[np.float64],
    part: int,
    height: int,
    width: int,
    rows: Ints,
    spans: Ints,
    num: int,
) -> int:
    """Appends the spans of one part; returns their new number."""
    x0, y0 = int(xy[-1, 0]), int(xy[-1, 1])
    for k in range(len(xy)):
        x1, y1 = int(xy[k, 0]), int(xy[k, 1])
        cx0, cy0, cx1, cy1, visible = clip(x0, y0, x1, y1, height, width)
        # in 2**15 rows, a fixed-point crossing may drift half a pixel off the line: then draw both
        whole = cx0 == x0 and cy0 == y0 and cx1 == x1 and cy1 == y1 and abs(y1 - y0) < ONE // 2
        if visible:
            num = draw_line(cx0, cy0, cx1, cy1, part, whole, rows, spans, num)
        if y0 != y1 and not (visible and whole):
            if cy0 == cy1:  # clipped to nothing, or to one row: the slope is the whole edge's
                cy0, cy1 = y0, y1
            slope = divide((cx1 - cx0) * ONE, cy1 - cy0)
            x, y = (cx0, cy0) if y0 < y1 else (cx1, cy1)
            first, stop = max(min(y0, y1), 0), min(max(y0, y1), height)
            num = draw_crossings(x, y, slope, first, stop, width, part, rows, spans, num)
        x0, y0 = x1, y1
    return num


@inner
def _unite_row(
    spans: Ints, row_start: int, inside: NDArray[np.bool_], toggles: Ints, num: int
) -> int:
    """Unites a row's sorted spans, with all that lies between two crossings, into toggles.

    Returns:
        The new number of toggles.
    """
    start = stop = -1
    num_inside = 0  # parts that have been crossed once, so that the row runs inside of them
    for span in spans:
        left, right = span >> 42, (span >> 21) & 0x1FFFFF
        if num_inside == 0 and left > stop:
            if start < stop:
                num = add_toggle(toggles, num, row_start + start)
                num = add_toggle(toggles, num, row_start + stop)
            start, stop = left, right
        stop = max(stop, right)
        if span & 1:
            part = (span >> 1) & 0xFFFFF
            num_inside += -1 if inside[part] else 1
            inside[part] = not inside[part]
    if start < stop:
        num = add_toggle(toggles, num, row_start + start)
        num = add_toggle(toggles, num, row_start + stop)
    return num


@inner
def _draw_mask(
    xy: NDArray[np.float64],
    part_starts: Ints,
    height: int,
    width: int,
    rows: Ints,
    spans: Ints,
    ordered: Ints,
    row_stops: Ints,
    inside: NDArray[np.bool_],
    toggles: Ints,
) -> int:
    """Writes the toggles of one mask; returns their number."""
    num_spans = 0
    for part in range(len(part_starts) - 1):
        vertices = xy[part_starts[part] : part_starts[part + 1]]
        num_spans = _draw_part(vertices, part, height, width, rows, spans, num_spans)
    if num_spans == 0:
        return 0
    first_row = sort_by_line(rows, spans, num_spans, ordered, row_stops)
    num = start = row = 0
    while start < num_spans:
        stop = row_stops[row]
        num = _unite_row(ordered[start:stop], (first_row + row) * width, inside, toggles, num)
        start = stop
        row += 1
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
    """Draws the masks whose outline is > 0, by rows; the others get no counts.

    Takes what `rasterize_polygons` takes, and for each mask its outline: no less than the number of
    rows that all its edges touch together. Returns counts and starts, as in `MaskRuns`.
    """
    longest, highest = 1, 1
    for j in range(len(heights)):
        if outlines[j] > 0:
            longest, highest = max(longest, outlines[j]), max(highest, heights[j])
    # an edge has at most one span for its line and one for its crossing in each row that it touches
    rows, spans = np.empty(2 * longest, np.int64), np.empty(2 * longest, np.int64)
    ordered, row_stops = np.empty(2 * longest, np.int64), np.empty(highest + 1, np.int64)
    toggles, inside = np.empty(4 * longest, np.int64), np.zeros(longest, np.bool_)
    counts = np.empty(1024, np.uint32)
    starts = np.zeros(len(heights) + 1, np.int64)
    used = 0
    for j in range(len(heights)):
        if outlines[j] > 0:
            num = _draw_mask(
                xy,
                part_starts[mask_starts[j] : mask_starts[j + 1] + 1],
                heights[j],
                widths[j],
                rows,
                spans,
                ordered,
                row_stops,
                inside,
                toggles,
            )
            counts = grown(counts, used, used + num + 1)
            used = append_runs(counts, used, toggles, num, heights[j] * widths[j])
        starts[j + 1] = used
    return counts[:used].copy(), starts
