"""A FiftyOne view -> what a model is trained on and scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo
import numpy as np
from PIL import Image

from ..masks import mask_runs_to_rle
from ..models.records import ImageRecord
from ..skipped import Skipped
from .view_frames import frame_runs, place_mask
from .view_labels import LabelField, raw_value, stream_raw
from .view_masks import UnreadableError, read_class, read_mask

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
    size = document.get("metadata") or {}
    if size.get("height") and size.get("width"):
        return size["height"], size["width"]
    try:
        with Image.open(document["filepath"]) as image:
            return image.height, image.width
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return None


def _read_instance(
    label: dict[str, Any], height: int, width: int
) -> tuple[str, tuple[float, ...], bytes]:
    """Class, box (x, y, width, height, px) and compressed run lengths of a raw detection."""
    name, mask = read_class(label), read_mask(label)
    box = label.get("bounding_box") or ()
    if len(box) != 4 or not np.isfinite(box).all():
        raise UnreadableError("bad_box", f"expected [x, y, width, height], but got {box}")
    placed = place_mask(mask, box, height, width)
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
        path=Path(document["filepath"]),
        height=height,
        width=width,
        instance_ids=ids,
        labels=[name for name, _, _ in instances],
        boxes=np.array([box for _, box, _ in instances], np.float64).reshape(-1, 4),
        masks=[mask for _, _, mask in instances],
    )


def read_class_rows(view: SampleCollection, name: str) -> list[ClassRow]:
    """The samples of a view with the class in their field of fo.Classification."""
    label = f"{name}.label"
    return [
        ClassRow(str(document["_id"]), Path(document["filepath"]), raw_value(document, label))
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
    paths += [f"{field.path}.{key}" for key in _LABEL_KEYS]
    records, without, skipped = [], [], Skipped()
    for number, document in enumerate(stream_raw(view, paths), start=1):
        labels = raw_value(document, field.path) or []
        record = _read_sample(document, labels, skipped)
        records.append(record)
        used = set(record.instance_ids)
        without += [str(x["_id"]) for x in labels if str(x["_id"]) not in used]
        report(number)
    return ViewRecords(records, without, skipped)
