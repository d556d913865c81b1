"""Polygons to masks, by the rasterizer that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ..options import Choice
from ..values import check_choice
from .compiled import compiled, inner
from .masks import MAX_OUTLINE, MaskProblem, MaskRuns, is_bad_size
from .pieces import in_pieces
from .rasterize_coco import draw_coco
from .rasterize_opencv import draw_opencv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .toggles import Ints

Rasterizer = Literal["coco", "opencv"]
RASTERIZERS: dict[Rasterizer, Choice] = {
    "coco": Choice("COCO", "what pycocotools and FiftyOne's importers draw"),
    "opencv": Choice("OpenCV", "cv2.fillPoly, what the paper's code draws"),
}

MAX_COORDINATE = 2.0**26  # px; beyond it pycocotools' own integers overflow
PIECE = 2**17  # px; of the outlines that are drawn and measured at a time

_OK, _BAD_SIZE = int(MaskProblem.NONE), int(MaskProblem.BAD_SIZE)
_BAD_POLYGON, _OUTLINE_TOO_LONG = int(MaskProblem.BAD_POLYGON), int(MaskProblem.OUTLINE_TOO_LONG)


@inner
def _bound_outline(xy: NDArray[np.float64], height: int, width: int) -> int:
    """Bounds the rows and columns that a part's edges cross in the frame; -1 for a bad part."""
    if len(xy) < 3:
        return -1
    outline = 0
    for k in range(len(xy)):
        x, y = xy[k, 0], xy[k, 1]
        if not (abs(x) <= MAX_COORDINATE and abs(y) <= MAX_COORDINATE):  # NaN is neither
            return -1
        dx, dy = abs(x - xy[k - 1, 0]), abs(y - xy[k - 1, 1])
        outline += int(min(dx, np.float64(width))) + int(min(dy, np.float64(height))) + 4
    return outline


@compiled
def _check(
    xy: NDArray[np.float64],
    part_starts: Ints,
    mask_starts: Ints,
    heights: Ints,
    widths: Ints,
) -> tuple[NDArray[np.uint8], Ints]:
    """Finds each mask's problem, and bounds its outline: what drawing it may take."""
    problems = np.zeros(len(heights), np.uint8)
    outlines = np.zeros(len(heights), np.int64)
    for j in range(len(heights)):
        if is_bad_size(heights[j], widths[j]):
            problems[j] = _BAD_SIZE
            continue
        if mask_starts[j] == mask_starts[j + 1]:
            problems[j] = _BAD_POLYGON
        for part in range(mask_starts[j], mask_starts[j + 1]):
            vertices = xy[part_starts[part] : part_starts[part + 1]]
            outline = _bound_outline(vertices, heights[j], widths[j])
            if outline < 0:
                problems[j] = _BAD_POLYGON
                break
            outlines[j] += outline
        if problems[j] == _OK and outlines[j] > MAX_OUTLINE:
            problems[j] = _OUTLINE_TOO_LONG
        if problems[j] != _OK:
            outlines[j] = 0
    return problems, outlines


def _draw(
    xy: NDArray[np.float64],
    part_starts: Ints,
    mask_starts: Ints,
    heights: Ints,
    widths: Ints,
    outlines: Ints,
    rasterizer: Rasterizer,
) -> MaskRuns:
    check_choice("rasterizer", rasterizer, RASTERIZERS)
    if rasterizer == "coco":
        counts, starts = draw_coco(xy, part_starts, mask_starts, heights, widths, outlines)
        return MaskRuns(counts, starts, heights)
    counts, starts = draw_opencv(xy, part_starts, mask_starts, heights, widths, outlines)
    return MaskRuns(counts, starts, widths, by_row=True)


def rasterize_in_pieces(
    xy: NDArray[np.float64],
    part_starts: NDArray[np.int64],
    mask_starts: NDArray[np.int64],
    heights: NDArray[np.int64],
    widths: NDArray[np.int64],
    rasterizer: Rasterizer,
) -> Iterator[tuple[slice, MaskRuns, NDArray[np.uint8]]]:
    """Draws N polygon masks, some at a time: what is held at once is bounded by its outline.

    Takes what `rasterize_polygons` takes. Yields, for each piece, which of the masks it holds, and
    what `rasterize_polygons` would give of them.
    """
    problems, outlines = _check(xy, part_starts, mask_starts, heights, widths)
    for piece in in_pieces(outlines, PIECE):
        starts = mask_starts[piece.start : piece.stop + 1]
        sizes = heights[piece], widths[piece]
        masks = _draw(xy, part_starts, starts, *sizes, outlines[piece], rasterizer)
        yield piece, masks, problems[piece]


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

    Raises:
        ValueError: an unknown rasterizer.
    """
    problems, outlines = _check(xy, part_starts, mask_starts, heights, widths)
    runs = _draw(xy, part_starts, mask_starts, heights, widths, outlines, rasterizer)
    return runs, problems
