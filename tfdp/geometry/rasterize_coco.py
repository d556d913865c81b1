"""Polygons drawn as pycocotools draws them.

pycocotools scales a polygon by 5, rounds its vertices to integers and walks every edge in steps of
1: along x where the edge is flat (y is rounded), along y where it is steep (x is rounded). Pixel
column k owns the scaled columns 5 k to 5 k + 4. A step from the middle one, 5 k + 2, to the next,
or back, crosses column k; there the mask toggles, at the first row whose middle, 5 row + 2, is not
above the step's smaller y:

    scaled column   5k        5k+2 5k+3      5k+5
                     .    .    o____o    .    |
                     column k: toggle at row ceil((y - 2) / 5)

Only these crossings count, one for each column that an edge spans. They are computed one by one in
the walk's own arithmetic, and the walk is never taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiled import compiled, inner
from .toggles import add_toggle, append_runs, grown, sort, sort_by_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .toggles import Ints


@inner
def _last_before(x: int, slope: float, middle: int, steps: int) -> int:
    """The last step of a steep edge before its rounded x passes ``middle``, on to or back from it.

    The x of step t is int(x + slope t + 0.5), as pycocotools rounds it.
    """
    t = min(max(int((middle + 0.5 - x) / slope), 0), steps - 1)
    rising = slope > 0
    while (int(x + slope * t + 0.5) > middle) == rising:
        t -= 1
    while (int(x + slope * (t + 1) + 0.5) > middle) != rising:
        t += 1
    return t


@inner
def _cross_columns(
    x0: int,
    y0: int,
    x1: int,
    y1: int,
    height: int,
    width: int,
    columns: Ints,
    places: Ints,
    num: int,
) -> int:
    """Appends the toggles of one scaled edge; returns their new number."""
    if min(x0, x1) == max(x0, x1):
        return num
    flat = abs(x1 - x0) >= abs(y1 - y0)
    if (x0 > x1) if flat else (y0 > y1):
        x0, y0, x1, y1 = x1, y1, x0, y0
    slope = (y1 - y0) / (x1 - x0) if flat else (x1 - x0) / (y1 - y0)
    # columns k with min(x) <= 5 k + 2 < max(x)
    for column in range(max((min(x0, x1) + 2) // 5, 0), min((max(x0, x1) + 2) // 5, width)):
        middle = 5 * column + 2
        if flat:
            t = middle - x0
            v = min(int(y0 + slope * t + 0.5), int(y0 + slope * (t + 1) + 0.5))
        else:
            v = y0 + _last_before(x0, slope, middle, y1 - y0)
        columns[num] = column
        places[num] = column * height + min(max((v + 2) // 5, 0), height)
        num += 1
    return num


@inner
def _draw_part(
    xy: NDArray[np.float64],
    height: int,
    width: int,
    columns: Ints,
    places: Ints,
    ordered: Ints,
    column_stops: Ints,
) -> int:
    """Leaves the toggles of one part in ``ordered``; returns their number, which is even."""
    num = 0
    x0, y0 = int(5 * xy[-1, 0] + 0.5), int(5 * xy[-1, 1] + 0.5)
    for k in range(len(xy)):
        x1, y1 = int(5 * xy[k, 0] + 0.5), int(5 * xy[k, 1] + 0.5)
        num = _cross_columns(x0, y0, x1, y1, height, width, columns, places, num)
        x0, y0 = x1, y1
    if num == 0:
        return 0
    sort_by_line(columns, places, num, ordered, column_stops)
    kept = 0
    for k in range(num):
        kept = add_toggle(ordered, kept, ordered[k])
    return kept


@inner
def _unite(opens: Ints, closes: Ints, num: int, united: Ints) -> int:
    """Unites ``num`` intervals [open, close) into toggles; returns their number."""
    sort(opens[:num])
    sort(closes[:num])
    depth = i = kept = 0
    for j in range(num):
        while i < num and opens[i] <= closes[j]:
            if depth == 0:
                united[kept] = opens[i]
                kept += 1
            depth += 1
            i += 1
        depth -= 1
        if depth == 0:
            united[kept] = closes[j]
            kept += 1
    return kept


@compiled
def draw_coco(
    xy: NDArray[np.float64],
    part_starts: Ints,
    mask_starts: Ints,
    heights: Ints,
    widths: Ints,
    outlines: Ints,
) -> tuple[NDArray[np.uint32], Ints]:
    """Draws the masks whose outline is > 0, by columns; the others get no counts.

    Takes what `rasterize_polygons` takes, and for each mask its outline: no less than the number of
    columns that all its edges cross together. Returns counts and starts, as in `MaskRuns`.
    """
    longest, widest = 1, 1
    for j in range(len(heights)):
        if outlines[j] > 0:
            longest, widest = max(longest, outlines[j]), max(widest, widths[j])
    columns, places = np.empty(longest, np.int64), np.empty(longest, np.int64)
    opens, closes = np.empty(longest, np.int64), np.empty(longest, np.int64)
    toggles, column_stops = np.empty(longest, np.int64), np.empty(widest + 1, np.int64)
    counts = np.empty(1024, np.uint32)
    starts = np.zeros(len(heights) + 1, np.int64)
    used = 0
    for j in range(len(heights)):
        if outlines[j] > 0:
            height, width = heights[j], widths[j]
            num = intervals = 0
            for part in range(mask_starts[j], mask_starts[j + 1]):
                vertices = xy[part_starts[part] : part_starts[part + 1]]
                num = _draw_part(vertices, height, width, columns, places, toggles, column_stops)
                if mask_starts[j + 1] - mask_starts[j] > 1:
                    for k in range(0, num, 2):
                        opens[intervals], closes[intervals] = toggles[k], toggles[k + 1]
                        intervals += 1
            if mask_starts[j + 1] - mask_starts[j] > 1:
                num = _unite(opens, closes, intervals, toggles)
            counts = grown(counts, used, used + num + 1)
            used = append_runs(counts, used, toggles, num, height * width)
        starts[j + 1] = used
    return counts[:used].copy(), starts
