"""Area and perimeter -> SCS and SI-SCS, the shape scores of one instance (TFDP, section 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def score_scs(area: NDArray[np.float64], perimeter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape complexity score, SCS = P / A (TFDP, eq. 8).

    Args:
        area: (N,) area of the primary contour through pixel centers, px².
        perimeter: (N,) closed arc length of the primary contour, px.

    Returns:
        (N,) SCS in px⁻¹; higher = more complex or smaller = kept first; 0 where the area is 0.
    """
    return divide_or_zero(perimeter, area)


def score_si_scs(area: NDArray[np.float64], perimeter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale-invariant SCS: the SCS over that of a circle of equal area (TFDP, eq. 10 and 11).

    SI-SCS = (P / A) / (2 sqrt(pi / A)) = P / (2 sqrt(pi A)). It is 1 for an ideal circle and
    2 / sqrt(pi) = 1.128 for a square; a drawn disc of radius 3 px has 1.218, of 50 px 1.060, so
    that it is only nearly invariant on a raster.

    Args:
        area: (N,) area of the primary contour through pixel centers, px².
        perimeter: (N,) closed arc length of the primary contour, px.

    Returns:
        (N,) SI-SCS, dimensionless; higher = more complex = kept first; 0 where the area is 0.
    """
    return divide_or_zero(perimeter, 2 * np.sqrt(np.pi * area))


def divide_or_zero(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Quotient, 0 where the denominator is 0."""
    numerator = np.asarray(numerator, np.float64)
    quotient = np.zeros_like(numerator)
    np.divide(numerator, denominator, out=quotient, where=np.asarray(denominator) > 0)
    return quotient
