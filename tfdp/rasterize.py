"""Polygons to masks, by the rasterizer that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .masks import MaskRuns

Rasterizer = Literal["coco", "opencv"]


def rasterize_polygons(
    xy: NDArray[np.float64],
    part_starts: NDArray[np.int64],
    mask_starts: NDArray[np.int64],
    heights: NDArray[np.int64],
    widths: NDArray[np.int64],
    rasterizer: Rasterizer = "coco",
) -> tuple[MaskRuns, NDArray[np.uint8]]:
    """Draws N polygon masks; the parts of a mask are united.

    Args:
        xy: (V, 2) px; the vertices of all parts, one part after another.
        part_starts: (P + 1,); part p has the vertices ``xy[part_starts[p]:part_starts[p + 1]]``.
        mask_starts: (N + 1,); mask j has the parts ``mask_starts[j]`` to ``mask_starts[j + 1]``.
        heights: (N,) px, of the frame that the mask is drawn in.
        widths: (N,) px.
        rasterizer: ``coco`` draws what pycocotools draws; ``opencv`` truncates the vertices to
            int32 and draws what `cv2.fillPoly` draws.

    Returns:
        The N masks, in order, and (N,) uint8 of `MaskProblem`: 0 where the mask could be drawn.
        A mask with a problem has no counts.
    """
    raise NotImplementedError
