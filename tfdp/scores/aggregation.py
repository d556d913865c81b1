"""Scores of instances -> scores of images: one number of an image's instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..options import option
from ..registry import Registry
from .table import SCORERS, higher_first

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Combine: TypeAlias = Callable[
        [NDArray[np.float64], NDArray[np.int64], int], NDArray[np.float64]
    ]


@dataclass(frozen=True)
class Aggregation:
    """A way from instances to images.

    Attributes:
        name: by which it is asked for.
        label: what people call it.
        description: what it makes of an image's instances.
        combine: (N,) scores, (N,) rows of their images, and I -> (I,) scores; what it gives for an
            image without an instance is not looked at.
    """

    name: str
    label: str
    description: str
    combine: Combine


AGGREGATIONS: Registry[Aggregation] = Registry("aggregation")


def aggregation(name: str, label: str, description: str) -> Callable[[Combine], Combine]:
    """Registers a function as a way from instances to images; see `Aggregation`."""

    def register(combine: Combine) -> Combine:
        AGGREGATIONS.add(Aggregation(name, label, description, combine))
        return combine

    return register


@aggregation("sum", "Sum", "of all instances: the paper's (eq. 14), which favors crowded images")
def _sum(
    scores: NDArray[np.float64], image_index: NDArray[np.int64], num_images: int
) -> NDArray[np.float64]:
    return np.bincount(image_index, scores, minlength=num_images).astype(np.float64, copy=False)


@aggregation("mean", "Mean", "of all instances, however many there are")
def _mean(
    scores: NDArray[np.float64], image_index: NDArray[np.int64], num_images: int
) -> NDArray[np.float64]:
    counts = np.bincount(image_index, minlength=num_images)
    return _sum(scores, image_index, num_images) / np.maximum(counts, 1)


@aggregation("max", "Maximum", "the one instance that is kept first")
def _max(
    scores: NDArray[np.float64], image_index: NDArray[np.int64], num_images: int
) -> NDArray[np.float64]:
    highest = np.full(num_images, -np.inf)
    np.maximum.at(highest, image_index, scores)
    return highest


def aggregation_option() -> Any:
    """The field of an `Options` dataclass that asks for an aggregation; None: the scorer's own."""
    return option(
        None,
        "Aggregation",
        "how the scores of an image's instances become one; by default the scorer's own way: the "
        "sum, but the mean of aum",
        choices=lambda: AGGREGATIONS,
    )


def resolve_aggregation(scorer: str, aggregation: str | None) -> str:
    """The aggregation that is asked for, or else the scorer's own; "sum" of one we do not know.

    Raises:
        ValueError: an unknown aggregation.
    """
    own = SCORERS[scorer].aggregation if scorer in SCORERS else "sum"
    return AGGREGATIONS.find(own if aggregation is None else aggregation).name


def check_own_aggregation(scorer: str, aggregation: str | None) -> None:
    """Raises ValueError for an aggregation other than its own of scores that are of images."""
    own = resolve_aggregation(scorer, None)
    if resolve_aggregation(scorer, aggregation) != own:
        raise ValueError(
            f"{scorer!r} scores images, not their instances: it has no {aggregation!r}; ask for "
            f"the aggregation {own!r}"
        )


def aggregate_image_scores(
    instance_scores: NDArray[np.float64],
    image_index: NDArray[np.int64],
    num_images: int,
    aggregation: str = "sum",
    *,
    higher_first: bool = True,
) -> NDArray[np.float64]:
    """Image scores: by default the plain sum over an image's instances (TFDP, eq. 14).

    Args:
        instance_scores: (N,) scores, NaN where an instance could not be scored: left out.
        image_index: (N,) row of each instance's image.
        num_images: I.
        aggregation: one of `AGGREGATIONS`.
        higher_first: the scores' direction. Scores that rank low first are negated before and
            after, so that "max" is the hardest instance of every score.

    Returns:
        (I,) image scores in the instance scores' own direction; NaN for an image without a scored
        instance.

    Raises:
        ValueError: an unknown aggregation.
    """
    combine = AGGREGATIONS.find(aggregation).combine
    sign = 1.0 if higher_first else -1.0
    scored = np.isfinite(instance_scores)
    index = image_index[scored]
    combined = combine(sign * instance_scores[scored], index, num_images)
    return np.where(np.bincount(index, minlength=num_images) > 0, sign * combined, np.nan)


def aggregate_by_scorer(
    scorer: str,
    instance_scores: NDArray[np.float64],
    image_index: NDArray[np.int64],
    num_images: int,
    aggregation: str | None = None,
) -> NDArray[np.float64]:
    """`aggregate_image_scores` of a named scorer: in its direction and, by default, its own way."""
    return aggregate_image_scores(
        instance_scores,
        image_index,
        num_images,
        resolve_aggregation(scorer, aggregation),
        higher_first=higher_first(scorer),
    )
