"""The masks and outlines of a view's labels -> measured contours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..geometry.contours import Contours, measure_contours
from ..geometry.masks import MaskProblem, mask_runs_from_bitmaps
from ..geometry.rasterize import rasterize_in_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..geometry.rasterize import Rasterizer
    from .values import Outline


def _offsets(lengths: list[int]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def join_contours(parts: list[Contours]) -> Contours:
    """The contours of several pieces, one after another."""
    return Contours(
        np.concatenate([np.empty(0), *(part.area for part in parts)]),
        np.concatenate([np.empty(0), *(part.perimeter for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.pixel_area for part in parts)]),
    )


def measure_bitmaps(masks: list[NDArray[Any]]) -> tuple[Contours, NDArray[np.uint8]]:
    """The contours of masks, and (n,) `MaskProblem`."""
    runs = mask_runs_from_bitmaps(masks)
    no_counts = np.diff(runs.starts) == 0
    problems = np.where(no_counts, np.uint8(MaskProblem.OUTLINE_TOO_LONG), np.uint8(0))
    return measure_contours(runs), problems


def measure_outlines(
    outlines: list[Outline], rasterizer: Rasterizer
) -> tuple[Contours, NDArray[np.uint8]]:
    """The contours of polylines, and (n,) `MaskProblem`."""
    parts = [part for outline in outlines for part in outline.parts]
    contours: list[Contours] = []
    problems: list[NDArray[np.uint8]] = []

    drawn = rasterize_in_pieces(
        np.concatenate([np.empty((0, 2)), *parts]),
        _offsets([len(part) for part in parts]),
        _offsets([len(outline.parts) for outline in outlines]),
        np.array([outline.height for outline in outlines], np.int64),
        np.array([outline.width for outline in outlines], np.int64),
        rasterizer,
    )
    for _, runs, found in drawn:
        contours.append(measure_contours(runs))
        problems.append(found)
    return join_contours(contours), np.concatenate(problems)
