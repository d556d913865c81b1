"""What a model is trained on and scores: images with their instances, from any source.

The image file is not looked at yet; `tfdp.models.data.check_record` says of every image and
instance why it cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pycocotools import mask as coco_mask

from ..columns import object_array
from ..geometry.run_lengths import mask_runs_to_rle
from .reading import read_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..geometry.rasterize import Rasterizer
    from ..progress import Progress
    from ..skipped import Skipped
    from .drawing import Drawn
    from .joining import Columns, Entries
    from .source import Batch, Id, Source


@dataclass(frozen=True)
class ImageRecord:
    """One image with its instances.

    Attributes:
        image_id: any id; travels with the scores.
        path: the image file.
        height, width: px; what the masks and boxes refer to.
        instance_ids: (n,) ids, unique in the whole collection.
        labels: (n,) class names; None for no class.
        boxes: (n, 4) x, y, width, height, px.
        masks: (n,) COCO compressed run-lengths of (height, width) masks; None for no mask.
    """

    image_id: Id
    path: Path
    height: int
    width: int
    instance_ids: Sequence[Id]
    labels: Sequence[str | None]
    boxes: NDArray[np.float64]
    masks: Sequence[bytes | None]


def _encode(batch: Batch, drawn: Drawn) -> Columns:
    """Compressed run lengths and boxes; NaN where the mask's own box is meant."""
    masks = object_array(mask_runs_to_rle(drawn.masks))
    no_boxes = np.full((len(masks), 4), np.nan)
    return masks, no_boxes if batch.boxes is None else batch.boxes[drawn.rows]


def _fill_boxes(entries: Entries) -> NDArray[np.float64]:
    """(N, 4) boxes; that of the mask where there is none."""
    masks, boxes = entries.columns
    for row in np.flatnonzero(np.isnan(boxes).any(axis=1)).tolist():
        image = entries.image_index[row]
        size = [int(entries.heights[image]), int(entries.widths[image])]
        boxes[row] = coco_mask.toBbox({"size": size, "counts": masks[row]})
    return boxes


def _make_records(entries: Entries, folder: Path) -> list[ImageRecord]:
    order = np.argsort(entries.image_index, kind="stable")
    stops = np.bincount(entries.image_index, minlength=len(entries.image_ids)).cumsum()
    masks, boxes = entries.columns[0], _fill_boxes(entries)
    return [
        ImageRecord(
            image_id=image_id,
            path=folder / file_name,
            height=height,
            width=width,
            instance_ids=entries.ids[rows].tolist(),
            labels=entries.category_names[entries.category_index[rows]].tolist(),
            boxes=boxes[rows],
            masks=masks[rows].tolist(),
        )
        for image_id, file_name, height, width, rows in zip(
            entries.image_ids.tolist(),
            entries.file_names,
            entries.heights.tolist(),
            entries.widths.tolist(),
            np.split(order, stops)[:-1],
            strict=True,
        )
        if height > 0  # else its labels could not be read, and nobody knows what it shows
    ]


def read_records(
    sources: Iterable[Source],
    folder: Path,
    rasterizer: Rasterizer = "coco",
    progress: bool | Progress | None = None,
) -> tuple[list[ImageRecord], Skipped]:
    """Records of sources, in their order of images.

    What is in them, what is passed over and why, and the errors are those of
    `tfdp.sources.measuring.measure`: what is learned is what is scored. An image whose labels could
    not be read has no record.

    Args:
        sources: one, or several that are disjoint.
        folder: of the images whose file names are not absolute.
        rasterizer: what draws polygons.
        progress: as `measure` takes it.
    """
    entries = read_sources(sources, _encode, rasterizer, progress, for_learning=True)
    return _make_records(entries, folder), entries.skipped
