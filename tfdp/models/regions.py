"""Pixel -> instance: how the values of a mask become one number."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Region = Literal["roi", "mask"]
REGIONS: tuple[Region, ...] = ("roi", "mask")


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
