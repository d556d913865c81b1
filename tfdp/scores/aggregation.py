"""Scores of instances -> scores of images: one number of an image's instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..options import option
from ..registry import Registry

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
    """The field of an `Options` dataclass that asks for an aggregation."""
    return option(
        "sum",
        "Aggregation",
        "how the scores of an image's instances become one",
        choices=lambda: AGGREGATIONS,
    )


def check_summed(scorer: str, aggregation: str) -> None:
    """Raises ValueError for an aggregation other than "sum" of scores that are of images anyway."""
    if AGGREGATIONS.find(aggregation).name != "sum":
        raise ValueError(
            f"{scorer!r} scores images, not their instances: it has no {aggregation!r}; leave the "
            "aggregation at 'sum'"
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
        aggregation: one of `AGGREGATIONS`; the paper's table 7 compares "sum" and "mean".
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
