"""Pixel -> instance -> image: how the values of a mask become one number an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..scores.table import higher_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

Region = Literal["roi", "mask"]
Aggregation = Literal["sum", "mean", "max"]
REGIONS: tuple[Region, ...] = ("roi", "mask")
AGGREGATIONS: tuple[Aggregation, ...] = ("sum", "mean", "max")


def aggregate_pixels(values: Any, target: Any, region: Region) -> Any:
    """Mean of an instance's pixels.

    Args:
        values: (..., P) pixel values, numpy or torch.
        target: (..., P) bool, the pixels of the instance itself.
        region: "roi", all pixels of the box (the released code), or "mask", the target's (eq. 3).

    Returns:
        (...) means; NaN for region "mask" where no pixel is the target's.
    """
    if region == "roi":
        return values.mean(-1)
    with np.errstate(invalid="ignore"):  # 0 / 0: no target pixel
        return (values * target).sum(-1) / target.sum(-1)


def aggregate_images(
    name: str,
    instance_scores: NDArray[np.float64],
    image_index: NDArray[np.int64],
    images: int,
    aggregation: Aggregation = "sum",
) -> NDArray[np.float64]:
    """Image scores from instance scores, in the instance scores' own direction.

    A score that ranks low first (aum) is negated before and after, so that "max" is the hardest
    instance for every score.

    Args:
        name: the score's name.
        instance_scores: (N,) scores, NaN where an instance could not be scored: left out.
        image_index: (N,) each instance's image, 0 to images - 1.
        images: I.
        aggregation: over an image's instances; the paper's table 7 compares "sum" and "mean".

    Returns:
        (I,) scores; NaN for an image without a scored instance.
    """
    sign = 1.0 if higher_first(name) else -1.0
    scored = np.isfinite(instance_scores)
    index, scores = image_index[scored], sign * instance_scores[scored]
    counts = np.bincount(index, minlength=images)
    if aggregation == "max":
        totals = np.full(images, -np.inf)
        np.maximum.at(totals, index, scores)
    else:
        totals = np.bincount(index, weights=scores, minlength=images)
    if aggregation == "mean":
        totals = totals / np.maximum(counts, 1)
    return np.where(counts > 0, sign * totals, np.nan)
