"""What can be asked of a training log: which scores, of which epochs and pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..options import Options, option, options_of
from ..scores.aggregation import aggregation_option
from ..scores.table import SCORERS, Scorer, names_needing
from . import dynamics
from .log_reading import MOST_EPOCHS
from .regions import PIXELS, REGIONS
from .training_log import CORRECT, PROBABILITY, STORED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SNAPSHOT_SCORES = names_needing("model")
DYNAMIC_SCORES = names_needing("training")
MODEL_SCORES = SNAPSHOT_SCORES + DYNAMIC_SCORES


def default_scores(epochs: int) -> tuple[str, ...]:
    """All scores that so many epochs can give; without a training those of one model."""
    if epochs == 0:
        return SNAPSHOT_SCORES
    windowed = names_needing("window") if epochs < dynamics.LEAST_WINDOW else ()
    return tuple(name for name in MODEL_SCORES if name not in windowed)


def find_stored(scores: Sequence[str]) -> str:
    """What a log must hold for these scores: one of `STORED`."""
    if set(scores) & set(names_needing("window")):
        return PROBABILITY
    return CORRECT if "forgetting" in scores else STORED[0]


def scores_of(stored: str, epochs: int) -> tuple[str, ...]:
    """The scores that a log gives which holds so much."""
    held = STORED.index(stored)
    return tuple(n for n in default_scores(epochs) if STORED.index(find_stored([n])) <= held)


def _check_scores(scores: Sequence[str], epochs: int) -> None:
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
        "epochs, of dyn_unc and dual; by default 10, or what fits where there are fewer",
        least=dynamics.LEAST_WINDOW,
        most=MOST_EPOCHS,
    )
    windows: str = option(
        "all", "Windows", "those that dyn_unc takes", choices=lambda: dynamics.WINDOWS
    )
    dual_epochs: int | None = option(
        None,
        "Epochs of DUAL",
        "the first of the training that dual looks at, as its authors do; by default all",
        least=dynamics.LEAST_WINDOW,
        most=MOST_EPOCHS,
    )

    def used(self, epochs: int, stored: str = PROBABILITY) -> dict[str, Any]:
        """All that is asked of a log, by name, with what holds by default.

        Args:
            epochs: E of the log.
            stored: what it holds of each.

        Raises:
            ValueError: no log of so many epochs can give it.
        """
        asked = {name: getattr(self, name) for name in _LOG_OPTIONS if name in vars(self)}
        scores = scores_of(stored, epochs) if self.scores is None else self.scores
        _check_scores(scores, epochs)
        first = self._count_dual_epochs(epochs) if "dual" in scores else None
        window = self._choose_window({"dyn_unc": epochs, "dual": first}, scores)
        return asked | {"scores": scores, "window": window, "dual_epochs": first}

    def _count_dual_epochs(self, epochs: int) -> int:
        if self.dual_epochs is not None and self.dual_epochs > epochs:
            raise ValueError(
                f"expected dual_epochs of at most {epochs}, as many as the training has, got"
                f" {self.dual_epochs}: take fewer, or train longer"
            )
        return self.dual_epochs or epochs

    def _choose_window(self, epochs: Mapping[str, Any], scores: Sequence[str]) -> int | None:
        windows = {"dyn_unc": self.windows, "dual": "all"}
        fits = [(epochs[name], windows[name]) for name in windows if name in scores]
        if not fits:
            return None
        window = self.window or min(dynamics.default_window(*fit) for fit in fits)
        for count, kind in fits:
            dynamics.check_window(count, window, kind)
        return window


@dataclass(frozen=True)
class PixelOptions(ScoringOptions):
    """Of the log of masks: pixels become instances, and instances images."""

    region: str = option(
        "roi", "Average over", "an instance's pixels that are looked at", choices=lambda: REGIONS
    )
    pixels: str = option("mean", "Pixels", "how they become one score", choices=lambda: PIXELS)
    aggregation: str | None = aggregation_option()


_LOG_OPTIONS = tuple(options_of(PixelOptions))
