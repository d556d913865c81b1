"""The annotations of a COCO file, read batch by batch on all processors."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..skipped import SkippedItem
from .coco_segmentations import Segmentations
from .coco_tables import SKIPPED, UNKNOWN, as_id_array, read_ids
from .json_values import read_integers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from ..geometry.rasterize import Rasterizer
    from .coco_segmentations import Columns, Problem, Problems
    from .coco_tables import Id, Images
    from .json_file import JsonFile
    from .json_scan import Spans

    Take = Callable[[Segmentations, Rasterizer], tuple[Columns, Problems]]

BATCH = 2000  # annotations that one thread reads at a time
MAX_WORKERS = 8
_NOT_CROWD, _CROWD, _BAD_CROWD = 0, 1, 2


@dataclass(frozen=True)
class Source:
    """A file, and what its annotations refer to.

    Attributes:
        file: the file.
        images: its images.
        first_image: row of its first image in the whole collection.
        row_of_category: row of each category in the whole collection.
        rasterizer: what draws polygons.
    """

    file: JsonFile
    images: Images
    first_image: int
    row_of_category: dict[Id, int]
    rasterizer: Rasterizer


class Batch(NamedTuple):
    """Some annotations: the n that can be used, those skipped, and the ids of all.

    Attributes:
        ids: (n,) of those that can be used.
        image_index: (n,) row of the image of each in the whole collection.
        category_index: (n,) row of its category.
        columns: what was taken of their masks.
        skipped: the others, and why.
        all_ids: of both.
    """

    ids: NDArray[Any]
    image_index: NDArray[np.int64]
    category_index: NDArray[np.int64]
    columns: Columns
    skipped: list[SkippedItem]
    all_ids: NDArray[Any]


class _Entries(NamedTuple):
    """What n annotations say, one item an annotation."""

    spans: Spans
    ids: list[Id | None]
    image_ids: list[Id | None]
    category_ids: list[Id | None]
    crowd: NDArray[np.int64]
    image_index: NDArray[np.int64]
    category_index: NDArray[np.int64]
    segmentations: Spans

    def suspects(self) -> list[int]:
        """Rows that are not to be scored, whatever their mask is."""
        no_id = np.array([i is None for i in self.ids], np.bool_)
        no_row = (self.image_index < 0) | (self.category_index < 0)
        return np.flatnonzero(no_id | no_row | (self.crowd != _NOT_CROWD)).tolist()

    def problem(self, row: int) -> Problem:
        """Why a suspect is not scored."""
        if self.ids[row] is None:
            return "bad_id", f"the entry at byte {self.spans[row, 0]}"
        if self.image_index[row] == SKIPPED:
            return "image_skipped", f"image {self.image_ids[row]!r}"
        if self.image_index[row] == UNKNOWN:
            return "unknown_image", f"image_id {self.image_ids[row]!r}"
        if self.category_index[row] == UNKNOWN:
            return "unknown_category", f"category_id {self.category_ids[row]!r}"
        return ("crowd" if self.crowd[row] == _CROWD else "bad_iscrowd"), ""


def _read_crowds(file: JsonFile, spans: Spans) -> NDArray[np.int64]:
    crowd, plain = read_integers(file.text, spans)
    crowd[(crowd != _NOT_CROWD) & (crowd != _CROWD)] = _BAD_CROWD
    for row in np.flatnonzero(~plain & (spans[:, 1] > 0)).tolist():
        value = file.value(spans[row])
        crowd[row] = int(value) if isinstance(value, bool) else _BAD_CROWD
    return crowd


def _rows_of(ids: list[Id | None], row_of_id: Mapping[Any, int]) -> NDArray[np.int64]:
    return np.array([row_of_id.get(i, UNKNOWN) for i in ids], np.int64)


def _read_entries(source: Source, spans: Spans) -> _Entries:
    file = source.file
    found = file.find(spans, ["id", "image_id", "category_id", "iscrowd", "segmentation"])
    ids, image_ids, category_ids = (read_ids(file, found[:, k]) for k in range(3))
    return _Entries(
        spans=spans,
        ids=ids,
        image_ids=image_ids,
        category_ids=category_ids,
        crowd=_read_crowds(file, found[:, 3]),
        image_index=_rows_of(image_ids, source.images.row_of_id),
        category_index=_rows_of(category_ids, source.row_of_category),
        segmentations=found[:, 4],
    )


def _all_but(rows: list[int], size: int) -> NDArray[np.int64]:
    return np.delete(np.arange(size), rows)


def _read_batch(source: Source, take: Take, spans: Spans) -> Batch:
    """Reads the annotations at (n, 2) spans."""
    entries = _read_entries(source, spans)
    problems = {row: entries.problem(row) for row in entries.suspects()}
    fit = _all_but(list(problems), len(spans))
    images = entries.image_index[fit]
    segmentations = Segmentations(
        source.file,
        spans[fit],
        entries.segmentations[fit],
        source.images.heights[images],
        source.images.widths[images],
    )
    columns, mask_problems = take(segmentations, source.rasterizer)
    problems |= {int(fit[k]): problem for k, problem in mask_problems.items()}
    taken = _all_but(list(mask_problems), len(fit))
    rows = fit[taken]
    return Batch(
        ids=as_id_array([entries.ids[row] for row in rows.tolist()]),
        image_index=source.first_image + entries.image_index[rows],
        category_index=entries.category_index[rows],
        columns=tuple(column[taken] for column in columns),
        skipped=[SkippedItem("annotation", entries.ids[k], *problems[k]) for k in sorted(problems)],
        all_ids=as_id_array([i for i in entries.ids if i is not None]),
    )


def read_annotations(source: Source, take: Take) -> Iterator[Batch]:
    """Reads the annotations of a file, in file order; at least one batch, be it empty.

    The compiled functions run without Python's lock, so that threads share the work.

    Args:
        source: the file.
        take: gives what is needed of masks, such as `measure_segmentations`.
    """
    spans = source.file.elements("annotations")
    batches = [spans[k : k + BATCH] for k in range(0, max(len(spans), 1), BATCH)]
    read = partial(_read_batch, source, take)
    workers = min(MAX_WORKERS, os.cpu_count() or 1, len(batches))
    if workers < 2:
        yield from map(read, batches)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(read, batches)
