"""Work in pieces, so that what is held at once is bounded by its size and not by its number."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import pairwise
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_large = RLock()


def in_pieces(sizes: NDArray[np.int64], limit: int) -> Iterator[slice]:
    """The slices of N items that are to be done at a time, in their order.

    A piece is no larger than ``limit`` and one more item. One that is larger than twice the limit,
    because of that item, is done by one thread of the process at a time, while the others wait:
    until the next piece is asked for, or the iterator closed, in the same thread.

    Args:
        sizes: (N,) >= 0, of each item.
        limit: of a piece's size.
    """
    before = np.cumsum(sizes) - sizes
    starts = np.flatnonzero(np.diff(before // limit, prepend=-1))
    for start, stop in pairwise([*starts.tolist(), len(sizes)]):
        with _large if sizes[start:stop].sum() > 2 * limit else nullcontext():
            yield slice(start, stop)
