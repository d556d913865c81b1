"""A FiftyOne view -> the instances measured in it, streamed: no masks are kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain, compress
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np

from ..columns import object_array
from ..errors import UnreadableError
from ..geometry.contours import Contours
from ..geometry.masks import MaskProblem
from ..geometry.rasterize import Rasterizer
from ..scores.instances import Collection, Instances
from ..skipped import Skipped, SkippedItem
from ..sources.ahead import run_ahead
from .labels import check_view, find_mask_field, project_labels, stream_raw
from .masks import read_mask
from .shapes import join_contours, measure_bitmaps, measure_outlines
from .values import (
    read_filepath,
    read_instance_class,
    read_labels,
    read_outline,
    read_size,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray


Report = Callable[[int], Any]  # is told how many samples more are done

BATCH_LABELS = 512  # that one thread takes at a time
BATCH_STORED = 2**24  # bytes of masks, as they are stored, that one thread takes at a time
BATCH_BYTES = 2**23  # of the masks that one thread holds at a time

_LABEL_KEYS = {
    "detections": ("_id", "label", "iscrowd", "mask", "mask_path"),
    "polylines": ("_id", "label", "iscrowd", "points", "closed", "filled"),
}


class _RawLabel(NamedTuple):
    """A label as it lies in the database, with the row and the document of its image."""

    label: dict[str, Any]
    image: int
    document: dict[str, Any]


class _Measured(NamedTuple):
    """The labels of a batch: those measured, (n,) each, and those skipped."""

    ids: list[str]
    images: list[int]
    classes: list[str]
    contours: list[Contours]
    skipped: list[SkippedItem]


def _measure_batch(
    batch: list[_RawLabel],
    read: Callable[[_RawLabel], Any],
    measure: Callable[[list[Any]], tuple[Contours, NDArray[np.uint8]]],
) -> _Measured:
    """Reads and measures the labels of a batch, `BATCH_BYTES` of masks at a time."""
    done = _Measured([], [], [], [], [])
    shapes: list[Any] = []
    problems: list[NDArray[np.uint8]] = []
    num_bytes = 0

    def measure_waiting() -> None:
        contours, found = measure(shapes)
        done.contours.append(contours)
        problems.append(found)
        shapes.clear()

    for raw in batch:
        label_id = str(raw.label["_id"])
        try:
            name = read_instance_class(raw.label)
            shapes.append(read(raw))
        except UnreadableError as error:
            done.skipped.append(SkippedItem("label", label_id, error.reason, error.detail))
            continue
        done.ids.append(label_id)
        done.images.append(raw.image)
        done.classes.append(name)
        num_bytes += getattr(shapes[-1], "nbytes", 0)
        if num_bytes > BATCH_BYTES:
            measure_waiting()
            num_bytes = 0
    if shapes:
        measure_waiting()
    return _drop_problems(done, np.concatenate([np.empty(0, np.uint8), *problems]))


def _drop_problems(done: _Measured, problems: NDArray[np.uint8]) -> _Measured:
    """Moves what could not be drawn to the skipped ones."""
    if not problems.any():
        return done
    good = problems == 0
    for label_id, problem in zip(done.ids, problems.tolist(), strict=True):
        if problem:
            reason = MaskProblem(problem).name.lower()
            done.skipped.append(SkippedItem("label", label_id, reason))
    contours = join_contours(done.contours)
    return _Measured(
        list(compress(done.ids, good)),
        list(compress(done.images, good)),
        list(compress(done.classes, good)),
        [Contours(contours.area[good], contours.perimeter[good], contours.pixel_area[good])],
        done.skipped,
    )


def _stored_bytes(label: dict[str, Any]) -> int:
    mask = label.get("mask")
    return len(mask) if isinstance(mask, bytes) else 0


class _Samples:
    """The samples of a view as they come by, cut into batches of labels."""

    def __init__(
        self, documents: Iterator[dict[str, Any]], path: str, report: Report | None
    ) -> None:
        self.documents = documents
        self.path = path
        self.report = report
        self.ids: list[str] = []
        self.filepaths: list[str] = []
        self.skipped: list[SkippedItem] = []

    def batches(self) -> Iterator[list[_RawLabel]]:
        batch: list[_RawLabel] = []
        reported = stored = 0
        for image, document in enumerate(self.documents):
            self.ids.append(str(document["_id"]))
            self.filepaths.append(read_filepath(document))
            labels, no_labels = read_labels(document, self.path)
            self.skipped += no_labels
            batch += [_RawLabel(label, image, document) for label in labels]
            stored += sum(map(_stored_bytes, labels))
            if len(batch) >= BATCH_LABELS or stored >= BATCH_STORED:
                yield batch
                batch, stored = [], 0
                self._tell(len(self.ids) - reported)
                reported = len(self.ids)
        yield batch
        self._tell(len(self.ids) - reported)

    def _tell(self, num_samples: int) -> None:
        if self.report is not None:
            self.report(num_samples)


def _collect(samples: _Samples, parts: list[_Measured], rasterizer: Rasterizer) -> Collection:
    """Everything read, the categories sorted by name."""
    contours = join_contours(list(chain.from_iterable(part.contours for part in parts)))
    names = sorted(set().union(*(part.classes for part in parts)))
    row_of_name = {name: row for row, name in enumerate(names)}
    categories = [row_of_name[name] for part in parts for name in part.classes]
    return Collection(
        image_ids=object_array(samples.ids),
        file_names=object_array(samples.filepaths),
        category_ids=object_array(names),
        category_names=object_array(names),
        instances=Instances(
            object_array(list(chain.from_iterable(part.ids for part in parts))),
            np.array(list(chain.from_iterable(part.images for part in parts)), np.int64),
            np.array(categories, np.int64),
            contours.area,
            contours.perimeter,
            contours.pixel_area,
        ),
        skipped=Skipped([*samples.skipped, *chain.from_iterable(part.skipped for part in parts)]),
        rasterizer=rasterizer,
    )


def read_view(
    view: SampleCollection,
    label_field: str,
    rasterizer: Rasterizer = "coco",
    report: Report | None = None,
) -> Collection:
    """Measures every instance that a FiftyOne view shows.

    Raw values stream from the database and are measured in batches, so that memory grows by some
    200 bytes an instance, not by its mask.

    Args:
        view: a dataset or view of images. Labels that it filters out are not read.
        label_field: name of a field of Detections with ``mask`` or ``mask_path``, or of closed,
            filled Polylines. A mask is measured as it is stored, at its own resolution.
        rasterizer: what draws Polylines; masks need none.
        report: called every now and then with the number of samples read since.

    Returns:
        The instances; labels without a readable mask or a class, and crowds, are listed as skipped.
        Images are the view's samples, in its order; categories are class names.

    Raises:
        ValueError: the view or the field can't be scored; the message says what could be.
    """
    if rasterizer not in get_args(Rasterizer):
        known = ", ".join(get_args(Rasterizer))
        raise ValueError(f"unknown rasterizer {rasterizer!r}; choose one of {known}")
    check_view(view)
    field = find_mask_field(view, label_field)
    if field.kind == "detections":
        measure = partial(
            _measure_batch, read=lambda raw: read_mask(raw.label), measure=measure_bitmaps
        )
    else:
        measure = partial(
            _measure_batch,
            read=lambda raw: read_outline(raw.label, *read_size(raw.document)),
            measure=partial(measure_outlines, rasterizer=rasterizer),
        )
    paths = ["filepath", "metadata.width", "metadata.height"]
    labels = project_labels(field.path, _LABEL_KEYS[field.kind])
    samples = _Samples(stream_raw(view, paths, labels), field.path, report)
    # zlib and the geometry run beside the interpreter, the rest does not
    parts = list(run_ahead(measure, samples.batches()))
    return _collect(samples, parts, rasterizer)
