"""The samples of a FiftyOne view as they lie in the database, streamed: one loop for all readers.

What stands among the labels and is none is passed over here, with the same reasons for everyone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bson import ObjectId

from ..skipped import SkippedItem
from .fiftyone_internals import aggregate
from .labels import ClassField

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fiftyone.core.collections import SampleCollection

    from .labels import LabelField

_NO_LIST = (None, "null", "missing", "undefined")  # as `project_list` gives it


class Sample(NamedTuple):
    """A sample with its labels.

    Attributes:
        id: of the sample.
        document: what was asked for of it, raw: a database may hold anything.
        labels: the raw documents of those of its labels that have an id.
        skipped: the others, or what there is instead of a list of labels.
    """

    id: str
    document: dict[str, Any]
    labels: list[dict[str, Any]]
    skipped: list[SkippedItem]


def raw_value(document: dict[str, Any], path: str) -> Any:
    """The value at ``path`` of a raw document; None where it is missing."""
    value: Any = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def raw_list(document: dict[str, Any], path: str) -> list[Any]:
    """The list at ``path`` of a raw document; empty where there is none."""
    found = raw_value(document, path)
    return found if isinstance(found, list) else []


def project_list(path: str, keys: Sequence[str]) -> dict[str, Any]:
    """What a query shows of the list at ``path``: these keys of each entry.

    Every entry stays in its place, also one that is no label (a plain projection drops it). Where
    there is no list, the name of the type of what there is comes instead ("null", "missing").
    """
    entries = {"$map": {"input": f"${path}", "in": {key: f"$$this.{key}" for key in keys}}}
    return {path: {"$cond": [{"$isArray": f"${path}"}, entries, {"$type": f"${path}"}]}}


def project_labels(field: LabelField | None, keys: Sequence[str]) -> dict[str, Any]:
    """What a query shows of the labels of a field, for `read_samples`: these keys, and the id."""
    if field is None:
        return {}
    if isinstance(field, ClassField):
        return {f"{field.path}.{key}": 1 for key in keys}
    return project_list(field.path, ("_id", *keys))


def _read_list(document: dict[str, Any], path: str) -> tuple[list[Any], list[SkippedItem]]:
    """The raw labels in the list at ``path``, and what there is no label."""
    found, sample_id = raw_value(document, path), str(document["_id"])
    if found in _NO_LIST:
        return [], []
    if not isinstance(found, list):
        detail = f"expected a list of labels in {path}, but it is of type {found}"
        return [], [SkippedItem("sample", sample_id, "bad_labels", detail)]
    labels, skipped = [], []
    for number, label in enumerate(found):
        if isinstance(label.get("_id"), ObjectId):
            labels.append(label)
        else:
            detail = f"entry {number} of {path} has no id of a label"
            skipped.append(SkippedItem("sample", sample_id, "bad_id", detail))
    return labels, skipped


def read_samples(documents: Iterable[dict[str, Any]], field: LabelField | None) -> Iterator[Sample]:
    """The samples in raw documents, which come from a query with `project_labels`.

    Args:
        documents: of samples.
        field: of their labels; None for none. A Classification is its sample's one label.
    """
    for document in documents:
        labels: list[Any] = []
        skipped: list[SkippedItem] = []
        if isinstance(field, ClassField):
            label = raw_value(document, field.path)
            labels = [label] if isinstance(label, dict) else []
        elif field is not None:
            labels, skipped = _read_list(document, field.path)
        yield Sample(str(document["_id"]), document, labels, skipped)


def stream_samples(
    view: SampleCollection,
    field: LabelField | None = None,
    keys: Sequence[str] = (),
    paths: Sequence[str] = (),
) -> Iterator[Sample]:
    """The samples of a view, in its order; what it filters out is not among them.

    They come from the database in batches of 16 MB at most, so that memory does not grow with the
    view.

    Args:
        view: a dataset or view.
        field: of labels, if they are asked for.
        keys: what is asked for of each label, beside its id.
        paths: of what is asked for of each sample, likewise.
    """
    projection = {"_id": 1, **dict.fromkeys(paths, 1), **project_labels(field, keys)}
    return read_samples(aggregate(view, [{"$project": projection}]), field)
