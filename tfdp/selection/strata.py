"""Coverage-centric selection (CCS, Zheng et al. 2023): draws from all strata of the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NUM_STRATA = 50


def assign_strata(scores: NDArray[np.float64], num_strata: int = NUM_STRATA) -> NDArray[np.int64]:
    """(I,) stratum of each score: the range from lowest to highest, cut into equal widths.

    The highest score belongs to the last stratum; scores that are all equal to the first.
    """
    low, high = scores.min(), scores.max()
    if high == low:
        return np.zeros(len(scores), np.int64)
    position = (scores - low) / (high - low) * num_strata
    return np.minimum(position.astype(np.int64), num_strata - 1)


def allocate(budget: int, sizes: Sequence[int]) -> list[int]:
    """How many to draw from each stratum (CCS, algorithm 1).

    From the smallest stratum up, each gets min(its size, rest of the budget // strata left), so
    that what small strata can't use goes to larger ones: ``allocate(6, [10, 1, 2]) == [3, 1, 2]``.
    """
    allocation = [0] * len(sizes)
    by_size = sorted(range(len(sizes)), key=lambda stratum: sizes[stratum])
    for position, stratum in enumerate(by_size):
        share = budget // (len(sizes) - position)
        allocation[stratum] = min(sizes[stratum], share)
        budget -= allocation[stratum]
    return allocation


def select_stratified(
    scores: NDArray[np.float64], budget: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Rows of ``budget`` of the (I,) scores, drawn at random from all strata."""
    if budget == 0:
        return np.empty(0, np.int64)
    stratum = assign_strata(scores)
    members = [np.flatnonzero(stratum == s) for s in range(NUM_STRATA)]
    allocation = allocate(budget, [len(rows) for rows in members])
    drawn = [
        rng.choice(rows, count, replace=False)
        for rows, count in zip(members, allocation, strict=True)
    ]
    return np.sort(np.concatenate(drawn))
