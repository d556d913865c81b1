"""A FiftyOne view -> what a model is trained on and scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..sources.class_records import ClassRecord
from ..sources.records import read_records
from .samples import stream_samples
from .source import ViewSource
from .values import read_filepath

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

    from ..progress import Progress
    from ..skipped import Skipped
    from ..sources.records import ImageRecord
    from .labels import ClassField, LabelField


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


def read_class_rows(view: SampleCollection, field: ClassField) -> list[ClassRecord]:
    """The samples of a view with the class in their field of fo.Classification."""
    rows = []
    for sample in stream_samples(view, field, ["label"], ["filepath"]):
        (label,) = sample.labels or [{}]
        name = label.get("label")
        path = Path(read_filepath(sample.document))
        rows.append(ClassRecord(sample.id, path, name if isinstance(name, str) else None))
    return rows


def read_view_records(
    view: SampleCollection, field: LabelField, progress: bool | Progress | None = False
) -> ViewRecords:
    """Reads the instance masks that a FiftyOne view shows, as run lengths in their image's frame.

    Args:
        view: a dataset or view of images.
        field: of Detections.
        progress: as `tfdp.progress.shown` takes it.
    """
    source = ViewSource(view, field)
    records, skipped = read_records([source], Path(), progress=progress)
    without = [str(item.id) for item in skipped if item.kind == source.kind]
    return ViewRecords(records, [*without, *source.unplaced], skipped)
