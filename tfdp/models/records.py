"""What a model is trained on and scores: images with their instances, from any source.

A record is what a source hands over: a COCO file here, a FiftyOne view elsewhere. The image file is
not looked at yet; `data.check_record` says of every image and instance why it cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as coco_mask

from ..sources.coco_reading import read_coco_files
from ..sources.coco_segmentations import encode_segmentations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..geometry.rasterize import Rasterizer
    from ..skipped import Skipped
    from ..sources.coco_reading import CocoEntries
    from ..sources.coco_segmentations import Columns, Problems, Segmentations

Id = int | str


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


def _box(value: Any) -> list[float] | None:
    """A box as COCO has it; None for anything else."""
    if not isinstance(value, list) or [type(x) in {int, float} for x in value] != [True] * 4:
        return None
    box = np.array(value, np.float64)
    return box.tolist() if np.isfinite(box).all() and min(box[2:]) >= 0 else None


def _read_boxes(segmentations: Segmentations, masks: NDArray[Any]) -> NDArray[np.float64]:
    """(N, 4) the annotations' boxes; that of the mask where there is none that can be used."""
    file = segmentations.file
    boxes = np.zeros((len(masks), 4))
    for row, span in enumerate(file.find(segmentations.annotations, ["bbox"])[:, 0]):
        box = _box(file.value(span))
        if box is None and masks[row]:
            size = [int(segmentations.heights[row]), int(segmentations.widths[row])]
            box = coco_mask.toBbox({"size": size, "counts": masks[row]})
        boxes[row] = 0 if box is None else box
    return boxes


def _take(segmentations: Segmentations, rasterizer: Rasterizer) -> tuple[Columns, Problems]:
    """Masks and boxes of annotations."""
    (masks,), problems = encode_segmentations(segmentations, rasterizer)
    return (masks, _read_boxes(segmentations, masks)), problems


def _make_records(entries: CocoEntries, folder: Path) -> list[ImageRecord]:
    order = np.argsort(entries.image_index, kind="stable")
    stops = np.bincount(entries.image_index, minlength=len(entries.image_ids)).cumsum()
    masks, boxes = entries.columns
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
    ]


def read_coco_records(annotations: Path, images: Path) -> tuple[list[ImageRecord], Skipped]:
    """Records of a COCO instance file, in the file's image order.

    What is in them, what is passed over and why, and the errors are those of
    `tfdp.sources.coco.read_coco`: what is learned is what is scored. An annotation's `bbox` counts
    as it is; where it is missing, or not four finite numbers without a negative size, the box of
    the mask stands in for it.

    Args:
        annotations: the COCO file.
        images: folder of its images.
    """
    entries = read_coco_files(annotations, _take)
    return _make_records(entries, images), entries.skipped
