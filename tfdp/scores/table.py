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
        aggregation: one of `tfdp.scores.aggregation.AGGREGATIONS`: by default, the way from its
            instances to images.
        score: of a plain scorer, the function that takes what it needs by name.
    """

    name: str
    label: str
    description: str
    needs: tuple[str, ...]
    higher_first: bool = True
    level: Level = "instance"
    aggregation: str = "sum"
    score: Score | None = None


SCORERS: Registry[Scorer] = Registry("scorer")
PLAIN_NEEDS = ("contents", "rng", "reference")

for _scorer in (
    Scorer(
        "cb_scs",
        "CB-SCS",
        "Class-balanced shape complexity: the instance's share of its class's SI-SCS (TFDP, "
        "eq. 13). Highest are kept first.",
        ("outlines",),
    ),
    Scorer(
        "si_scs",
        "SI-SCS",
        "Scale-invariant shape complexity: SCS over that of a circle of equal area (TFDP, eq. 11). "
        "About 1 for a disc; the highest, of complex outlines, are kept first.",
        ("outlines",),
    ),
    Scorer(
        "scs",
        "SCS",
        "Shape complexity: perimeter / area of the mask's largest outline, 1/px (TFDP, eq. 8). The "
        "highest, of complex or small outlines, are kept first.",
        ("outlines",),
    ),
    Scorer(
        "cb_only",
        "CB without SI",
        "Class-balanced shape complexity, of a scale: the instance's share of its class's SCS "
        "(an ablation of TFDP; total_ratio_norm in its released code). Highest are kept first.",
        ("outlines",),
    ),
    Scorer(
        "entropy",
        "Entropy",
        "Of a pixel -p ln p - (1 - p) ln(1 - p), p its probability of the mask after the last "
        "epoch (TFDP, eq. 3; its released code takes the loss). Highest are kept first.",
        ("model",),
    ),
    Scorer(
        "loss",
        "Loss",
        "Of a pixel the binary cross-entropy after the last epoch (what TFDP's released code calls "
        "entropy). Highest are kept first.",
        ("model",),
    ),
    Scorer(
        "el2n",
        "EL2N",
        "Of a pixel the norm of its error over both classes, sqrt(2) |p - t|, at half of the "
        "training (Paul et al. 2021, as TFDP adapts it; its released code takes the logit for p). "
        "Highest are kept first.",
        ("model",),
    ),
    Scorer(
        "forgetting",
        "Forgetting",
        "Of a pixel how often it was right after an epoch and wrong after the next; the number of "
        "epochs where it was never right (Toneva et al. 2019, as TFDP adapts it). Highest are kept "
        "first.",
        ("training",),
    ),
    Scorer(
        "aum",
        "AUM",
        "Of a pixel the margin of its target, (2t - 1) z, mean over the epochs (Pleiss et al. "
        "2020, as TFDP adapts it). The lowest, hard or mislabelled, are kept first; by an image's "
        "mean, since margins of learnt instances are positive, and a sum of them keeps the "
        "emptiest images.",
        ("training",),
        higher_first=False,
        aggregation="mean",
    ),
    Scorer(
        "dyn_unc",
        "Dyn-Unc",
        "Of a pixel the standard deviation of its target's probability in a window of epochs, mean "
        "over all windows (He et al. 2023, of images). Highest are kept first.",
        ("training", "window"),
    ),
    Scorer(
        "dual",
        "DUAL",
        "Of a pixel the same deviation times 1 - the target's mean probability in the window "
        "(DUAL, 2025, of images). Highest are kept first.",
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
    aggregation: str = "sum",
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
        aggregation: by default, the way from instances to images, where it scores instances.

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
        SCORERS.add(
            Scorer(name, label, description, needs, higher_first, level, aggregation, score)
        )
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
