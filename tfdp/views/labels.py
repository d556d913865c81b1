"""Which labels of a FiftyOne view can be scored, and their raw documents, streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo

from ..values import check_text
from .fiftyone_internals import aggregate, root_dataset, shows_other_than_samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fiftyone.core.collections import SampleCollection

_KINDS = {fo.Detections: "detections", fo.Polylines: "polylines"}


class LabelField(NamedTuple):
    """A field that holds lists of labels.

    Attributes:
        name: ``ground_truth``.
        kind: ``detections`` or ``polylines``, which is also the name of the list inside.
    """

    name: str
    kind: str

    @property
    def path(self) -> str:
        """``ground_truth.detections``, where the list is."""
        return f"{self.name}.{self.kind}"


def check_view(view: SampleCollection) -> None:
    """Raises ValueError unless ``view`` is a non-empty collection of images."""
    root_dataset(view)
    if shows_other_than_samples(view):
        raise ValueError(
            "this view shows patches, clips or frames, not samples; use the dataset or the view "
            "that it was made from"
        )
    if view.media_type == "group":
        raise ValueError(
            "this dataset is grouped; choose one slice of images, as in "
            "view.select_group_slices('left')"
        )
    if len(view) == 0:
        raise ValueError("the view is empty; choose one that holds samples")
    if view.media_type != "image":
        raise ValueError(f"the media type must be image, but it is {view.media_type}")


def list_label_fields(view: SampleCollection) -> list[LabelField]:
    """The fields of ``view`` that hold Detections or Polylines, masks or not."""
    found = []
    for name, field in view.get_field_schema().items():
        kind = _KINDS.get(getattr(field, "document_type", None))
        if kind is not None:
            found.append(LabelField(name, kind))
    return found


def list_mask_fields(view: SampleCollection) -> list[str]:
    """The names of the fields of ``view`` that hold at least one instance mask."""
    return [field.name for field in list_label_fields(view) if _holds_mask(view, field)]


def find_label_field(view: SampleCollection, name: str) -> LabelField:
    """The field of that name.

    Raises:
        ValueError: there is none, or it can hold no masks; the message names those that would do.
    """
    check_text("label_field", name)
    for field in list_label_fields(view):
        if field.name == name:
            return field
    found = view.get_field(name)
    if found is None:
        raise ValueError(f"there is no field {name!r} in this view; {_advise(view)}")
    what = getattr(found, "document_type", type(found)).__name__
    raise ValueError(f"field {name!r} holds {what}, not Detections or Polylines; {_advise(view)}")


def find_mask_field(view: SampleCollection, name: str) -> LabelField:
    """The field of that name, which must hold a mask somewhere.

    Raises:
        ValueError: it does not; the message names the fields that do.
    """
    field = find_label_field(view, name)
    if not _holds_mask(view, field):
        expected = "mask or mask_path" if field.kind == "detections" else "closed, filled polyline"
        raise ValueError(
            f"no label of field {name!r} has a {expected} in this view; {_advise(view)}"
        )
    return field


def project_labels(path: str, keys: Sequence[str]) -> dict[str, Any]:
    """What a query shows of the list at ``path``: these keys of each entry.

    Every entry stays in its place, also one that is no label (a plain projection drops it). Where
    there is no list, the name of the type of what there is comes instead ("null", "missing").
    """
    entries = {"$map": {"input": f"${path}", "in": {key: f"$$this.{key}" for key in keys}}}
    return {path: {"$cond": [{"$isArray": f"${path}"}, entries, {"$type": f"${path}"}]}}


def stream_raw(
    view: SampleCollection, paths: list[str], labels: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """The raw documents of a view, in its order, with ``_id``, ``paths`` and ``labels`` alone.

    What the view filters out is not among them. They come from the database in batches of 16 MB
    at most, so that memory does not grow with the view.

    Args:
        view: a dataset or view.
        paths: of fields of samples.
        labels: as `project_labels` gives it.
    """
    pipeline = [{"$project": {**dict.fromkeys(paths, 1), **(labels or {})}}]
    return aggregate(view, pipeline)


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


def _advise(view: SampleCollection) -> str:
    fields = list_mask_fields(view)
    if not fields:
        return "no field of this view holds instance masks"
    return f"fields with instance masks: {', '.join(fields)}"


def _holds_mask(view: SampleCollection, field: LabelField) -> bool:
    some: dict[str, Any] = (
        {"$or": [{"mask": {"$ne": None}}, {"mask_path": {"$ne": None}}]}
        if field.kind == "detections"
        else {"closed": True, "filled": True}
    )
    pipeline: list[dict[str, Any]] = [
        {"$match": {field.path: {"$elemMatch": some}}},
        {"$limit": 1},
        {"$project": {"_id": 1}},
    ]
    return any(aggregate(view, pipeline))
