"""What is asked of a selection: budget, policy, and what must or must not be kept."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..values import check_choice, check_ids, check_number, check_whole

if TYPE_CHECKING:
    from collections.abc import Callable

Policy = Literal["top", "random", "stratified"]
Unannotated = Literal["prune", "keep"]
POLICIES: tuple[str, ...] = get_args(Policy)
UNANNOTATED: tuple[str, ...] = get_args(Unannotated)

_BUDGETS = ("pruning_rate", "keep", "threshold")
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "pruning_rate": check_number,
    "keep": check_whole,
    "threshold": check_number,
    "policy": partial(check_choice, choices=POLICIES),
    "min_per_class": check_whole,
    "unannotated": partial(check_choice, choices=UNANNOTATED),
    "pinned": check_ids,
    "excluded": check_ids,
    "beta": check_number,
    "seed": check_whole,
}


@dataclass(frozen=True)
class Criteria:
    """The parameters of a selection. Exactly one of the three budgets is given.

    Attributes:
        pruning_rate: fraction of the N scored images to remove, in [0, 1); floor(rate x N) go.
        keep: number of scored images to keep.
        threshold: keep the images that score this or better; only with ``policy="top"``.
        policy: "top" (the best scores, the paper's), "random", or "stratified" (CCS).
        min_per_class: floor of instances for each class; all of a class that has fewer.
        unannotated: what becomes of images without a score; they are outside the budget.
        pinned: ids of images to keep whatever their score; scored ones count inside the budget.
        excluded: ids of images to remove whatever their score.
        beta: with "stratified", the fraction of the scored images, the hardest, to leave out.
        seed: of "random" and "stratified".

    Raises:
        ValueError: a value that no dataset could meet; the message says what could be.
    """

    pruning_rate: float | None = None
    keep: int | None = None
    threshold: float | None = None
    policy: Policy = "top"
    min_per_class: int = 0
    unannotated: Unannotated = "prune"
    pinned: tuple[Any, ...] = ()
    excluded: tuple[Any, ...] = ()
    beta: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_values()
        self._check_budget()
        if not 0 <= self.beta < 1:
            raise ValueError(f"beta must be at least 0 and less than 1, but got {self.beta}")
        if self.beta and self.policy != "stratified":
            raise ValueError(f"beta is of the policy 'stratified' only, not of {self.policy!r}")
        both = set(self.pinned) & set(self.excluded)
        if both:
            raise ValueError(
                f"{len(both)} images are pinned and excluded, {_some(both)}; make each one or none"
            )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def _check_values(self) -> None:
        """Each by itself; what a report can't hold, such as numpy's numbers, is turned."""
        for name, check in _CHECKS.items():
            value = getattr(self, name)
            if value is not None or name not in _BUDGETS:
                object.__setattr__(self, name, check(name, value))

    def _check_budget(self) -> None:
        budgets = [name for name in _BUDGETS if getattr(self, name) is not None]
        if len(budgets) != 1:
            found = " and ".join(budgets) or "none"
            raise ValueError(f"give one of pruning_rate, keep and threshold, but got {found}")
        if self.pruning_rate is not None and not 0 <= self.pruning_rate < 1:
            raise ValueError(
                f"pruning_rate must be at least 0 and less than 1, but got {self.pruning_rate}"
            )
        if self.threshold is not None and self.policy != "top":
            raise ValueError(
                f"a threshold goes with the policy 'top'; with {self.policy!r} give pruning_rate "
                "or keep"
            )


def floor_fraction(fraction: float, count: int) -> int:
    """floor(fraction x count), the fraction taken as the decimal number that it is written as.

    So 0.29 of 100 is 29, where the binary product is 28.999999999999996.
    """
    return math.floor(Fraction(repr(float(fraction))) * count)


def _some(ids: set[Any]) -> str:
    """The first few of the ids, for a message."""
    shown = [repr(i) for i in sorted(ids, key=str)[:3]]
    return "such as " + ", ".join(shown)
