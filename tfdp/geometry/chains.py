"""Open chains of a contour that `contours` strings together: their ends, and how they grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .compiled import inner

if TYPE_CHECKING:
    from .toggles import Ints

# an open end: its mate, its share of the chain's sums (twice the area), its chain's first pixel
MATE, AREA2, STRAIGHT, DIAGONAL, FIRST = 0, 1, 2, 3, 4


@inner
def start(ends: Ints, new: int, area2: int, straight: int, diagonal: int, first: int) -> None:
    """Starts a chain with the open ends ``new`` and ``new + 1``."""
    ends[new, MATE], ends[new + 1, MATE] = new + 1, new
    ends[new, AREA2], ends[new + 1, AREA2] = area2, 0
    ends[new, STRAIGHT], ends[new + 1, STRAIGHT] = straight, 0
    ends[new, DIAGONAL], ends[new + 1, DIAGONAL] = diagonal, 0
    ends[new, FIRST], ends[new + 1, FIRST] = first, first


@inner
def join(
    ends: Ints, a: int, b: int, area2: int, straight: int, diagonal: int, largest: Ints
) -> None:
    """Joins the open ends a and b; where they are mates, their contour is complete."""
    mate_a, mate_b = ends[a, MATE], ends[b, MATE]
    area2 += ends[a, AREA2] + ends[b, AREA2]
    straight += ends[a, STRAIGHT] + ends[b, STRAIGHT]
    diagonal += ends[a, DIAGONAL] + ends[b, DIAGONAL]
    first = min(ends[a, FIRST], ends[b, FIRST])
    if mate_a != b:
        ends[mate_a, MATE], ends[mate_b, MATE] = mate_b, mate_a
        ends[mate_a, AREA2] += area2
        ends[mate_a, STRAIGHT] += straight
        ends[mate_a, DIAGONAL] += diagonal
        ends[mate_a, FIRST] = min(ends[mate_a, FIRST], first)
    elif area2 > largest[AREA2] or (area2 == largest[AREA2] and first > largest[FIRST]):
        largest[AREA2], largest[STRAIGHT], largest[DIAGONAL] = area2, straight, diagonal
        largest[FIRST] = first


@inner
def step(ends: Ints, end: int, a: int, b: int, middle2: int) -> None:
    """Moves an open end from row a to row b of the next column; adds twice the middle row."""
    ends[end, AREA2] += middle2
    ends[end, STRAIGHT] += abs(abs(a - b) - 1)
    ends[end, DIAGONAL] += a != b
