"""Area and perimeter of a mask's primary contour, from its runs alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .masks import MaskRuns


@dataclass(frozen=True)
class Contours:
    """The primary (largest external) contour of each of N masks.

    Attributes:
        area: (N,) float64, px²; the shoelace area through pixel centres (`cv2.contourArea`).
        perimeter: (N,) float64, px; its closed length (`cv2.arcLength`).
        pixel_area: (N,) int64, px; number of foreground pixels of the whole mask.
    """

    area: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    pixel_area: NDArray[np.int64]


def measure_contours(masks: MaskRuns) -> Contours:
    """Measures the primary contour of every mask; 0, 0 where there is no foreground."""
    raise NotImplementedError
