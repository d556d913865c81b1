"""Polygons straight from their JSON text, to the bit as Python's own float would read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..geometry.compiled import compiled, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Text = NDArray[np.uint8]
    Spans = NDArray[np.int64]  # (n, 2), the start and the end of each

_OPEN, _CLOSE, _COMMA, _SPACE = ord("["), ord("]"), ord(","), ord(" ")
_ZERO, _NINE, _DOT, _MINUS = ord("0"), ord("9"), ord("."), ord("-")
_MAX_EXACT = 2**53  # up to here a float holds every integer
_POWERS = 10.0 ** np.arange(19)  # exact as well (up to 10**22)
_MIN_NUMBERS = 6  # of a part: three points


@inner
def _read_number(text: Text, i: int, end: int) -> tuple[float, int]:
    """The plain decimal number at i and its end; -1 for the end where it is not exactly read."""
    start = i
    negative = text[i] == _MINUS
    if negative:
        i += 1
    digits = np.int64(0)
    while i < end and _ZERO <= text[i] <= _NINE:
        digits = 10 * digits + (text[i] - _ZERO)
        i += 1
    decimals = 0
    if i < end and text[i] == _DOT:
        i += 1
        point = i
        while i < end and _ZERO <= text[i] <= _NINE:
            digits = 10 * digits + (text[i] - _ZERO)
            i += 1
        decimals = i - point
    if i - start > 19 or digits > _MAX_EXACT:  # below 19 digits, the integer has not overflowed
        return 0.0, -1
    number = digits / _POWERS[decimals]
    return -number if negative else number, i


@compiled
def read_polygons(
    text: Text, spans: Spans
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Reads lists of lists of plain decimal numbers from a text that is JSON.

    The digits of a number, as an integer, are divided by a power of ten. Both are exact floats, and
    a division is rounded correctly, so that the quotient is the float nearest to the number. A
    number for which that does not hold (more digits, an exponent) is left to the caller, with the
    whole value that it is in, like everything that is no polygon: odd, short or nested parts.

    Args:
        text: the text.
        spans: (n, 2) spans of the values.

    Returns:
        (V, 2) vertices, (P + 1,) part starts, (n + 1,) mask starts, as `rasterize_polygons` takes
        them, and (n,) bool, False where the value was left: it has no part then.
    """
    capacity = (spans[:, 1] - spans[:, 0]).sum() // 2 + 1  # a number and its comma take two bytes
    numbers = np.empty(capacity, np.float64)
    part_starts = np.empty(capacity + 1, np.int64)  # memory that is not touched costs nothing
    part_starts[0] = 0
    mask_starts = np.zeros(len(spans) + 1, np.int64)
    plain = np.ones(len(spans), np.bool_)
    num = num_parts = 0
    for row in range(len(spans)):
        i, end = spans[row, 0], spans[row, 1]
        first, first_part = num, num_parts
        depth = 0
        good = True
        while good and i < end:
            code = text[i]
            if code == _COMMA or code <= _SPACE:
                i += 1
            elif code == _OPEN:
                depth += 1
                good = depth <= 2
                i += 1
            elif code == _CLOSE:
                if depth == 2:
                    length = num - 2 * part_starts[num_parts]
                    good = length >= _MIN_NUMBERS and length % 2 == 0
                    num_parts += 1
                    part_starts[num_parts] = num // 2
                depth -= 1
                i += 1
            elif depth == 2 and (code == _MINUS or _ZERO <= code <= _NINE):
                numbers[num], i = _read_number(text, i, end)
                good = i >= 0
                num += 1
            else:
                good = False
        if not good:
            num, num_parts = first, first_part
            plain[row] = False
        mask_starts[row + 1] = num_parts
    return (
        numbers[:num].copy().reshape(-1, 2),
        part_starts[: num_parts + 1].copy(),
        mask_starts,
        plain,
    )


@compiled
def find_far_outside(
    xy: NDArray[np.float64],
    part_starts: NDArray[np.int64],
    mask_starts: NDArray[np.int64],
    heights: NDArray[np.int64],
    widths: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """(n,) whether a mask has a vertex farther outside of its frame than the frame is wide or high.

    The arguments are those of `rasterize_polygons`.
    """
    far = np.zeros(len(heights), np.bool_)
    for row in range(len(heights)):
        width, height = np.float64(widths[row]), np.float64(heights[row])
        for k in range(part_starts[mask_starts[row]], part_starts[mask_starts[row + 1]]):
            inside = -width <= xy[k, 0] <= 2 * width and -height <= xy[k, 1] <= 2 * height
            far[row] |= not inside
    return far
