"""What images hold, without their masks: instances and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Contents:
    """The instances that I images hold, one row an instance.

    Attributes:
        num_images: I.
        image_index: (N,) int64, row of the instance's image.
        category_index: (N,) int64, row of its class in ``category_names``.
        category_names: (C,) str objects.
        pixel_area: (N,) px, or None where the masks were not looked at.
    """

    num_images: int
    image_index: NDArray[np.int64]
    category_index: NDArray[np.int64]
    category_names: NDArray[Any]
    pixel_area: NDArray[np.int64] | None = None

    def num_instances(self) -> NDArray[np.int64]:
        """(I,) number of instances of each image."""
        return np.bincount(self.image_index, minlength=self.num_images)
