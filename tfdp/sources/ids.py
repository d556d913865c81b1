"""The ids of images, entries and classes: columns of them, and that each is there once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import object_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .source import Id


def as_id_array(ids: Sequence[Id]) -> NDArray[Any]:
    """A column of ids: int64 where all are integers, else Python objects."""
    if set(map(type, ids)) <= {int}:
        return np.array(ids, np.int64)
    return object_array(list(ids))


def check_unique(source: object, kind: str, ids: NDArray[Any]) -> None:
    """Refuses a source in which two entries go by one id."""
    if ids.dtype == object:
        repeated = [i for i, times in Counter(ids.tolist()).items() if times > 1]
    else:
        ordered = np.sort(ids)
        repeated = ordered[1:][ordered[1:] == ordered[:-1]].tolist()
    if repeated:
        raise ValueError(
            f"{source} has several {kind} with the id {repeated[0]!r}, and {len(repeated)} such "
            "ids in all; every id must be there once"
        )
