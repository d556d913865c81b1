"""What a model is trained on and scores: images with their instances, from any source.

A record is what a source hands over: a COCO file here, a FiftyOne view elsewhere. Nothing in it is
trusted yet; `data.check_record` says of every image and instance why it cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from pycocotools import mask as coco_mask

from ..masks import mask_runs_from_rle, mask_runs_to_rle
from ..rasterize import rasterize_polygons
from ..skipped import Skipped, SkippedItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

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


def _sort_annotations(
    annotations: list[dict[str, Any]], of_image: dict[Id, list[dict[str, Any]]]
) -> Iterator[SkippedItem]:
    for annotation in annotations:
        if annotation.get("iscrowd"):
            yield SkippedItem("annotation", annotation["id"], "crowd")
        elif annotation["image_id"] not in of_image:
            yield SkippedItem(
                "annotation", annotation["id"], "no_such_image", str(annotation["image_id"])
            )
        else:
            of_image[annotation["image_id"]].append(annotation)


def _coco_record(
    image: dict[str, Any], folder: Path, annotations: list[dict[str, Any]], names: dict[Id, str]
) -> ImageRecord:
    height, width = image["height"], image["width"]
    masks = [_compressed_mask(a.get("segmentation"), height, width) for a in annotations]
    boxes = [
        a["bbox"] if a.get("bbox") else _mask_box(mask, height, width)
        for a, mask in zip(annotations, masks, strict=True)
    ]
    return ImageRecord(
        image_id=image["id"],
        path=folder / image["file_name"],
        height=height,
        width=width,
        instance_ids=[a["id"] for a in annotations],
        labels=[names.get(a.get("category_id")) for a in annotations],  # type: ignore[arg-type]
        boxes=np.array(boxes, np.float64).reshape(-1, 4),
        masks=masks,
    )


def _compressed_mask(segmentation: Any, height: int, width: int) -> bytes | None:
    """The mask's compressed run-lengths; None where it has none that can be read."""
    sizes = np.array([height]), np.array([width])
    try:
        if isinstance(segmentation, list):
            parts = [np.array(part, np.float64).reshape(-1, 2) for part in segmentation]
            starts = np.cumsum([0, *map(len, parts)])
            points = np.concatenate([np.empty((0, 2)), *parts])
            masks, problems = rasterize_polygons(points, starts, np.array([0, len(parts)]), *sizes)
        elif list(segmentation["size"]) == [height, width]:
            masks, problems = mask_runs_from_rle([segmentation["counts"]], *sizes)
        else:
            return None
    except (KeyError, TypeError, ValueError):
        return None
    return None if problems[0] else mask_runs_to_rle(masks)[0]


def _mask_box(mask: bytes | None, height: int, width: int) -> list[float]:
    if mask is None:
        return [0.0] * 4
    box: list[float] = list(coco_mask.toBbox({"size": [height, width], "counts": mask}))
    return box


def read_coco_records(annotations: Path, images: Path) -> tuple[list[ImageRecord], Skipped]:
    """Records of a COCO instance file, in the file's image order.

    Polygons are drawn as pycocotools does. Crowds are left out and counted.

    Raises:
        ValueError: the file is not COCO's form.
    """
    try:
        document = orjson.loads(annotations.read_bytes())
        names = {category["id"]: category["name"] for category in document["categories"]}
        of_image: dict[Id, list[dict[str, Any]]] = {i["id"]: [] for i in document["images"]}
        skipped = Skipped(list(_sort_annotations(document["annotations"], of_image)))
        records = [
            _coco_record(image, images, of_image[image["id"]], names)
            for image in document["images"]
        ]
    except (KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise ValueError(
            f"{annotations}: expected a COCO instance file with images, annotations and categories,"
            f" found {type(error).__name__}: {error}"
        ) from error
    return records, skipped
