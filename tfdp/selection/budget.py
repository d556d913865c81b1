"""How many images a selection keeps."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .criteria import Criteria


def floor_fraction(fraction: float, count: int) -> int:
    """floor(fraction x count), the fraction taken as the decimal number that it is written as.

    So 0.29 of 100 is 29, where the binary product is 28.999999999999996.
    """
    return math.floor(Fraction(repr(float(fraction))) * count)


def resolve_budget(criteria: Criteria, num_scored: int, pinned: int, free: int) -> int:
    """Number of scored images to keep, of which ``pinned`` are settled and ``free`` are open.

    Raises:
        ValueError: there are not as many; the message says what could be.
    """
    if criteria.pruning_rate is not None:
        budget = num_scored - floor_fraction(criteria.pruning_rate, num_scored)
    else:
        assert criteria.keep is not None
        budget = criteria.keep
        if not 1 <= budget <= num_scored:
            raise ValueError(
                f"keep must be 1 to {num_scored}, the number of scored images, but got {budget}"
            )
    if pinned > budget:
        raise ValueError(
            f"{pinned} scored images are pinned, but the budget is {budget}; "
            f"keep at least {pinned}, or pin fewer"
        )
    if pinned + free < budget:
        raise ValueError(
            f"the budget is {budget} images, but only {pinned + free} are left when "
            f"{num_scored - pinned - free} are excluded; keep {pinned + free}, or exclude fewer"
        )
    return budget
