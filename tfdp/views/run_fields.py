"""Which runs filled which fields, and what becomes of a field when a run goes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from .fields import delete_fields, is_marked, is_own
from .fiftyone_internals import sample_collection
from .run_documents import own_documents, view_of_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import fiftyone as fo
    import fiftyone.core.odm as foo


def own_configs(dataset: fo.Dataset) -> dict[str, Any]:
    """Brain key -> the attributes of the config of every run of ours.

    They are read as they are stored, so that a class that can't be imported is no obstacle.
    """
    documents = own_documents(dataset)
    return {key: SimpleNamespace(**document.config) for key, document in documents.items()}


def keys_of_field(dataset: fo.Dataset, path: str) -> list[str]:
    """Brain keys of the runs that filled the field at ``path``."""
    return [key for key, config in own_configs(dataset).items() if path in config.fields]


def list_own_fields(dataset: fo.Dataset) -> list[str]:
    """Paths of all fields of ours."""
    return [path for path in dataset.get_field_schema(flat=True) if is_own(dataset, path)]


def list_leftover_fields(dataset: fo.Dataset) -> list[str]:
    """Paths of the fields of ours that no run lists: of runs that went without them."""
    return [path for path in list_own_fields(dataset) if not keys_of_field(dataset, path)]


def remove_fields(dataset: fo.Dataset, document: foo.RunDocument) -> list[str]:
    """Deletes the fields of a run that is unlisted; where other runs filled them, its values alone.

    Values of a shared field go from the samples that are in this run's view and in no view of the
    others, so that nothing of theirs is lost.

    Returns:
        The paths of the fields that went altogether.
    """
    paths = document.config["fields"]
    shared = {path: keys_of_field(dataset, path) for path in paths}
    gone = delete_fields(dataset, [path for path, keys in shared.items() if not keys])
    documents = own_documents(dataset)
    for path, keys in shared.items():
        if keys and is_marked(dataset, path):
            ids = set(view_of_run(dataset, document).values("id"))
            for key in keys:
                ids -= set(view_of_run(dataset, documents[key]).values("id"))
            clear_values(dataset, path, sorted(ids))
    return gone


def clear_values(dataset: fo.Dataset, path: str, ids: Sequence[str] | None = None) -> None:
    """Sets a field, of samples or of labels, to None in the samples of these ids, or in all."""
    root, _, leaf = path.rpartition(".")
    is_list = root.endswith((".detections", ".polylines"))
    place = f"{root}.$[].{leaf}" if is_list else path
    kind = {root: {"$type": "array" if is_list else "object"}} if root else {}
    for wanted in [{}] if ids is None else _wanted_batches(ids):
        sample_collection(dataset).update_many({**wanted, **kind}, {"$set": {place: None}})
    dataset.reload()


def _wanted_batches(ids: Sequence[str], size: int = 10_000) -> Iterator[dict[str, Any]]:
    for start in range(0, len(ids), size):
        yield {"_id": {"$in": [ObjectId(i) for i in ids[start : start + size]]}}
