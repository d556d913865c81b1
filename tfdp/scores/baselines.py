"""The scorers that look at no outline: what a shape score has to beat to be worth its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .balance import aggregate_image_scores
from .complexity import divide_or_zero

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .contents import Contents


def score_count(contents: Contents) -> NDArray[np.float64]:
    """(I,) number of instances; NaN for an image without one. Higher = kept first."""
    return _unscored_where_empty(contents.num_instances().astype(np.float64), contents)


def score_inverse_frequency(contents: Contents) -> NDArray[np.float64]:
    """(I,) sum over the instances of 1 / (number of instances of their class). Higher = kept first.

    It is CB-SCS with the shape taken out: every instance has the same SI-SCS.
    """
    category = contents.category_index
    frequency = np.bincount(category, minlength=len(contents.category_names)).astype(np.float64)
    weight = divide_or_zero(np.ones(len(category)), frequency[category])
    return aggregate_image_scores(weight, contents.image_index, contents.num_images)


def score_random(contents: Contents, rng: np.random.Generator) -> NDArray[np.float64]:
    """(I,) uniform numbers in [0, 1); NaN for an image without an instance."""
    return _unscored_where_empty(rng.random(contents.num_images), contents)


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


def _unscored_where_empty(scores: NDArray[np.float64], contents: Contents) -> NDArray[np.float64]:
    return np.where(contents.num_instances() > 0, scores, np.nan)
