"""A FiftyOne view as a source of instances."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import UnreadableError
from ..sources.source import Batch, Images, Piece
from .fiftyone_internals import root_dataset
from .label_shapes import find_form
from .samples import stream_samples
from .values import SAMPLE_PATHS, find_size, read_filepath, read_instance_class

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from ..skipped import SkippedItem
    from ..sources.source import Id, Problems
    from .label_shapes import Form
    from .labels import LabelField
    from .samples import Sample

BATCH_LABELS = 512  # that one thread takes at a time
BATCH_STORED = 2**24  # bytes of masks, as they are stored, that one thread takes at a time
BATCH_BYTES = 2**23  # of the masks that one thread holds at a time
_NO_SIZE = (0, 0)


class _Label(NamedTuple):
    """A raw label, with the row and the raw document of its sample."""

    document: dict[str, Any]
    image: int
    sample: dict[str, Any]


def _stored_bytes(label: dict[str, Any]) -> int:
    mask = label.get("mask")
    return len(mask) if isinstance(mask, bytes) else 0


def _read_classes(labels: Sequence[_Label], problems: Problems) -> list[str | None]:
    """The classes of labels; None, and a problem, where one stands for no instance."""
    names: list[str | None] = []
    for row, label in enumerate(labels):
        try:
            names.append(read_instance_class(label.document))
        except UnreadableError as error:
            names.append(None)
            problems[row] = error.reason, error.detail
    return names


def _read_masks(
    form: Form, labels: Sequence[_Label], problems: Problems, boxes: NDArray[np.float64] | None
) -> Iterator[Piece]:
    """Reads the masks of the labels without a problem, `BATCH_BYTES` at a time, and their boxes."""
    rows: list[int] = []
    masks: list[Any] = []
    num_bytes = 0
    for row, label in enumerate(labels):
        if row in problems:
            continue
        try:
            mask = form.read(label.document, label.sample)
        except UnreadableError as error:
            problems[row] = error.reason, error.detail
            continue
        if boxes is not None:
            boxes[row] = mask.box_xywh
        rows.append(row)
        masks.append(mask)
        num_bytes += mask.nbytes
        if num_bytes > BATCH_BYTES:
            yield Piece(np.array(rows), form.join(masks))
            rows, masks, num_bytes = [], [], 0
    if rows:
        yield Piece(np.array(rows), form.join(masks))


class ViewSource:
    """The labels that a view shows; see `tfdp.sources.source.Source`.

    Raw values stream from the database, so that memory grows by some 200 bytes an instance, not by
    its mask. Images are the view's samples, in its order; categories are the names of the classes
    of what can be used, sorted. A mask is measured as it is stored, at its own resolution, and
    learned in the frame of its image, whose size is known from its metadata or else from the file.

    Attributes:
        unplaced: ids of the labels that are not among the entries when masks are learned, since
            nothing tells the size of their image; known when all batches have been read.
    """

    kind = "label"
    ids_are_unique = False  # two samples may hold one label
    max_threads = 2  # zlib and the geometry run beside the interpreter, the rest does not

    def __init__(self, view: SampleCollection, field: LabelField) -> None:
        """Reads nothing yet.

        Args:
            view: a dataset or view of images.
            field: of Detections with ``mask`` or ``mask_path``, or of closed, filled Polylines.
        """
        self.name = root_dataset(view).name
        self.total = len(view)
        self.unplaced: list[str] = []
        self._view, self._field = view, field
        self._ids: list[str] = []
        self._filepaths: list[str] = []
        self._sizes: list[tuple[int, int]] = []
        self._skipped: list[SkippedItem] = []
        self._classes: set[str] = set()

    def batches(self, *, for_learning: bool) -> Iterator[Callable[[], Batch]]:
        """The labels in the order of their samples; at least one batch, be it empty."""
        form = find_form(self._field.kind, in_frames=for_learning)
        batch: list[_Label] = []
        stored = done = 0
        keys = ("label", "iscrowd", *form.keys)
        samples = stream_samples(self._view, self._field, keys, SAMPLE_PATHS)
        for image, sample in enumerate(samples):
            labels = self._take(sample, for_learning=for_learning)
            batch += [_Label(label, image, sample.document) for label in labels]
            stored += sum(map(_stored_bytes, labels))
            if len(batch) >= BATCH_LABELS or stored >= BATCH_STORED:
                yield partial(self._read_batch, form, batch, len(self._ids) - done)
                batch, stored, done = [], 0, len(self._ids)
        yield partial(self._read_batch, form, batch, len(self._ids) - done)

    def images(self) -> Images:
        """The samples; those whose size was not looked for, or not found, have 0 x 0 px."""
        heights, widths = np.array(self._sizes, np.int64).reshape(-1, 2).T
        return Images(self._ids, self._filepaths, heights, widths)

    def categories(self) -> Mapping[Id, str]:
        """The name of each class by itself."""
        return {name: name for name in sorted(self._classes)}

    def skipped(self) -> list[SkippedItem]:
        """What stands among the labels of samples and is none."""
        return self._skipped

    def _take(self, sample: Sample, *, for_learning: bool) -> list[dict[str, Any]]:
        """Notes a sample; gives those of its labels that can be looked at."""
        size = find_size(sample.document) if for_learning else _NO_SIZE
        height, width = size or _NO_SIZE
        self._ids.append(sample.id)
        self._filepaths.append(read_filepath(sample.document))
        self._sizes.append((height, width))
        self._skipped += sample.skipped
        if size is None:
            self.unplaced += [str(label["_id"]) for label in sample.labels]
            return []
        if for_learning:
            sample.document["metadata"] = {"height": height, "width": width}
        return sample.labels

    def _read_batch(self, form: Form, labels: list[_Label], num_samples: int) -> Batch:
        problems: Problems = {}
        classes = _read_classes(labels, problems)
        boxes = np.full((len(labels), 4), np.nan) if form.has_box else None
        return Batch(
            ids=[str(label.document["_id"]) for label in labels],
            image_index=np.array([label.image for label in labels], np.int64),
            categories=classes,
            pieces=self._read_pieces(form, labels, classes, problems, boxes),
            problems=problems,
            boxes=boxes,
            progress=num_samples,
        )

    def _read_pieces(
        self,
        form: Form,
        labels: list[_Label],
        classes: list[str | None],
        problems: Problems,
        boxes: NDArray[np.float64] | None,
    ) -> Generator[Piece, None, None]:
        yield from _read_masks(form, labels, problems, boxes)
        # by now what could not be drawn is among the problems, too
        used = (name for row, name in enumerate(classes) if row not in problems)
        self._classes.update(name for name in used if name is not None)
