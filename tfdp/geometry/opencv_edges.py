"""The spans [left, right) of rows that one edge of a polygon draws, as `rasterize_opencv` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .compiled import inner

if TYPE_CHECKING:
    from .toggles import Ints

ONE = 1 << 16  # of the fixed-point numbers


@inner
def divide(a: int, b: int) -> int:
    """The quotient rounded toward zero, as C divides."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


@inner
def _outside(x: int, y: int, height: int, width: int) -> int:
    """The sides of the frame that a point lies beyond, one bit each: left, right, above, below."""
    return (x < 0) + 2 * (x >= width) + 4 * (y < 0) + 8 * (y >= height)


@inner
def clip(
    x0: int, y0: int, x1: int, y1: int, height: int, width: int
) -> tuple[int, int, int, int, bool]:
    """Clips an edge to the frame, in integers; the last value says whether anything is left.

    An edge that misses the frame may come back moved; that, too, is as in `cv2.clipLine`.
    """
    beyond0, beyond1 = _outside(x0, y0, height, width), _outside(x1, y1, height, width)
    if beyond0 & beyond1 == 0 and beyond0 | beyond1 != 0:
        if beyond0 & 12:
            y = 0 if beyond0 & 4 else height - 1
            x0, y0 = x0 + divide((y - y0) * (x1 - x0), y1 - y0), y
            beyond0 = _outside(x0, y0, height, width)
        if beyond1 & 12:
            y = 0 if beyond1 & 4 else height - 1
            x1, y1 = x1 + divide((y - y1) * (x1 - x0), y1 - y0), y
            beyond1 = _outside(x1, y1, height, width)
        if beyond0 & beyond1 == 0 and beyond0 | beyond1 != 0:
            if beyond0:
                x = 0 if beyond0 == 1 else width - 1
                x0, y0 = x, y0 + divide((x - x0) * (y1 - y0), x1 - x0)
                beyond0 = 0
            if beyond1:
                x = 0 if beyond1 == 1 else width - 1
                x1, y1 = x, y1 + divide((x - x1) * (y1 - y0), x1 - x0)
                beyond1 = 0
    return x0, y0, x1, y1, beyond0 | beyond1 == 0


@inner
def _pack(left: int, right: int, part: int, crosses: bool) -> int:
    """One integer for a span, so that spans sort by their left end."""
    return ((left << 21 | right) << 20 | part) << 1 | crosses


@inner
def draw_line(
    x0: int,
    y0: int,
    x1: int,
    y1: int,
    part: int,
    crosses: bool,
    rows: Ints,
    spans: Ints,
    num: int,
) -> int:
    """Appends a line's span in each of its rows; returns the new number of spans.

    Where the line ``crosses``, it does so in all its rows but the lowest.
    """
    if x0 > x1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    dx, dy = x1 - x0, abs(y1 - y0)
    if dy == 0:
        rows[num], spans[num] = y0, _pack(x0, x1 + 1, part, False)
        return num + 1
    # the last x of row k is x0 + floor((2 k + 1) dx / 2 dy) in a flat line, and its only x is
    # x0 + ceil(k dx / dy - 1/2) in a steep one: both are quotients by 2 dy that grow by 2 dx a row
    flat = dx >= dy
    quotient, remainder = divmod(dx if flat else dy - 1, 2 * dy)
    more_quotient, more_remainder = divmod(2 * dx, 2 * dy)
    row, down, lowest = y0, (1 if y1 > y0 else -1), max(y0, y1)
    left = x0
    for _ in range(dy + 1):
        right = min(x0 + quotient, x1)
        if not flat:
            left = right
        rows[num], spans[num] = row, _pack(left, right + 1, part, crosses and row != lowest)
        num += 1
        left = right + 1
        row += down
        quotient += more_quotient
        remainder += more_remainder
        if remainder >= 2 * dy:
            remainder -= 2 * dy
            quotient += 1
    return num


@inner
def draw_crossings(
    x: int,
    y: int,
    slope: int,
    first: int,
    stop: int,
    width: int,
    part: int,
    rows: Ints,
    spans: Ints,
    num: int,
) -> int:
    """Appends the crossings of rows first to stop by a fixed-point edge through (x, y)."""
    crossing = x * ONE + (first - y) * slope
    for row in range(first, stop):
        left = min(max((crossing + ONE - 1) >> 16, 0), width)
        right = min(max((crossing >> 16) + 1, 0), width)
        rows[num], spans[num] = row, _pack(left, right, part, True)
        num += 1
        crossing += slope
    return num
