"""The one table of scores: their names, what they say and need, and which end is kept first.

A score has one name everywhere: on labels, on samples, as a column of a file, as a scorer. Those of
outlines and of models stand here; the plain ones, which look at neither, register themselves where
they are computed (`tfdp.scores.baselines`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Level = Literal["instance", "image"]
Score = Callable[..., "NDArray[np.float64]"]


@dataclass(frozen=True)
class Scorer:
    """One score.

    Attributes:
        name: field, column and scorer name.
        label: what people call it.
        description: what it measures, unit and source, for a sidebar.
        needs: what it is computed from: "outlines"; a trained "model", or its whole "training",
            perhaps in a "window" of its epochs; or, of the plain scorers, "contents", "rng" and
            "reference".
        higher_first: whether the highest scores are kept first (False: the lowest).
        level: whether it scores instances, which are then aggregated, or images.
        score: of a plain scorer, the function that takes what it needs by name.
    """

    name: str
    label: str
    description: str
    needs: tuple[str, ...]
    higher_first: bool = True
    level: Level = "instance"
    score: Score | None = None


SCORERS: Registry[Scorer] = Registry("scorer")
PLAIN_NEEDS = ("contents", "rng", "reference")

for _scorer in (
    Scorer(
        "cb_scs",
        "CB-SCS",
        "Class-balanced shape complexity: the instance's share of its class's SI-SCS (TFDP, "
        "eq. 13); on a sample the sum over its instances (eq. 14). Highest are kept first.",
        ("outlines",),
    ),
    Scorer(
        "si_scs",
        "SI-SCS",
        "Scale-invariant shape complexity: SCS over that of a circle of equal area (TFDP, eq. 11); "
        "on a sample the sum over its instances. About 1 for a disc, higher = more complex.",
        ("outlines",),
    ),
    Scorer(
        "scs",
        "SCS",
        "Shape complexity: perimeter / area of the mask's largest outline, 1/px (TFDP, eq. 8); "
        "on a sample the sum over its instances. High where outlines are complex or small.",
        ("outlines",),
    ),
    Scorer(
        "entropy",
        "Entropy",
        "Mean entropy of the mask's pixel probabilities (TFDP, eq. 3).",
        ("model",),
    ),
    Scorer("loss", "Loss", "Mean binary cross-entropy of the mask's pixels.", ("model",)),
    Scorer(
        "el2n", "EL2N", "Mean L2 norm of the pixel errors, at half of the training.", ("model",)
    ),
    Scorer(
        "forgetting",
        "Forgetting",
        "Mean number of times that a pixel was forgotten.",
        ("training",),
    ),
    Scorer(
        "aum",
        "AUM",
        "Mean margin of the pixels over the epochs; low = hard or mislabelled = kept first.",
        ("training",),
        higher_first=False,
    ),
    Scorer(
        "dyn_unc",
        "Dyn-Unc",
        "Mean spread of the target probability over sliding windows.",
        ("training", "window"),
    ),
    Scorer(
        "dual",
        "DUAL",
        "Spread times difficulty over sliding windows (DUAL, 2025).",
        ("training", "window"),
    ),
):
    SCORERS.add(_scorer)


def plain_scorer(
    name: str,
    label: str,
    description: str,
    *,
    level: Level = "image",
    higher_first: bool = True,
) -> Callable[[Score], Score]:
    """Registers a function as a scorer that looks at no outline.

    Its parameters say what it needs: ``contents`` (`Contents`) and, where it is random, ``rng`` (a
    `numpy.random.Generator`); where it is set beside CB-SCS, ``reference`` ((I,) image scores).

    Args:
        name: field, column and scorer name.
        label: what people call it.
        description: what it measures.
        level: "image" where it returns (I,) scores, NaN for an image without an instance;
            "instance" where it returns (N,), which are then aggregated.
        higher_first: whether the highest scores are kept first.

    Raises:
        ValueError: the name is taken, or a parameter is none of these.
    """

    def register(score: Score) -> Score:
        needs = tuple(inspect.signature(score).parameters)
        unknown = [need for need in needs if need not in PLAIN_NEEDS]
        if unknown or "contents" not in needs:
            raise ValueError(
                f"a plain scorer takes contents, and may take rng and reference, but {name!r} "
                f"takes {', '.join(needs) or 'nothing'}"
            )
        SCORERS.add(Scorer(name, label, description, needs, higher_first, level, score))
        return score

    return register


def names_needing(*needs: str) -> tuple[str, ...]:
    """The names of the scores that need one of these."""
    return tuple(name for name, scorer in SCORERS.items() if set(needs) & set(scorer.needs))


def list_plain_scorers() -> tuple[str, ...]:
    """The names of the scorers that look at no outline and at no model."""
    return names_needing("contents")


def higher_first(name: str) -> bool:
    """Whether the highest values of a score are kept first; true of a score we do not know."""
    return name not in SCORERS or SCORERS[name].higher_first
