"""A batch of a COCO file's annotations: what they say, and why some cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from msgspec import Meta, Raw, Struct

from .coco_segmentations import Segmentations, read_segmentations
from .coco_tables import SKIPPED, UNKNOWN, EntryId
from .json_entries import read_entries
from .source import Batch

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from numpy.typing import NDArray

    from .coco_tables import ImageTable
    from .json_file import JsonFile
    from .source import Id, Problem

_Side = Annotated[float, Meta(ge=0)]
_NO_BOX = (np.nan,) * 4  # of the mask


class _Annotation(Struct, gc=False):
    id: EntryId | None = None
    image_id: EntryId | None = None
    category_id: EntryId | None = None
    iscrowd: Literal[0, 1] | bool | None = 0
    segmentation: Raw = Raw()


class _BoxedAnnotation(_Annotation, gc=False):
    bbox: tuple[float, float, _Side, _Side] | None = None


def _find_problem(
    annotation: _Annotation, image_row: int, categories: Container[Id | None], place: int
) -> Problem:
    """Why an annotation is not used, whatever its mask is."""
    if annotation.id is None:
        return "bad_id", f"the entry at byte {place}"
    if image_row == SKIPPED:
        return "image_skipped", f"image {annotation.image_id!r}"
    if image_row == UNKNOWN:
        return "unknown_image", f"image_id {annotation.image_id!r}"
    if annotation.category_id not in categories:
        return "unknown_category", f"category_id {annotation.category_id!r}"
    return ("crowd" if annotation.iscrowd else "bad_iscrowd"), ""


def _boxes(annotations: Sequence[_Annotation]) -> NDArray[np.float64]:
    boxes = [getattr(annotation, "bbox", None) or _NO_BOX for annotation in annotations]
    return np.array(boxes, np.float64).reshape(-1, 4)


def read_batch(
    file: JsonFile,
    images: ImageTable,
    categories: Container[Id | None],
    texts: Sequence[Raw],
    *,
    with_boxes: bool,
) -> Batch:
    """Reads n annotations.

    Args:
        file: the file.
        images: its images.
        categories: its categories.
        texts: (n,) the annotations.
        with_boxes: whether to read their boxes.
    """
    kind = _BoxedAnnotation if with_boxes else _Annotation
    annotations: list[_Annotation] = read_entries(texts, kind)
    image_rows = [images.row_of_id.get(a.image_id, UNKNOWN) for a in annotations]
    problems = {
        row: _find_problem(a, image_row, categories, file.place(texts[row]))
        for row, (a, image_row) in enumerate(zip(annotations, image_rows, strict=True))
        if a.id is None or image_row < 0 or a.category_id not in categories or a.iscrowd != 0
    }
    image_index = np.array(image_rows, np.int64)
    rows = np.delete(np.arange(len(texts)), list(problems))
    segmentations = Segmentations(
        rows,
        [annotations[row].segmentation for row in rows.tolist()],
        images.images.heights[image_index[rows]],
        images.images.widths[image_index[rows]],
    )
    return Batch(
        ids=[a.id for a in annotations],
        image_index=image_index,
        categories=[a.category_id for a in annotations],
        pieces=read_segmentations(segmentations, problems),
        problems=problems,
        boxes=_boxes(annotations) if with_boxes else None,
        progress=len(texts),
    )
