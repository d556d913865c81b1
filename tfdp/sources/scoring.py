"""Datasets on disk -> ShapeScores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scores.shape_scores import ShapeScores, score_shapes
from .formats import open_sources
from .measuring import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..geometry.rasterize import Rasterizer
    from ..progress import Progress
    from ..scores.balance import ClassTotals
    from .formats import PathLike


def score(
    path_or_paths: PathLike | Sequence[PathLike],
    format: str | None = None,  # noqa: A002
    rasterizer: Rasterizer = "coco",
    class_totals: ClassTotals | None = None,
    progress: bool | Progress | None = None,
    *,
    split: str | None = None,
) -> ShapeScores:
    """Scores every instance and every image of a dataset on disk (TFDP, section 3.3).

    Args:
        path_or_paths: a dataset, or several that are disjoint: see `open_source`.
        format: one of `tfdp.sources.formats.FORMATS`; by default told from what is there.
        rasterizer: what draws polygons: "coco", as pycocotools and FiftyOne do, or "opencv", as
            the paper's released code does. It is part of a score's identity.
        class_totals: totals of data scored before, disjoint from this; CB-SCS is then balanced over
            both.
        progress: whether to show a bar on stderr; by default where that is a terminal.
        split: reads that split alone: a list of VOC, a folder of Cityscapes, an entry of YOLO.

    Returns:
        The scores, higher = kept first, the class totals, and what was skipped and why: see
        docs/formats.md.

    Raises:
        OSError: a file cannot be read.
        ValueError: a dataset has no format that is known, or is damaged as a whole, or they do not
            fit together; the message names it and what is wrong.
    """
    sources = open_sources(path_or_paths, format, split)
    return score_shapes(measure(sources, rasterizer, progress), class_totals)


def score_coco(
    path_or_paths: PathLike | Sequence[PathLike],
    rasterizer: Rasterizer = "coco",
    class_totals: ClassTotals | None = None,
    progress: bool | Progress | None = None,
) -> ShapeScores:
    """Scores one COCO file, or several that are disjoint: `score` of that format."""
    return score(path_or_paths, "coco", rasterizer, class_totals, progress)
