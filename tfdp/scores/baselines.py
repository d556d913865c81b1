"""The scorers that look at no outline: what a shape score has to beat to be worth its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..values import check_choice
from .aggregation import aggregate_by_scorer, check_own_aggregation
from .complexity import divide_or_zero
from .table import SCORERS, list_plain_scorers, plain_scorer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .contents import Contents


def _unscored_where_empty(scores: NDArray[np.float64], contents: Contents) -> NDArray[np.float64]:
    return np.where(contents.num_instances() > 0, scores, np.nan)


@plain_scorer("count", "Number of instances", "most first")
def score_count(contents: Contents) -> NDArray[np.float64]:
    """(I,) number of instances; NaN for an image without one. Higher = kept first."""
    return _unscored_where_empty(contents.num_instances().astype(np.float64), contents)


@plain_scorer(
    "inverse_frequency",
    "Inverse class frequency",
    "CB-SCS with the shape taken out",
    level="instance",
)
def score_inverse_frequency(contents: Contents) -> NDArray[np.float64]:
    """(N,) 1 / (number of instances of the class), of every instance. Higher = kept first.

    It is CB-SCS with the shape taken out: every instance has the same SI-SCS.
    """
    category = contents.category_index
    frequency = np.bincount(category, minlength=len(contents.category_names)).astype(np.float64)
    return divide_or_zero(np.ones(len(category)), frequency[category])


@plain_scorer("random", "Random", "seeded")
def score_random(contents: Contents, rng: np.random.Generator) -> NDArray[np.float64]:
    """(I,) uniform numbers in [0, 1); NaN for an image without an instance."""
    return _unscored_where_empty(rng.random(contents.num_images), contents)


@plain_scorer(
    "instance_matched_random",
    "Random, instance-matched",
    "as many instances, image by image, as the top by CB-SCS",
)
def score_instance_matched_random(
    contents: Contents, reference: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The reference's scores, shuffled among the images that hold equally many instances.

    The top images by this score are drawn at random, but hold as many instances, image by image, as
    the top images by the reference: what remains of the reference's lead is not in the number of
    instances.

    Args:
        contents: what the images hold.
        reference: (I,) image scores, NaN for an image without one.
        rng: source of the shuffles.

    Returns:
        (I,) scores in the reference's unit and direction; NaN where the reference is.
    """
    scores = reference.copy()
    num_instances = contents.num_instances()
    for count in np.unique(num_instances):
        group = np.flatnonzero((num_instances == count) & ~np.isnan(reference))
        scores[group] = rng.permutation(reference[group])
    return scores


def score_plain(
    scorer: str,
    contents: Contents,
    reference: NDArray[np.float64] | None = None,
    seed: int = 0,
    aggregation: str | None = None,
) -> NDArray[np.float64]:
    """Image scores by one of the plain scorers.

    Args:
        scorer: its name, among `tfdp.scores.table.SCORERS`.
        contents: what the images hold.
        reference: (I,) image scores that some are set beside, NaN for an image without one.
        seed: of the random ones.
        aggregation: one of `AGGREGATIONS`, from instances to images; None: the scorer's own.

    Returns:
        (I,) scores in the scorer's direction; NaN for an image without an instance.

    Raises:
        ValueError: the scorer is no plain one, or the aggregation unknown, or one for a scorer of
            images.
    """
    entry = SCORERS[check_choice("scorer", scorer, list_plain_scorers())]
    rng = np.random.default_rng(seed)
    given: dict[str, Any] = {"contents": contents, "reference": reference, "rng": rng}
    assert entry.score is not None
    scores = entry.score(**{need: given[need] for need in entry.needs})
    if entry.level == "image":
        check_own_aggregation(scorer, aggregation)
        return scores
    index, count = contents.image_index, contents.num_images
    return aggregate_by_scorer(scorer, scores, index, count, aggregation)
