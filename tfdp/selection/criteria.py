"""What is asked of a selection: budget, policy, and what must or must not be kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ..options import Choice, Options, option, options_of
from .policies import POLICIES

BUDGETS = ("pruning_rate", "keep", "threshold")
UNANNOTATED = {
    "prune": Choice("remove them (the paper's way)"),
    "keep": Choice("keep them"),
}
_FRACTION = {"least": 0, "below": 1}


@dataclass(frozen=True)
class Criteria(Options):
    """The parameters of a selection, each with what it means. Exactly one budget is given.

    Of the N scored images, a pruning rate removes floor(rate x N). Pinned images that are scored
    count inside the budget, those without a score do not.

    Raises:
        ValueError: a value that no dataset could meet; the message says what could be.
    """

    pruning_rate: float | None = option(
        None,
        "Pruning rate",
        "fraction of the scored images to remove: 0.3 removes 30 %",
        limits=_FRACTION,
        flag="--rate",
        one_of="budget",
    )
    keep: int | None = option(
        None, "Number to keep", "number of scored images to keep", one_of="budget"
    )
    threshold: float | None = option(
        None,
        "Score threshold",
        "keep the images that score this or better; with the policy top",
        one_of="budget",
    )
    policy: str = option("top", "Policy", "how the budget is filled", choices=lambda: POLICIES)
    min_per_class: int = option(
        0,
        "Instances of each class, at least",
        "floor of instances for each class, met before the rest goes by score; all of a class that "
        "has fewer; 0 for no floor",
    )
    unannotated: str = option(
        "prune",
        "Images without a score",
        "what becomes of the images without a score, which are outside the budget",
        choices=lambda: UNANNOTATED,
    )
    pinned: tuple[Any, ...] = option(
        (), "Pinned", "ids of images to keep whatever their score", flag=""
    )
    excluded: tuple[Any, ...] = option(
        (), "Excluded", "ids of images to remove whatever their score", flag=""
    )
    beta: float = option(
        0.0,
        "Hardest to leave out (beta)",
        "with the policy stratified, fraction of the scored images to leave out: those that score "
        "best, which may be mislabelled",
        limits=_FRACTION,
    )
    seed: int = option(0, "Seed", "of all that is random")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_budget()
        self._check_parameters()
        both = set(self.pinned) & set(self.excluded)
        if both:
            raise ValueError(
                f"{len(both)} images are pinned and excluded, {_some(both)}; make each one or none"
            )

    def to_dict(self) -> dict[str, Any]:
        """The criteria alone, whatever else a subclass asks for."""
        return {f.name: getattr(self, f.name) for f in fields(Criteria)}

    def _check_budget(self) -> None:
        budgets = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(budgets) != 1:
            found = " and ".join(budgets) or "none"
            raise ValueError(f"give one of pruning_rate, keep and threshold, but got {found}")
        if self.threshold is not None and self.policy != "top":
            raise ValueError(
                f"a threshold goes with the policy 'top'; with {self.policy!r} give pruning_rate "
                "or keep"
            )

    def _check_parameters(self) -> None:
        """A parameter of other policies must be as it is by default."""
        own = POLICIES[self.policy].parameters
        for name, said in options_of(Criteria).items():
            owners = [
                repr(policy.name) for policy in POLICIES.values() if name in policy.parameters
            ]
            if owners and name not in own and getattr(self, name) != said.default:
                raise ValueError(
                    f"{name} is of the policy {' and '.join(owners)} only, not of {self.policy!r}"
                )


def _some(ids: set[Any]) -> str:
    """The first few of the ids, for a message."""
    shown = [repr(i) for i in sorted(ids, key=str)[:3]]
    return "such as " + ", ".join(shown)
