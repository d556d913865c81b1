"""Sources -> a Collection of measured instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..geometry.contours import measure_contours
from ..scores.instances import Collection, Instances
from .reading import read_sources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..geometry.rasterize import Rasterizer
    from ..progress import Progress
    from .drawing import Drawn
    from .joining import Columns
    from .source import Batch, Source


def _measure(_: Batch, drawn: Drawn) -> Columns:
    contours = measure_contours(drawn.masks)
    return contours.area, contours.perimeter, contours.pixel_area


def measure(
    sources: Iterable[Source],
    rasterizer: Rasterizer = "coco",
    progress: bool | Progress | None = None,
) -> Collection:
    """Measures the outline of every instance of sources, some of them at a time.

    Args:
        sources: one, or several that are disjoint.
        rasterizer: what draws polygons, "coco" as pycocotools does, or "opencv" as `cv2.fillPoly`.
        progress: whether to show a bar on stderr, by default where that is a terminal; or a
            function that is told a fraction and a message.

    Returns:
        The collection: a row for every image, with or without instances. What was passed over is
        listed in ``skipped``: by the source's own reasons, and `tfdp.geometry.masks.MaskProblem`.

    Raises:
        OSError: a source cannot be read.
        ValueError: a source is damaged as a whole, or they do not fit together. The message names
            the source and what is wrong.
    """
    entries = read_sources(sources, _measure, rasterizer, progress, for_learning=False)
    return Collection(
        image_ids=entries.image_ids,
        file_names=entries.file_names,
        category_ids=entries.category_ids,
        category_names=entries.category_names,
        instances=Instances(
            entries.ids, entries.image_index, entries.category_index, *entries.columns
        ),
        skipped=entries.skipped,
        rasterizer=rasterizer,
    )
