"""The masks of a source, of whatever form, as run lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..geometry.masks import (
    MaskProblem,
    MaskRuns,
    mask_runs_from_bitmaps,
)
from ..geometry.rasterize import rasterize_in_pieces
from ..geometry.run_lengths import mask_runs_from_rle
from .source import Polygons, RunLengths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..geometry.rasterize import Rasterizer
    from .source import Batch, Ints, Shapes


class Drawn(NamedTuple):
    """Some masks of a batch.

    Attributes:
        rows: (n,) their rows in the batch.
        masks: the n masks.
    """

    rows: Ints
    masks: MaskRuns


def _draw_shapes(
    shapes: Shapes, rasterizer: Rasterizer
) -> Iterator[tuple[slice, MaskRuns, NDArray[np.uint8]]]:
    """Yields which of the shapes were drawn, their masks, and `MaskProblem` of each."""
    everything = slice(None)
    if isinstance(shapes, Polygons):
        yield from rasterize_in_pieces(*shapes, rasterizer)
    elif isinstance(shapes, RunLengths):
        yield everything, *mask_runs_from_rle(*shapes)
    else:
        masks = shapes if isinstance(shapes, MaskRuns) else mask_runs_from_bitmaps(shapes.bitmaps)
        too_long = np.diff(masks.starts) == 0
        yield everything, masks, too_long * np.uint8(MaskProblem.OUTLINE_TOO_LONG)


def draw(batch: Batch, rasterizer: Rasterizer) -> Iterator[Drawn]:
    """Draws the masks of a batch, some at a time.

    What cannot be drawn has an empty mask, and goes into ``batch.problems`` unless it is there.

    Args:
        batch: the entries; its ``pieces`` are used up.
        rasterizer: what draws polygons.
    """
    for rows, shapes in batch.pieces:
        for part, masks, codes in _draw_shapes(shapes, rasterizer):
            drawn = rows[part]
            for k in np.flatnonzero(codes).tolist():
                reason = MaskProblem(codes[k]).name.lower()
                batch.problems.setdefault(int(drawn[k]), (reason, ""))
            yield Drawn(drawn, masks)
