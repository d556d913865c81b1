"""A floor of instances for each class: the images that it needs, before any other is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..scores.contents import Contents


def select_class_floor(
    contents: Contents, kept: NDArray[np.bool_], ranking: NDArray[np.int64], min_per_class: int
) -> NDArray[np.int64]:
    """The images that lift every class to its floor, best first.

    Rare classes go first; each takes, best first, the images that hold it, until it has its floor
    or, where the class has fewer instances than that, all of them. Images taken for one class count
    for all that they hold. It is greedy, so that a smaller set of images may exist.

    Args:
        contents: what the I images hold.
        kept: (I,) bool, the images that are kept anyway.
        ranking: rows of the images that may be taken, best first.
        min_per_class: the floor.

    Returns:
        Rows of the images taken, in the order of ``ranking``.
    """
    if min_per_class == 0:
        return ranking[:0]
    kept = kept.copy()
    frequency = np.bincount(contents.category_index, minlength=len(contents.category_names))
    for category in np.argsort(frequency, kind="stable"):
        members = contents.image_index[contents.category_index == category]
        per_image = np.bincount(members, minlength=contents.num_images)
        missing = min_per_class - int(per_image[kept].sum())
        if missing > 0:
            holders = ranking[(per_image[ranking] > 0) & ~kept[ranking]]
            enough = np.searchsorted(np.cumsum(per_image[holders]), missing) + 1
            kept[holders[:enough]] = True
    return ranking[kept[ranking]]


def largest_class_floor(
    contents: Contents, kept: NDArray[np.bool_], ranking: NDArray[np.int64], budget: int
) -> int:
    """The largest ``min_per_class`` that takes no more than ``budget`` images."""
    low, high = 0, int(np.bincount(contents.category_index, minlength=1).max())
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(select_class_floor(contents, kept, ranking, middle)) <= budget
        low, high = (middle, high) if fits else (low, middle - 1)
    return low
