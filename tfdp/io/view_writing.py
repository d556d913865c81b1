"""Values into a FiftyOne dataset: one update a sample, in bulk, found by ids."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo
import fiftyone.core.odm as foo
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from .view_labels import raw_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .view_labels import LabelField
    from .view_reading import Report

BATCH_SAMPLES = 512
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


def write_values(
    dataset: fo.Dataset,
    sample_ids: NDArray[Any],
    columns: Mapping[str, NDArray[Any]],
    labels: LabelValues | None = None,
    report: Report | None = None,
) -> None:
    """Writes values of samples, and of their labels, each sample by one update.

    Labels are found by their ids at the time of writing: lists that were reordered, grown or cut
    since they were read are no problem, and a label that is gone is passed over.

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
    for start in range(0, len(sample_ids), BATCH_SAMPLES):
        rows = range(start, min(start + BATCH_SAMPLES, len(sample_ids)))
        ids = [ObjectId(sample_ids[row]) for row in rows]
        updates = {
            _id: {name: column[row] for name, column in values.items()}
            for _id, row in zip(ids, rows, strict=True)
        }
        of_label = None if labels is None else _label_updates(labels, rows)
        _write_batch(dataset, updates, labels, of_label)
        if report is not None:
            report(len(rows))


def _plain(column: NDArray[Any]) -> list[Any]:
    """Python values, None for NaN."""
    if np.issubdtype(column.dtype, np.floating):
        return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124
    return column.tolist()


def _label_updates(labels: LabelValues, rows: range) -> dict[ObjectId, dict[str, Any]]:
    """Label id -> attribute values, for the labels of the samples in ``rows``."""
    start, stop = np.searchsorted(labels.sample_index, [rows.start, rows.stop])
    names = list(labels.columns)
    per_label = zip(*(_plain(column[start:stop]) for column in labels.columns.values()), strict=True)
    ids = (ObjectId(label_id) for label_id in labels.ids[start:stop])
    return {
        label_id: dict(zip(names, values, strict=True))
        for label_id, values in zip(ids, per_label, strict=True)
    }


def _write_batch(
    dataset: fo.Dataset,
    updates: dict[ObjectId, dict[str, Any]],
    labels: LabelValues | None,
    of_label: dict[ObjectId, dict[str, Any]] | None,
) -> None:
    """Writes one batch; samples whose labels moved between reading and writing are tried again."""
    collection = dataset._sample_collection  # noqa: SLF001
    without = set(labels.without) if labels is not None else set()
    for _ in range(_MAX_TRIES):
        ops = []
        if labels is None or of_label is None:
            ops = [_update(_id, values) for _id, values in updates.items()]
        else:
            wanted = {"_id": {"$in": list(updates)}}
            for sample in collection.find(wanted, {f"{labels.field.path}._id": 1}):
                ops.append(_update_with_labels(sample, updates[sample["_id"]], labels.field, of_label, without))
        results = foo.bulk_write(ops, collection, batcher=False)
        if sum(result.matched_count for result in results) == len(ops):
            break
    else:
        raise ValueError("another process keeps changing the labels; run this again when it is done")
    fo.Sample._reload_docs(  # noqa: SLF001
        dataset._sample_collection_name,  # noqa: SLF001
        sample_ids=[str(_id) for _id in updates],
    )


def _update(_id: ObjectId, values: dict[str, Any]) -> UpdateOne:
    return UpdateOne({"_id": _id}, {"$set": {**values, "last_modified_at": _now()}})


def _update_with_labels(
    sample: dict[str, Any],
    values: dict[str, Any],
    field: LabelField,
    of_label: dict[ObjectId, dict[str, Any]],
    without: set[str],
) -> UpdateOne:
    """Sets by position, on the condition that every label is still where it was."""
    wanted = {"_id": sample["_id"]}
    values = {**values, "last_modified_at": _now()}
    for position, label in enumerate(raw_value(sample, field.path) or ()):
        attributes = of_label.get(label["_id"])
        if attributes is not None:
            place = f"{field.path}.{position}."
            wanted[place + "_id"] = label["_id"]
            for name, value in attributes.items():
                values[place + name] = value
    return UpdateOne(wanted, {"$set": values})


def _now() -> datetime:
    return datetime.now(timezone.utc)
