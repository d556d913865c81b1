"""A FiftyOne view -> a COCO file of its own: run lengths, true mask areas, ids that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from ..errors import UnreadableError
from ..geometry.masks import MaskProblem, MaskRuns
from ..geometry.rasterize import rasterize_polygons
from ..geometry.run_lengths import mask_runs_to_rle
from ..skipped import Skipped
from ..version import __version__
from .fiftyone_internals import sample_collection
from .frames import frame_runs, place_mask
from .labels import project_labels, stream_raw
from .masks import read_mask
from .values import (
    read_box,
    read_class,
    read_crowd,
    read_filepath,
    read_labels,
    read_outline,
    read_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from .labels import LabelField

_LABEL_KEYS = ("_id", "label", "iscrowd", "coco_id")
_MASK_KEYS = {
    "detections": ("mask", "mask_path", "bounding_box"),
    "polylines": ("points", "closed", "filled"),
}


class CocoIds(NamedTuple):
    """The ids of a dataset's images, annotations and categories, the same for all its views.

    Attributes:
        images: sample id -> image id.
        annotations: label id -> annotation id.
        categories: class name -> COCO category, a JSON object.
    """

    images: Mapping[str, int]
    annotations: Mapping[str, int]
    categories: Mapping[str, dict[str, Any]]


def _usable(ids: list[Any]) -> bool:
    """Whether ids that the dataset holds can be kept: integers, each once."""
    return len(ids) > 0 and all(type(i) is int for i in ids) and len(set(ids)) == len(ids)


def _number(keys: list[str], ids: list[Any]) -> dict[str, int]:
    """Key -> id; or its number, where the ids can't be kept."""
    if _usable(ids):
        return dict(zip(keys, ids, strict=True))
    return {key: number for number, key in enumerate(keys, start=1)}


def find_id_field(dataset: fo.Dataset) -> str | None:
    """The sample field that holds COCO image ids, as FiftyOne's importer names it."""
    names = list(dataset.get_field_schema())
    return next((name for name in names if name == "coco_id" or name.endswith("_coco_id")), None)


def assign_ids(dataset: fo.Dataset, field: LabelField) -> CocoIds:
    """The COCO ids that the dataset holds (``coco_id``), or else numbers in order of creation."""
    id_field = find_id_field(dataset)
    samples, image_ids, labels, annotation_ids = [], [], [], []
    names: set[str] = set()
    projection = {id_field: 1} if id_field else {}
    projection |= project_labels(field.path, _LABEL_KEYS)
    for sample in sample_collection(dataset).find({}, projection).sort("_id"):
        samples.append(str(sample["_id"]))
        image_ids.append(sample.get(id_field) if id_field else None)
        for label in read_labels(sample, field.path)[0]:
            labels.append(str(label["_id"]))
            annotation_ids.append(label.get("coco_id"))
            if isinstance(label.get("label"), str):
                names.add(label["label"])
    return CocoIds(
        _number(samples, image_ids),
        _number(labels, annotation_ids),
        _assign_categories(dataset, names),
    )


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


def _read_detection(
    label: dict[str, Any], height: int, width: int
) -> tuple[MaskRuns, tuple[float, ...]]:
    placed = place_mask(read_mask(label), read_box(label), height, width)
    return frame_runs(placed, height, width), placed.box_xywh


def _read_polyline(
    label: dict[str, Any], height: int, width: int
) -> tuple[MaskRuns, tuple[float, ...]]:
    outline = read_outline(label, height, width)
    xy = np.concatenate([np.empty((0, 2)), *outline.parts])
    lengths = [0, *(len(part) for part in outline.parts)]
    runs, problems = rasterize_polygons(
        xy,
        np.cumsum(lengths, dtype=np.int64),
        np.array([0, len(outline.parts)], np.int64),
        np.array([height], np.int64),
        np.array([width], np.int64),
    )
    if problems[0]:
        raise UnreadableError(MaskProblem(problems[0]).name.lower())
    low, high = np.floor(xy.min(axis=0)).clip(0), np.ceil(xy.max(axis=0)).clip(0)
    x, y = np.minimum(low, (width - 1, height - 1)).tolist()
    right, bottom = np.minimum(high + 1, (width, height)).tolist()
    return runs, (x, y, max(right - x, 1.0), max(bottom - y, 1.0))


def _annotation(
    label: dict[str, Any], image: dict[str, Any], kind: str, ids: CocoIds
) -> dict[str, Any]:
    name, crowd = read_class(label), read_crowd(label)
    read = _read_detection if kind == "detections" else _read_polyline
    height, width = image["height"], image["width"]
    runs, box = read(label, height, width)
    return {
        "id": ids.annotations[str(label["_id"])],
        "image_id": image["id"],
        "category_id": ids.categories[name]["id"],
        "segmentation": {"size": [height, width], "counts": mask_runs_to_rle(runs)[0].decode()},
        "area": int(runs.counts[1::2].sum()),
        "bbox": list(box),
        "iscrowd": int(crowd),
    }


def _read_known_size(sample: dict[str, Any]) -> tuple[int, int]:
    """(height, width); a ValueError that says how to get it where the user has not asked for it."""
    try:
        return read_size(sample)
    except UnreadableError as error:
        if error.reason != "no_image_size":
            raise
        raise ValueError(
            f"sample {sample['_id']} has no metadata, so that the size of its image is not known; "
            "call view.compute_metadata() first"
        ) from None


class CocoWriter:
    """Writes a view as a COCO file, annotations as they come, images and categories at the end.

    Attributes:
        num_images: written so far.
        num_annotations: written so far.
        skipped: labels that could not be written, and why.
    """

    def __init__(self, ids: CocoIds, field: LabelField, name_of: Callable[[str], str]) -> None:
        self.ids = ids
        self.field = field
        self.name_of = name_of
        self.images: list[dict[str, Any]] = []
        self.num_annotations = 0
        self.skipped = Skipped()

    @property
    def num_images(self) -> int:
        return len(self.images)

    def _describe_image(self, sample: dict[str, Any]) -> dict[str, Any]:
        """A sample's entry among the images; an UnreadableError where there can be none."""
        path = read_filepath(sample)
        if not path:
            raise UnreadableError("no_filepath")
        height, width = _read_known_size(sample)
        return {
            "id": self.ids.images[str(sample["_id"])],
            "file_name": self.name_of(path),
            "height": height,
            "width": width,
        }

    def _dump(self, label: dict[str, Any], image: dict[str, Any]) -> bytes | None:
        """An annotation's JSON; None, and an entry in ``skipped``, where there can be none."""
        try:
            return orjson.dumps(_annotation(label, image, self.field.kind, self.ids))
        except UnreadableError as error:
            self.skipped.add("label", str(label["_id"]), error.reason, error.detail)
            return None

    def _write_sample(self, sample: dict[str, Any], output: IO[bytes]) -> None:
        """Writes a sample's annotations, and keeps its image for later."""
        image = self._describe_image(sample)
        self.images.append(image)
        labels, no_labels = read_labels(sample, self.field.path)
        self.skipped.items += no_labels
        for label in labels:
            annotation = self._dump(label, image)
            if annotation is not None:
                output.write(b",\n" if self.num_annotations else b"\n")
                output.write(annotation)
                self.num_annotations += 1

    def write(
        self, view: SampleCollection, output: IO[bytes], report: Callable[[int], Any]
    ) -> None:
        """Writes all of it."""
        keys = (*_LABEL_KEYS, *_MASK_KEYS[self.field.kind])
        paths = ["filepath", "metadata.width", "metadata.height"]
        labels = project_labels(self.field.path, keys)
        output.write(b'{"annotations":[')
        for sample in stream_raw(view, paths, labels):
            try:
                self._write_sample(sample, output)
            except UnreadableError as error:
                self.skipped.add("sample", str(sample["_id"]), error.reason, error.detail)
            report(1)
        rest = {
            "images": self.images,
            "categories": sorted(self.ids.categories.values(), key=lambda c: c["id"]),
            "info": {"description": f"Exported from FiftyOne by tfdp {__version__}"},
            "licenses": [],
        }
        output.write(b"\n]," + orjson.dumps(rest)[1:] + b"\n")
