"""The COCO ids of a FiftyOne dataset's images, annotations and categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .fiftyone_internals import sample_collection
from .samples import project_labels, read_samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    import fiftyone as fo

    from .labels import LabelField


class CocoIds(NamedTuple):
    """The ids of a dataset's images, annotations and categories, the same for all its views.

    Attributes:
        images: sample id -> image id.
        annotations: label id -> annotation id.
        categories: class name -> COCO category, a JSON object.
    """

    images: Mapping[str, int]
    annotations: Mapping[str, int]
    categories: dict[str, dict[str, Any]]

    def category_of(self, name: str) -> int:
        """The id of a class; a view's own class, as of ``map_labels``, gets the next number."""
        if name not in self.categories:
            last = max((category["id"] for category in self.categories.values()), default=0)
            self.categories[name] = {"id": last + 1, "name": name}
        return self.categories[name]["id"]


def _usable(ids: list[Any]) -> bool:
    """Whether ids that the dataset holds can be kept: integers, each once."""
    return len(ids) > 0 and all(type(i) is int for i in ids) and len(set(ids)) == len(ids)


def _number(held: list[tuple[str, Any]]) -> dict[str, int]:
    """Key -> id; or its number, where the ids can't be kept."""
    if _usable([i for _, i in held]):
        return dict(held)
    return {key: number for number, (key, _) in enumerate(held, start=1)}


def find_id_field(dataset: fo.Dataset) -> str | None:
    """The sample field that holds COCO image ids, as FiftyOne's importer names it."""
    names = list(dataset.get_field_schema())
    return next((name for name in names if name == "coco_id" or name.endswith("_coco_id")), None)


def _assign_categories(dataset: fo.Dataset, names: set[str]) -> dict[str, dict[str, Any]]:
    """The categories that FiftyOne's importer kept, or else numbers in order of names."""
    stored = dataset.info.get("categories")
    named = isinstance(stored, list) and all(
        isinstance(c, dict) and isinstance(c.get("name"), str) for c in stored
    )
    if named and _usable([c.get("id") for c in stored]):
        categories = {c["name"]: dict(c) for c in stored}
        if len(categories) == len(stored):
            number = max(c["id"] for c in stored)
            for extra, name in enumerate(sorted(names - categories.keys()), start=1):
                categories[name] = {"id": number + extra, "name": name}
            return categories
    return {name: {"id": k, "name": name} for k, name in enumerate(sorted(names), start=1)}


def assign_ids(dataset: fo.Dataset, field: LabelField) -> CocoIds:
    """The COCO ids that the dataset holds (``coco_id``), or else numbers in order of creation."""
    id_field = find_id_field(dataset)
    image_ids: dict[str, Any] = {}
    annotation_ids: list[tuple[str, Any]] = []
    names: set[str] = set()
    projection = dict.fromkeys([id_field] if id_field else [], 1)
    projection |= project_labels(field, ["label", "coco_id"])
    documents = sample_collection(dataset).find({}, projection).sort("_id")
    for sample in read_samples(documents, field):
        image_ids[sample.id] = sample.document.get(id_field) if id_field else None
        for label in sample.labels:
            annotation_ids.append((str(label["_id"]), label.get("coco_id")))
            if isinstance(label.get("label"), str):
                names.add(label["label"])
    return CocoIds(
        _number(list(image_ids.items())),
        _number(annotation_ids),
        _assign_categories(dataset, names),
    )
