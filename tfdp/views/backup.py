"""Values of fields, set aside in the database before they are replaced, and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
import numpy as np
from bson import ObjectId

from ..columns import object_array
from .fiftyone_internals import sample_collection
from .samples import raw_list, raw_value
from .writing import LabelValues, write_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import fiftyone as fo

    from .labels import LabelField

BATCH = 1000  # samples that are put back at a time
_PREFIX = "tfdp_backup_"


def back_up_values(
    dataset: fo.Dataset, name: str, paths: Sequence[str], sample_ids: Sequence[ObjectId] | None
) -> None:
    """Copies the values at ``paths``, of these samples or of all, inside the database.

    Args:
        dataset: where the fields are.
        name: of the backup.
        paths: of samples, and of labels in lists.
        sample_ids: None for all samples.
    """
    keys = {path.rpartition(".")[0] + "._id" for path in paths if "." in path}
    copy: list[dict[str, Any]] = [
        {"$project": dict.fromkeys([*paths, *sorted(keys)], 1)},
        {"$merge": {"into": _PREFIX + name}},
    ]
    samples = sample_collection(dataset)
    if sample_ids is None:
        samples.aggregate(copy)
        return
    for start in range(0, len(sample_ids), 100_000):
        wanted = {"_id": {"$in": sample_ids[start : start + 100_000]}}
        samples.aggregate([{"$match": wanted}, *copy])


def _batches(name: str) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for document in foo.get_db_conn()[_PREFIX + name].find():
        batch.append(document)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _label_values(
    batch: list[dict[str, Any]], field: LabelField, paths: Sequence[str]
) -> LabelValues:
    """The values of the labels in a batch."""
    labels = [
        (row, label)
        for row, document in enumerate(batch)
        for label in raw_list(document, field.path)
        if isinstance(label.get("_id"), ObjectId)
    ]
    names = [path.rpartition(".")[2] for path in paths]
    return LabelValues(
        field,
        np.array([row for row, _ in labels], np.int64),
        object_array([str(label["_id"]) for _, label in labels]),
        {name: object_array([label.get(name) for _, label in labels]) for name in names},
    )


def restore_values(
    dataset: fo.Dataset, name: str, paths: Sequence[str], field: LabelField | None
) -> None:
    """Puts the values of a backup back where they were; labels are found by their ids.

    Args:
        dataset: where the fields are.
        name: of the backup.
        paths: as they were backed up.
        field: the list that the paths of labels are in, where it is a list.
    """
    in_list = [p for p in paths if field is not None and p.startswith(field.path + ".")]
    plain = [path for path in paths if path not in in_list]
    for batch in _batches(name):
        ids = object_array([str(document["_id"]) for document in batch])
        on_samples = {p: object_array([d.get(p) for d in batch]) for p in plain if "." not in p}
        labels = _label_values(batch, field, in_list) if field is not None and in_list else None
        write_values(dataset, ids, on_samples, labels)
        for path in (path for path in plain if "." in path):
            root = path.rpartition(".")[0]
            held = [d for d in batch if raw_value(d, f"{root}._id") is not None]
            ids = object_array([str(document["_id"]) for document in held])
            same = {f"{root}._id": object_array([raw_value(d, f"{root}._id") for d in held])}
            values = {path: object_array([raw_value(d, path) for d in held])}
            write_values(dataset, ids, values, where=same)


def drop_backup(name: str) -> None:
    """Deletes a backup, where it is there."""
    foo.get_db_conn().drop_collection(_PREFIX + name)
