"""Values into a FiftyOne dataset: one update a sample, in bulk, found by ids."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone.core.odm as foo
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from ..progress import counted, unseen
from ..sources.ahead import run_ahead
from .database import soon
from .fiftyone_internals import reload_samples, sample_collection
from .samples import project_list, raw_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import fiftyone as fo
    from numpy.typing import NDArray

    from ..progress import Progress
    from .labels import LabelField

BATCH_SAMPLES = 128
_MAX_TRIES = 5


class LabelValues(NamedTuple):
    """Values of N labels.

    Attributes:
        field: where the labels are.
        sample_index: (N,) row of each label's sample; rising.
        ids: (N,) label ids.
        columns: attribute name -> (N,) float64; NaN stands for no value.
        without: ids of labels that must have no value, whatever was there before.
    """

    field: LabelField
    sample_index: NDArray[np.int64]
    ids: NDArray[Any]
    columns: Mapping[str, NDArray[np.float64]]
    without: Sequence[str] = ()


class _LabelBatch(NamedTuple):
    """What becomes of the labels in one batch of samples."""

    field: LabelField
    values: dict[ObjectId, dict[str, Any]]  # label id -> attributes
    without: set[ObjectId]
    nothing: dict[str, None]

    def attributes(self, label: dict[str, Any]) -> dict[str, Any] | None:
        """What to set on a raw label; None for nothing at all."""
        label_id = label.get("_id")
        if not isinstance(label_id, ObjectId):
            return None
        if label_id in self.without and any(label.get(name) is not None for name in self.nothing):
            return self.nothing
        return self.values.get(label_id)


def _plain(column: NDArray[Any]) -> list[Any]:
    """Python values, None for NaN."""
    if np.issubdtype(column.dtype, np.floating):
        return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124
    return column.tolist()


def _cut_labels(labels: LabelValues, rows: range, without: set[ObjectId]) -> _LabelBatch:
    """The labels of the samples in ``rows``."""
    start, stop = np.searchsorted(labels.sample_index, [rows.start, rows.stop])
    columns = [_plain(column[start:stop]) for column in labels.columns.values()]
    names = list(labels.columns)
    values = {
        ObjectId(label_id): dict(zip(names, row, strict=True))
        for label_id, *row in zip(labels.ids[start:stop], *columns, strict=True)
    }
    return _LabelBatch(labels.field, values, without, dict.fromkeys(names))


class _SampleUpdate(NamedTuple):
    """What becomes of a sample: the values, if it is as wanted."""

    wanted: dict[str, Any]
    values: dict[str, Any]

    def op(self) -> UpdateOne:
        now = datetime.now(timezone.utc)
        return UpdateOne(self.wanted, {"$set": {**self.values, "last_modified_at": now}})


def _with_labels(
    update: _SampleUpdate, labels: list[dict[str, Any]], batch: _LabelBatch
) -> _SampleUpdate:
    """Sets a sample's labels, too, by position, if each is still where it was."""
    wanted, values = dict(update.wanted), dict(update.values)
    for position, label in enumerate(labels):
        attributes = batch.attributes(label)
        if attributes is not None:
            place = f"{batch.field.path}.{position}."
            wanted[place + "_id"] = label["_id"]
            for name, value in attributes.items():
                values[place + name] = value
    return _SampleUpdate(wanted, values)


def _write_updates(dataset: fo.Dataset, updates: Iterable[_SampleUpdate]) -> bool:
    """Whether all samples were as wanted."""
    ops = [update.op() for update in updates]
    results = foo.bulk_write(ops, sample_collection(dataset), batcher=False) if ops else []
    return sum(result.matched_count for result in results) == len(ops)


def _write_with_labels(
    dataset: fo.Dataset, updates: dict[ObjectId, _SampleUpdate], batch: _LabelBatch
) -> None:
    """Writes one batch; all of it again if labels moved between reading and writing."""
    path = batch.field.path
    labels = project_list(path, ("_id", *batch.nothing))
    for _ in range(_MAX_TRIES):
        with soon():
            stored = sample_collection(dataset).find({"_id": {"$in": list(updates)}}, labels)
            found = [_with_labels(updates[d["_id"]], raw_list(d, path), batch) for d in stored]
            if _write_updates(dataset, found):
                return
    raise ValueError("another process keeps changing the labels; run this again when it is done")


def write_values(
    dataset: fo.Dataset,
    sample_ids: NDArray[Any],
    columns: Mapping[str, NDArray[Any]],
    labels: LabelValues | None = None,
    progress: Progress = unseen,
    where: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Writes values of samples, and of their labels, each sample by one update.

    Labels are found by their ids at the time of writing: lists that were reordered, grown or cut
    since they were read are no problem; samples and labels that are gone are passed over.

    Args:
        dataset: where the samples are.
        sample_ids: (I,) ids.
        columns: field name -> (I,) values; NaN and None stand for no value.
        labels: values of labels in these samples.
        progress: told after every batch.
        where: path -> (I,) values; a sample that holds another one there is passed over, too.

    Raises:
        ValueError: the database refused a value, or another process keeps changing the labels.
    """
    values = {name: _plain(column) for name, column in columns.items()}
    without = {ObjectId(label_id) for label_id in labels.without} if labels is not None else set()

    def write(rows: range) -> range:
        updates = {}
        for row in rows:
            wanted = {"_id": ObjectId(sample_ids[row])}
            wanted |= {path: column[row] for path, column in (where or {}).items()}
            of_sample = {name: column[row] for name, column in values.items()}
            updates[wanted["_id"]] = _SampleUpdate(wanted, of_sample)
        if labels is not None:
            _write_with_labels(dataset, updates, _cut_labels(labels, rows, without))
            return rows
        with soon():
            _write_updates(dataset, updates.values())
        return rows

    end = len(sample_ids)
    starts = range(0, end, BATCH_SAMPLES)
    report = counted(progress, end, "writing the scores")
    # the database writes one batch while the next is made
    for rows in run_ahead(write, (range(k, min(k + BATCH_SAMPLES, end)) for k in starts)):
        report(len(rows))
    reload_samples(dataset, sample_ids)
