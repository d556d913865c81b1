"""A FiftyOne view -> a COCO file of its own: run lengths, true mask areas, ids that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ..errors import UnreadableError
from ..geometry.masks import MaskProblem, MaskRuns, mask_runs_from_counts
from ..geometry.rasterize import rasterize_polygons
from ..geometry.run_lengths import mask_runs_to_rle
from ..progress import counted
from ..skipped import Skipped
from ..version import __version__
from .frames import frame_mask
from .label_shapes import find_form, join_outlines
from .masks import read_mask
from .samples import stream_samples
from .values import (
    SAMPLE_PATHS,
    read_box,
    read_class,
    read_crowd,
    read_filepath,
    read_outline,
    read_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from fiftyone.core.collections import SampleCollection

    from ..progress import Progress
    from .coco_ids import CocoIds
    from .labels import LabelField
    from .samples import Sample

    Box = tuple[float, float, float, float]


def _draw_detection(label: dict[str, Any], height: int, width: int) -> tuple[MaskRuns, Box]:
    mask = frame_mask(read_mask(label), read_box(label), height, width)
    return mask_runs_from_counts([mask.counts], np.array([height])), mask.box_xywh


def _draw_polyline(label: dict[str, Any], height: int, width: int) -> tuple[MaskRuns, Box]:
    polygons = join_outlines([read_outline(label, height, width)])
    runs, problems = rasterize_polygons(*polygons)
    if problems[0]:
        raise UnreadableError(MaskProblem(problems[0]).name.lower())
    xy = polygons.xy
    low, high = np.floor(xy.min(axis=0)).clip(0), np.ceil(xy.max(axis=0)).clip(0)
    x, y = np.minimum(low, (width - 1, height - 1)).tolist()
    right, bottom = np.minimum(high + 1, (width, height)).tolist()
    return runs, (x, y, max(right - x, 1.0), max(bottom - y, 1.0))


def _annotation(
    label: dict[str, Any], image: dict[str, Any], kind: str, ids: CocoIds
) -> dict[str, Any]:
    crowd, name = read_crowd(label), read_class(label)
    draw = _draw_detection if kind == "detections" else _draw_polyline
    height, width = image["height"], image["width"]
    runs, box = draw(label, height, width)
    return {
        "id": ids.annotations[str(label["_id"])],
        "image_id": image["id"],
        "category_id": ids.category_of(name),
        "segmentation": {"size": [height, width], "counts": mask_runs_to_rle(runs)[0].decode()},
        "area": int(runs.counts[1::2].sum()),
        "bbox": list(box),
        "iscrowd": int(crowd),
    }


def _read_known_size(sample: Sample) -> tuple[int, int]:
    """(height, width); a ValueError that says how to get it where the user has not asked for it."""
    try:
        return read_size(sample.document)
    except UnreadableError as error:
        if error.reason != "no_image_size":
            raise
        raise ValueError(
            f"sample {sample.id} has no metadata, so that the size of its image is not known; "
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

    def _describe_image(self, sample: Sample) -> dict[str, Any]:
        """A sample's entry among the images; an UnreadableError where there can be none."""
        path = read_filepath(sample.document)
        if not path:
            raise UnreadableError("no_filepath")
        height, width = _read_known_size(sample)
        return {
            "id": self.ids.images[sample.id],
            "file_name": self.name_of(path),
            "height": height,
            "width": width,
        }

    def _dump(self, label: dict[str, Any], image: dict[str, Any]) -> bytes | None:
        """An annotation's JSON; None, and an entry in ``skipped``, where there can be none."""
        try:
            return msgspec.json.encode(_annotation(label, image, self.field.kind, self.ids))
        except UnreadableError as error:
            self.skipped.add("label", str(label["_id"]), error.reason, error.detail)
            return None

    def _write_sample(self, sample: Sample, output: IO[bytes]) -> None:
        """Writes a sample's annotations, and keeps its image for later."""
        image = self._describe_image(sample)
        self.images.append(image)
        self.skipped.items += sample.skipped
        for label in sample.labels:
            annotation = self._dump(label, image)
            if annotation is not None:
                output.write(b",\n" if self.num_annotations else b"\n")
                output.write(annotation)
                self.num_annotations += 1

    def write(self, view: SampleCollection, output: IO[bytes], progress: Progress) -> None:
        """Writes all of it."""
        report = counted(progress, len(view), "writing annotations")
        keys = ("label", "iscrowd", *find_form(self.field.kind, in_frames=True).keys)
        output.write(b'{"annotations":[')
        for sample in stream_samples(view, self.field, keys, SAMPLE_PATHS):
            try:
                self._write_sample(sample, output)
            except UnreadableError as error:
                self.skipped.add("sample", sample.id, error.reason, error.detail)
            report(1)
        rest = {
            "images": self.images,
            "categories": sorted(self.ids.categories.values(), key=lambda c: c["id"]),
            "info": {"description": f"Exported from FiftyOne by tfdp {__version__}"},
            "licenses": [],
        }
        output.write(b"\n]," + msgspec.json.encode(rest)[1:] + b"\n")
