"""What can be asked of a training log: which scores, of which epochs and pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..options import Choice, Options, option
from ..scores.aggregation import aggregation_option
from ..scores.table import SCORERS, Scorer, names_needing
from . import dynamics
from .log_reading import MOST_EPOCHS
from .regions import REGIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SNAPSHOT_SCORES = names_needing("model")
DYNAMIC_SCORES = names_needing("training")
MODEL_SCORES = SNAPSHOT_SCORES + DYNAMIC_SCORES
PIXELS = {
    "mean": Choice("Mean", "of an instance's pixels, whatever its size on the grid"),
    "sum": Choice("Sum", "of an instance's pixels, which the paper's table 7 compares"),
}
WINDOWS = {
    "all": Choice("All", "all E - J + 1 windows"),
    "released": Choice(
        "As released", "without the last, and times 10, as the authors' code has it"
    ),
}


def default_scores(epochs: int) -> tuple[str, ...]:
    """All scores after a training; those of one model for weights that were not trained."""
    return MODEL_SCORES if epochs else SNAPSHOT_SCORES


def check_scores(scores: Sequence[str], epochs: int, window: int | None) -> None:
    """Raise ValueError for a choice that such a run cannot give: before it, not after hours."""
    if not scores:
        raise ValueError(f"expected one score or more of {', '.join(MODEL_SCORES)}, got none")
    for score in scores:
        if score not in MODEL_SCORES:
            raise ValueError(f"expected a score of {', '.join(MODEL_SCORES)}, got {score!r}")
    dynamic = [score for score in scores if score in DYNAMIC_SCORES]
    if epochs == 0 and dynamic:
        raise ValueError(
            f"{', '.join(dynamic)} need a training: expected 1 epoch or more, got 0;"
            f" without training there are {', '.join(SNAPSHOT_SCORES)}"
        )
    if set(names_needing("window")) & set(scores):
        chosen = dynamics.default_window(epochs) if window is None else window
        dynamics.check_window(epochs, chosen)


def _list_scores() -> Mapping[str, Scorer]:
    return {name: SCORERS[name] for name in MODEL_SCORES}


@dataclass(frozen=True)
class ScoringOptions(Options):
    """Of any log."""

    scores: tuple[str, ...] | None = option(
        None,
        "Scores",
        "by default all that the run can give: they cost one scoring pass an epoch together",
        choices=_list_scores,
    )
    window: int | None = option(
        None,
        "Window",
        "epochs, of dyn_unc and dual; by default 10, or all where there are fewer",
        least=2,
        most=MOST_EPOCHS,
    )
    windows: str = option("all", "Windows", "those that dyn_unc takes", choices=lambda: WINDOWS)
    dual_epochs: int | None = option(
        None,
        "Epochs of DUAL",
        "the first of the training that dual looks at, as its authors do; by default all",
        least=2,
        most=MOST_EPOCHS,
    )


@dataclass(frozen=True)
class PixelOptions(ScoringOptions):
    """Of the log of masks: pixels become instances, and instances images."""

    region: str = option(
        "roi", "Average over", "an instance's pixels that are looked at", choices=lambda: REGIONS
    )
    pixels: str = option("mean", "Pixels", "how they become one score", choices=lambda: PIXELS)
    aggregation: str | None = aggregation_option()
