"""Which fields of a FiftyOne view hold labels, and which of them can be scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo

from ..values import check_text
from .fiftyone_internals import aggregate, root_dataset, shows_other_than_samples

if TYPE_CHECKING:
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


class ClassField(LabelField):
    """A field of fo.Classification: one label a sample, not a list of them."""

    @property
    def path(self) -> str:
        return self.name


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


def list_class_fields(view: SampleCollection) -> list[str]:
    """The names of the fields of ``view`` that hold a Classification."""
    return [
        name
        for name, field in view.get_field_schema().items()
        if getattr(field, "document_type", None) is fo.Classification
    ]


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
