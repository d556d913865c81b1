"""A FiftyOne view -> what a model is trained on and scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo
import numpy as np
from PIL import Image

from ..errors import UnreadableError
from ..files.regular_files import check_regular_file
from ..geometry.run_lengths import mask_runs_to_rle
from ..skipped import Skipped
from ..sources.records import ImageRecord
from .frames import frame_runs, place_mask
from .labels import LabelField, project_labels, raw_value, stream_raw
from .masks import read_mask
from .values import (
    read_box,
    read_filepath,
    read_instance_class,
    read_labels,
    read_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.core.collections import SampleCollection

_LABEL_KEYS = ("_id", "label", "iscrowd", "mask", "mask_path", "bounding_box")


class ClassField(LabelField):
    """A field of fo.Classification: one label a sample, not a list of them."""

    @property
    def path(self) -> str:
        return self.name


class ViewRecords(NamedTuple):
    """The instances of a view.

    Attributes:
        records: one a sample, in the view's order; ids are those of samples and labels.
        without: ids of the labels that are in no record.
        skipped: those of them that have a trouble of their own. The others are in images whose file
            cannot be read, which is found out again when the model reads it.
    """

    records: list[ImageRecord]
    without: list[str]
    skipped: Skipped


class ClassRow(NamedTuple):
    """A sample with its class; None for none."""

    sample_id: str
    path: Path
    label: str | None


def list_class_fields(view: SampleCollection) -> list[str]:
    """The names of the fields of ``view`` that hold a Classification."""
    return [
        name
        for name, field in view.get_field_schema().items()
        if getattr(field, "document_type", None) is fo.Classification
    ]


def _image_size(document: dict[str, Any]) -> tuple[int, int] | None:
    """(height, width), from the metadata or else from the file; None where neither tells."""
    try:
        return read_size(document)
    except UnreadableError:
        pass
    try:
        path = Path(read_filepath(document))
        check_regular_file(path)
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _read_instance(
    label: dict[str, Any], height: int, width: int
) -> tuple[str, tuple[float, ...], bytes]:
    """Class, box (x, y, width, height, px) and compressed run lengths of a raw detection."""
    name = read_instance_class(label)
    placed = place_mask(read_mask(label), read_box(label), height, width)
    return name, placed.box_xywh, mask_runs_to_rle(frame_runs(placed, height, width))[0]


def _read_sample(
    document: dict[str, Any], labels: list[dict[str, Any]], skipped: Skipped
) -> ImageRecord:
    size = _image_size(document)
    height, width = size or (0, 0)
    ids, instances = [], []
    for label in labels if size else ():
        label_id = str(label["_id"])
        try:
            instances.append(_read_instance(label, height, width))
            ids.append(label_id)
        except UnreadableError as error:
            skipped.add("label", label_id, error.reason, error.detail)
    return ImageRecord(
        image_id=str(document["_id"]),
        path=Path(read_filepath(document)),
        height=height,
        width=width,
        instance_ids=ids,
        labels=[name for name, _, _ in instances],
        boxes=np.array([box for _, box, _ in instances], np.float64).reshape(-1, 4),
        masks=[mask for _, _, mask in instances],
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def read_class_rows(view: SampleCollection, name: str) -> list[ClassRow]:
    """The samples of a view with the class in their field of fo.Classification."""
    label = f"{name}.label"
    return [
        ClassRow(
            str(document["_id"]), Path(read_filepath(document)), _text(raw_value(document, label))
        )
        for document in stream_raw(view, ["filepath", label])
    ]


def read_view_records(
    view: SampleCollection, field: LabelField, report: Callable[[int], Any]
) -> ViewRecords:
    """Reads the instance masks that a FiftyOne view shows, as run lengths in their image's frame.

    Args:
        view: a dataset or view of images.
        field: of Detections.
        report: told the number of samples that are done.
    """
    paths = ["filepath", "metadata.width", "metadata.height"]
    projection = project_labels(field.path, _LABEL_KEYS)
    records, without, skipped = [], [], Skipped()
    for number, document in enumerate(stream_raw(view, paths, projection), start=1):
        labels, no_labels = read_labels(document, field.path)
        skipped.items += no_labels
        record = _read_sample(document, labels, skipped)
        records.append(record)
        used = set(record.instance_ids)
        without += [str(x["_id"]) for x in labels if str(x["_id"]) not in used]
        report(number)
    return ViewRecords(records, without, skipped)
