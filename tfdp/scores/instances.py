"""Instances: what was measured, as parallel columns, one row a scored instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..skipped import Skipped


@dataclass(frozen=True)
class Instances:
    """N measured instances. Crowds, and what could not be read, are not among them.

    Attributes:
        ids: (N,) annotation ids (COCO) or label ids (FiftyOne).
        image_index: (N,) int64, row of the instance's image in its collection.
        category_index: (N,) int64, row of its category in its collection.
        area: (N,) float64, px², through pixel centers; 0 for a degenerate instance.
        perimeter: (N,) float64, px, through pixel centers.
        pixel_area: (N,) int64, px, number of foreground pixels.
    """

    ids: NDArray[Any]
    image_index: NDArray[np.int64]
    category_index: NDArray[np.int64]
    area: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    pixel_area: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Collection:
    """I images, C categories, and the N instances measured in them.

    Attributes:
        image_ids: (I,) COCO image ids or FiftyOne sample ids.
        file_names: (I,) str objects.
        category_ids: (C,) COCO category ids, or class names where there are no ids.
        category_names: (C,) str objects.
        instances: the measured instances.
        skipped: what was passed over while reading, and why.
        rasterizer: what drew the polygons, "coco" or "opencv": part of a score's identity.
    """

    image_ids: NDArray[Any]
    file_names: NDArray[Any]
    category_ids: NDArray[Any]
    category_names: NDArray[Any]
    instances: Instances
    skipped: Skipped
    rasterizer: str
