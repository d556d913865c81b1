"""A FiftyOne view -> the instances measured in it, streamed: no masks are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ..contours import measure_contours
from ..instances import Collection, Instances
from ..masks import MaskProblem, mask_runs_from_bitmaps
from ..rasterize import Rasterizer, rasterize_polygons
from ..skipped import Skipped
from .view_labels import check_view, find_mask_field, object_array, raw_value, stream_raw
from .view_masks import UnreadableError, read_mask, read_outline

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from .view_labels import LabelField

Report = Callable[[int], Any]  # is told how many samples more are done

BATCH_PIXELS = 2**25  # px of masks held at a time
BATCH_LABELS = 4096
_REPORT_EVERY = 64  # samples

_LABEL_KEYS = {
    "detections": ("_id", "label", "iscrowd", "mask", "mask_path"),
    "polylines": ("_id", "label", "iscrowd", "points", "closed", "filled"),
}


def _measure_masks(masks: list[Mask], rasterizer: Rasterizer) -> tuple[Contours, NDArray[np.uint8]]:
    """Measures bitmaps; the second of the two is 0 where there is no `MaskProblem`."""
    del rasterizer
    runs = mask_runs_from_bitmaps(masks)
    return measure_contours(runs), np.zeros(len(runs), np.uint8)


def _measure_outlines(
    outlines: list[Outline], rasterizer: Rasterizer
) -> tuple[Contours, NDArray[np.uint8]]:
    """Draws and measures polylines, as `_measure_masks`."""
    parts = [part for outline in outlines for part in outline.parts]
    runs, problems = rasterize_polygons(
        np.concatenate([np.empty((0, 2)), *parts]),
        _offsets([len(part) for part in parts]),
        _offsets([len(outline.parts) for outline in outlines]),
        np.array([outline.height for outline in outlines], np.int64),
        np.array([outline.width for outline in outlines], np.int64),
        rasterizer,
    )
    return measure_contours(runs), problems


class _Reader:
    """Takes raw samples one after another, and measures their labels in batches."""

    def __init__(self, field: LabelField, rasterizer: Rasterizer) -> None:
        self.field = field
        self.masks = _Bitmaps() if field.kind == "detections" else _Outlines(rasterizer)
        self.sample_ids: list[str] = []
        self.filepaths: list[str] = []
        self.category_of_name: dict[str, int] = {}
        self.batch: list[tuple[str, int, int]] = []  # label id, image row, category row
        self.ids: list[str] = []
        self.rows: list[tuple[NDArray[Any], ...]] = []
        self.skipped = Skipped()

    def add_sample(self, sample: dict[str, Any]) -> None:
        image = len(self.sample_ids)
        self.sample_ids.append(str(sample["_id"]))
        self.filepaths.append(sample.get("filepath", ""))
        metadata = sample.get("metadata") or {}
        width, height = metadata.get("width"), metadata.get("height")
        for label in raw_value(sample, self.field.path) or ():
            try:
                name = _class_of(label)
                self.masks.add(label, width, height)
            except UnreadableError as error:
                self.skipped.add("label", str(label["_id"]), error.reason, error.detail)
            else:
                category = self.category_of_name.setdefault(name, len(self.category_of_name))
                self.batch.append((str(label["_id"]), image, category))
                if len(self.batch) == BATCH_LABELS or self.masks.num_pixels >= BATCH_PIXELS:
                    self.measure_batch()

    def measure_batch(self) -> None:
        if not self.batch:
            return
        columns, problems = self.masks.measure()
        for (label_id, _, _), problem in zip(self.batch, problems, strict=True):
            if problem:
                self.skipped.add("label", label_id, MaskProblem(problem).name.lower())
        good = problems == 0
        ids, images, categories = zip(*self.batch, strict=True)
        self.ids += [label_id for label_id, ok in zip(ids, good, strict=True) if ok]
        places = np.array([images, categories], np.int64)[:, good]
        self.rows.append((*places, *(column[good] for column in columns)))
        self.batch = []

    def collection(self, rasterizer: Rasterizer) -> Collection:
        """Everything read, its categories by name."""
        self.measure_batch()
        image, category, area, perimeter, pixel_area = (
            _join(self.rows, k, dtype)
            for k, dtype in enumerate((np.int64, np.int64, np.float64, np.float64, np.int64))
        )
        names = sorted(self.category_of_name)
        rank = np.empty(len(names), np.int64)
        rank[[self.category_of_name[name] for name in names]] = np.arange(len(names))
        return Collection(
            image_ids=object_array(self.sample_ids),
            file_names=object_array(self.filepaths),
            category_ids=object_array(names),
            category_names=object_array(names),
            instances=Instances(
                object_array(self.ids), image, rank[category], area, perimeter, pixel_area
            ),
            skipped=self.skipped,
            rasterizer=rasterizer,
        )


def _class_of(label: dict[str, Any]) -> str:
    if label.get("iscrowd"):
        raise UnreadableError("crowd")
    name = label.get("label")
    if name is None:
        raise UnreadableError("no_label")
    return name


def _offsets(lengths: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _join(rows: list[tuple[NDArray[Any], ...]], column: int, dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *(row[column] for row in rows)])


def read_view(
    view: SampleCollection,
    label_field: str,
    rasterizer: Rasterizer = "coco",
    report: Report | None = None,
) -> Collection:
    """Measures every instance that a FiftyOne view shows.

    Raw values stream from the database; the masks of one batch at a time are held (`BATCH_PIXELS`),
    so that memory grows by some 200 bytes an instance, not by its mask.

    Args:
        view: a dataset or view of images. Labels that it filters out are not read.
        label_field: name of a field of Detections with ``mask`` or ``mask_path``, or of closed,
            filled Polylines.
        rasterizer: what draws Polylines; masks need none.
        report: called every now and then with the number of samples read since.

    Returns:
        The instances, labels without a readable mask or a class being listed as skipped. Images are
        the view's samples, in its order; categories are the class names, sorted.

    Raises:
        ValueError: the view or the field can't be scored; the message says what could be.
    """
    if rasterizer not in get_args(Rasterizer):
        known = ", ".join(get_args(Rasterizer))
        raise ValueError(f"unknown rasterizer {rasterizer!r}; choose one of {known}")
    check_view(view)
    field = find_mask_field(view, label_field)
    reader = _Reader(field, rasterizer)
    paths = ["filepath", "metadata.width", "metadata.height"]
    paths += [f"{field.path}.{key}" for key in _LABEL_KEYS[field.kind]]
    for sample in stream_raw(view, paths):
        reader.add_sample(sample)
        if report is not None and len(reader.sample_ids) % _REPORT_EVERY == 0:
            report(_REPORT_EVERY)
    if report is not None:
        report(len(reader.sample_ids) % _REPORT_EVERY)
    return reader.collection(rasterizer)
