"""Values into a FiftyOne dataset: one update a sample, in bulk, found by ids."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo
import fiftyone.core.odm as foo
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from .ahead import run_ahead
from .database import soon
from .view_labels import project_labels, raw_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .view_labels import LabelField
    from .view_reading import Report

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


def _update(
    _id: ObjectId, values: dict[str, Any], labels: list[dict[str, Any]], batch: _LabelBatch | None
) -> UpdateOne:
    """Sets a sample's values, and its labels' by position if each is still where it was."""
    wanted = {"_id": _id}
    values = {**values, "last_modified_at": datetime.now(timezone.utc)}
    for position, label in enumerate(labels):
        attributes = batch.attributes(label) if batch is not None else None
        if attributes is not None:
            assert batch is not None
            place = f"{batch.field.path}.{position}."
            wanted[place + "_id"] = label["_id"]
            for name, value in attributes.items():
                values[place + name] = value
    return UpdateOne(wanted, {"$set": values})


def _write_batch(
    dataset: fo.Dataset, updates: dict[ObjectId, dict[str, Any]], batch: _LabelBatch | None
) -> None:
    """Writes one batch; all of it again if labels moved between reading and writing."""
    collection = dataset._sample_collection  # noqa: SLF001
    for _ in range(_MAX_TRIES):
        if batch is None:
            ops = [_update(_id, values, [], None) for _id, values in updates.items()]
        else:
            path = batch.field.path
            labels = project_labels(path, ("_id", *batch.nothing))
            stored = collection.find({"_id": {"$in": list(updates)}}, labels)
            ops = [
                _update(doc["_id"], updates[doc["_id"]], raw_list(doc, path), batch)
                for doc in stored
            ]
        with soon():
            results = foo.bulk_write(ops, collection, batcher=False) if ops else []
        if sum(result.matched_count for result in results) == len(ops):
            break
    else:
        raise ValueError(
            "another process keeps changing the labels; run this again when it is done"
        )


def write_values(
    dataset: fo.Dataset,
    sample_ids: NDArray[Any],
    columns: Mapping[str, NDArray[Any]],
    labels: LabelValues | None = None,
    report: Report | None = None,
) -> None:
    """Writes values of samples, and of their labels, each sample by one update.

    Labels are found by their ids at the time of writing: lists that were reordered, grown or cut
    since they were read are no problem; samples and labels that are gone are passed over.

    Args:
        dataset: where the samples are.
        sample_ids: (I,) ids.
        columns: field name -> (I,) values; NaN and None stand for no value.
        labels: values of labels in these samples.
        report: called after every batch with its number of samples.

    Raises:
        ValueError: the database refused a value, or another process keeps changing the labels.
    """
    values = {name: _plain(column) for name, column in columns.items()}
    without = {ObjectId(label_id) for label_id in labels.without} if labels is not None else set()

    def write(rows: range) -> range:
        updates = {
            ObjectId(sample_ids[row]): {name: column[row] for name, column in values.items()}
            for row in rows
        }
        batch = None if labels is None else _cut_labels(labels, rows, without)
        _write_batch(dataset, updates, batch)
        return rows

    end = len(sample_ids)
    starts = range(0, end, BATCH_SAMPLES)
    # the database writes one batch while the next is made
    for rows in run_ahead(write, (range(k, min(k + BATCH_SAMPLES, end)) for k in starts)):
        if report is not None:
            report(len(rows))
    collection_name = dataset._sample_collection_name  # noqa: SLF001
    fo.Sample._reload_docs(collection_name, sample_ids=list(sample_ids))  # noqa: SLF001
