"""Pixel -> instance: how the values of a mask become one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..options import Choice
from ..values import check_choice

REGIONS = {
    "roi": Choice("Box", "all pixels of the instance's box, as the paper's released code averages"),
    "mask": Choice("Mask", "the instance's own pixels, as the paper's equation 3 says"),
}


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
