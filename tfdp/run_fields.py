"""Which runs filled which fields, and what becomes of a field when a run goes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import fiftyone.core.brain as fob
from bson import ObjectId

from .io.view_fields import delete_fields, is_own

if TYPE_CHECKING:
    from collections.abc import Iterable

    import fiftyone as fo


def own_configs(dataset: fo.Dataset) -> dict[str, Any]:
    """Brain key -> the attributes of the config of every run of ours.

    They are read as they are stored, so that a class that can't be imported is no obstacle.
    """
    documents = dataset._doc.brain_methods  # noqa: SLF001
    return {
        key: SimpleNamespace(**document.config)
        for key, document in sorted(documents.items())
        if "tfdp_version" in document.config
    }


def keys_of_field(dataset: fo.Dataset, path: str) -> list[str]:
    """Brain keys of the runs that filled the field at ``path``."""
    return [key for key, config in own_configs(dataset).items() if path in config.fields]


def delete_run(dataset: fo.Dataset, key: str) -> list[str]:
    """Deletes a run of ours with its fields, also where FiftyOne can't import its class.

    Returns:
        The paths of the fields that went.
    """
    config = own_configs(dataset)[key]
    gone = remove_fields(dataset, key)
    saved_view = getattr(config, "saved_view", None)
    if saved_view in dataset.list_saved_views():
        dataset.delete_saved_view(saved_view)
    fob.BrainMethod.delete_run(dataset, key, cleanup=False)
    return gone


def list_leftover_fields(dataset: fo.Dataset) -> list[str]:
    """Paths of the fields of ours that no run lists: of runs that were killed, for one."""
    paths = [path for path in dataset.get_field_schema(flat=True) if is_own(dataset, path)]
    return [path for path in paths if not keys_of_field(dataset, path)]


def remove_fields(dataset: fo.Dataset, key: str) -> list[str]:
    """Deletes the fields of a run; of fields that other runs filled, too, only its own values.

    Values of a shared field go from the samples that are in this run's view and in no view of the
    others, so that nothing of theirs is lost.

    Returns:
        The paths of the fields that went altogether.
    """
    paths = own_configs(dataset)[key].fields
    shared = {path: [k for k in keys_of_field(dataset, path) if k != key] for path in paths}
    gone = delete_fields(dataset, [path for path, keys in shared.items() if not keys])
    for path, keys in shared.items():
        if keys:
            ids = set(dataset.load_brain_view(key).values("id"))
            for other in keys:
                ids -= set(dataset.load_brain_view(other).values("id"))
            _clear_values(dataset, path, sorted(ids))
    return gone


def _clear_values(dataset: fo.Dataset, path: str, ids: list[str]) -> None:
    """Sets a field to None in the samples of these ids: of all labels, where it is of labels."""
    root, _, leaf = path.rpartition(".")
    is_list = root.endswith((".detections", ".polylines"))
    place = f"{root}.$[].{leaf}" if is_list else path
    collection = dataset._sample_collection  # noqa: SLF001
    for batch in _batches(ids):
        wanted: dict[str, Any] = {"_id": {"$in": [ObjectId(i) for i in batch]}}
        if root:
            wanted[root] = {"$type": "array" if is_list else "object"}
        collection.update_many(wanted, {"$set": {place: None}})
    dataset.reload()


def _batches(ids: list[str], size: int = 10_000) -> Iterable[list[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
