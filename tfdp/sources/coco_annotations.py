"""A batch of a COCO file's annotations: what they say, and why some cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .coco_segmentations import Segmentations, read_segmentations
from .coco_tables import SKIPPED, UNKNOWN, read_ids
from .json_values import read_integers
from .source import Batch

if TYPE_CHECKING:
    from collections.abc import Container

    from numpy.typing import NDArray

    from .coco_tables import ImageTable
    from .json_file import JsonFile
    from .json_scan import Spans
    from .source import Id, Ints, Problem

_NOT_CROWD, _CROWD, _BAD_CROWD = 0, 1, 2


class _Entries(NamedTuple):
    """What n annotations say, one item an annotation."""

    spans: Spans
    ids: list[Id | None]
    image_ids: list[Id | None]
    category_ids: list[Id | None]
    crowd: Ints
    image_index: Ints
    known_category: NDArray[np.bool_]
    segmentations: Spans
    boxes: Spans

    def suspects(self) -> list[int]:
        """Rows that are not to be used, whatever their mask is."""
        no_id = np.array([i is None for i in self.ids], np.bool_)
        no_row = (self.image_index < 0) | ~self.known_category
        return np.flatnonzero(no_id | no_row | (self.crowd != _NOT_CROWD)).tolist()

    def problem(self, row: int) -> Problem:
        """Why a suspect is not used."""
        if self.ids[row] is None:
            return "bad_id", f"the entry at byte {self.spans[row, 0]}"
        if self.image_index[row] == SKIPPED:
            return "image_skipped", f"image {self.image_ids[row]!r}"
        if self.image_index[row] == UNKNOWN:
            return "unknown_image", f"image_id {self.image_ids[row]!r}"
        if not self.known_category[row]:
            return "unknown_category", f"category_id {self.category_ids[row]!r}"
        return ("crowd" if self.crowd[row] == _CROWD else "bad_iscrowd"), ""


def _read_crowds(file: JsonFile, spans: Spans) -> Ints:
    crowd, plain = read_integers(file.text, spans)
    crowd[(crowd != _NOT_CROWD) & (crowd != _CROWD)] = _BAD_CROWD
    for row in np.flatnonzero(~plain & (spans[:, 1] > 0)).tolist():
        value = file.value(spans[row])
        crowd[row] = int(value) if isinstance(value, bool) else _BAD_CROWD
    return crowd


def _read_entries(
    file: JsonFile, images: ImageTable, categories: Container[Id | None], spans: Spans
) -> _Entries:
    names = ["id", "image_id", "category_id", "iscrowd", "segmentation", "bbox"]
    found = file.find(spans, names)
    ids, image_ids, category_ids = (read_ids(file, found[:, k]) for k in range(3))
    return _Entries(
        spans=spans,
        ids=ids,
        image_ids=image_ids,
        category_ids=category_ids,
        crowd=_read_crowds(file, found[:, 3]),
        image_index=np.array([images.row_of_id.get(i, UNKNOWN) for i in image_ids], np.int64),
        known_category=np.array([i in categories for i in category_ids], np.bool_),
        segmentations=found[:, 4],
        boxes=found[:, 5],
    )


def _box(value: Any) -> list[float] | None:
    """A box as COCO has it; None for anything else."""
    if not isinstance(value, list) or [type(x) in {int, float} for x in value] != [True] * 4:
        return None
    box = np.array(value, np.float64)
    return box.tolist() if np.isfinite(box).all() and min(box[2:]) >= 0 else None


def _read_boxes(file: JsonFile, spans: Spans) -> NDArray[np.float64]:
    """(n, 4) boxes; NaN where there is none that can be used."""
    boxes = [_box(file.value(span)) or [np.nan] * 4 for span in spans]
    return np.array(boxes, np.float64).reshape(-1, 4)


def read_batch(
    file: JsonFile,
    images: ImageTable,
    categories: Container[Id | None],
    spans: Spans,
    *,
    with_boxes: bool,
) -> Batch:
    """Reads the annotations at (n, 2) spans.

    Args:
        file: the file.
        images: its images.
        categories: its categories.
        spans: where the annotations are.
        with_boxes: whether to read their boxes.
    """
    entries = _read_entries(file, images, categories, spans)
    problems = {row: entries.problem(row) for row in entries.suspects()}
    rows = np.delete(np.arange(len(spans)), list(problems))
    of_image = entries.image_index[rows]
    segmentations = Segmentations(
        file,
        rows,
        entries.segmentations[rows],
        images.images.heights[of_image],
        images.images.widths[of_image],
    )
    return Batch(
        ids=entries.ids,
        image_index=entries.image_index,
        categories=entries.category_ids,
        pieces=read_segmentations(segmentations, problems),
        problems=problems,
        boxes=_read_boxes(file, entries.boxes) if with_boxes else None,
        progress=len(spans),
    )
