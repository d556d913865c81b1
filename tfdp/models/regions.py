"""Pixel -> instance: how the values of a mask become one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..options import Choice
from ..values import check_choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

REGIONS = {
    "roi": Choice("Box", "all pixels of the instance's box, as the paper's released code averages"),
    "mask": Choice("Mask", "the instance's own pixels, as the paper's equation 3 says"),
}
PIXELS = {
    "mean": Choice("Mean", "of an instance's pixels, whatever its size on the grid"),
    "sum": Choice("Sum", "of an instance's pixels, which the paper's table 7 compares"),
}


def count_pixels(target: NDArray[np.bool_], region: str) -> NDArray[np.int64]:
    """Pixels of the region of each instance, (n,), from (n, P) targets: the sum over the mean."""
    rows, pixels = target.shape
    return np.full(rows, pixels) if region == "roi" else target.sum(axis=-1)


def aggregate_pixels(values: Any, target: Any, region: str) -> Any:
    """Mean of an instance's pixels.

    Args:
        values: (..., P) pixel values, numpy or torch.
        target: (..., P) bool, the pixels of the instance itself.
        region: "roi", all pixels of the box (the released code), or "mask", the target's (eq. 3).

    Returns:
        (...) means; NaN for region "mask" where no pixel is the target's.

    Raises:
        ValueError: an unknown region.
    """
    check_choice("region", region, REGIONS)
    if region == "roi":
        return values.mean(-1)
    with np.errstate(invalid="ignore"):  # 0 / 0: no target pixel
        return (values * target).sum(-1) / target.sum(-1)
