"""COCO files -> a Collection of measured instances -> ShapeScores."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from tqdm import tqdm

from ..columns import object_array
from ..instances import Collection, Instances
from ..rasterize import Rasterizer
from ..shape_scores import ShapeScores, score_shapes
from ..skipped import Skipped
from .coco_annotations import Batch, Source, measure_annotations
from .coco_tables import as_id_array, check_unique, read_categories, read_images
from .json_file import read_json_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..balance import ClassTotals
    from .coco_tables import Id, Images
    from .json_file import JsonFile

    PathLike = str | os.PathLike[str]


def _as_paths(path_or_paths: PathLike | Sequence[PathLike]) -> list[Path]:
    if isinstance(path_or_paths, str | os.PathLike):
        path_or_paths = [path_or_paths]
    paths = [Path(path) for path in path_or_paths]
    if not paths:
        raise ValueError("give at least one COCO file")
    return paths


def _join_instances(batches: list[Instances]) -> Instances:
    nothing = np.empty(0, np.int64)
    columns = (
        [nothing, *(getattr(batch, column.name) for batch in batches)]
        for column in fields(Instances)
    )
    return Instances(*map(np.concatenate, columns))


def _progress_bar(file: JsonFile, progress: bool | None) -> tqdm[Any]:
    return tqdm(
        desc=file.path.name,
        total=len(file.elements("annotations")),
        unit=" instances",
        disable=None if progress is None else not progress,
    )


@dataclass
class _Reading:
    """What has been read so far, of one file after another."""

    category_names: dict[Id, str] = field(default_factory=dict)
    image_ids: list[Id] = field(default_factory=list)
    file_names: list[str] = field(default_factory=list)
    skipped: Skipped = field(default_factory=Skipped)
    batches: list[Batch] = field(default_factory=list)

    def add_categories(self, file: JsonFile) -> dict[Id, int]:
        """Takes the categories of a file; gives the row of each id."""
        for category_id, name in read_categories(file).items():
            known = self.category_names.setdefault(category_id, name)
            if known != name:
                raise ValueError(
                    f"category {category_id!r} is {name!r} in {file.path}, but {known!r} in a file "
                    "before it; files that are scored together must agree on their categories"
                )
        return {category_id: row for row, category_id in enumerate(self.category_names)}

    def add_images(self, images: Images) -> None:
        self.image_ids += images.ids
        self.file_names += images.file_names
        self.skipped.items += images.skipped

    def add_batch(self, batch: Batch) -> None:
        self.skipped.items += batch.skipped
        self.batches.append(batch)


def _unique_names(category_names: dict[Id, str]) -> list[str]:
    """The names, with the id added where several categories have one name."""
    times = Counter(category_names.values())
    return [n if times[n] == 1 else f"{n} (id {i})" for i, n in category_names.items()]


def read_coco(
    path_or_paths: PathLike | Sequence[PathLike],
    rasterizer: Rasterizer = "coco",
    progress: bool | None = None,
) -> Collection:
    """Reads COCO files and measures the outline of every instance in them.

    Args:
        path_or_paths: one annotation file, or several that are disjoint.
        rasterizer: what draws polygons, "coco" as pycocotools does, or "opencv" as `cv2.fillPoly`.
        progress: whether to show a bar on stderr; by default where that is a terminal.

    Returns:
        The collection: a row for every image, with or without instances. What is passed over is
        listed in ``skipped``, by reason:

        - images: "bad_id" (neither an integer nor a string), "bad_size";
        - annotations: "crowd", "bad_id", "unknown_image", "image_skipped", "unknown_category",
          "bad_iscrowd", "no_mask", "bad_segmentation";
        - polygons: "polygon_too_short" (a part of less than 3 points), "polygon_odd_length",
          "not_finite", "far_outside" (a vertex beyond the image by more than its own width or
          height; what overshoots less is scored, as it is drawn inside the image);
        - run lengths: "size_mismatch" (with the image's), and `tfdp.masks.MaskProblem`.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is damaged as a whole (no JSON, a list missing, ids that repeat), or the
            files do not fit together. The message names the file and what is wrong.
    """
    if rasterizer not in get_args(Rasterizer):
        known = " and ".join(map(repr, get_args(Rasterizer)))
        raise ValueError(f"unknown rasterizer {rasterizer!r}; there are {known}")
    paths = _as_paths(path_or_paths)
    reading = _Reading()
    for path in paths:
        file = read_json_file(path)
        images = read_images(file)
        row_of_category = reading.add_categories(file)
        source = Source(file, images, len(reading.image_ids), row_of_category, rasterizer)
        reading.add_images(images)
        with _progress_bar(file, progress) as bar:
            for batch in measure_annotations(source):
                reading.add_batch(batch)
                bar.update(len(batch.all_ids))

    files = ", ".join(map(str, paths))
    no_ids = np.empty(0, np.int64)
    image_ids = as_id_array(reading.image_ids)
    check_unique(files, "images", image_ids)
    all_ids = np.concatenate([no_ids, *(batch.all_ids for batch in reading.batches)])
    check_unique(files, "annotations", all_ids)
    return Collection(
        image_ids=image_ids,
        file_names=object_array(reading.file_names),
        category_ids=as_id_array(list(reading.category_names)),
        category_names=object_array(_unique_names(reading.category_names)),
        instances=_join_instances([batch.instances for batch in reading.batches]),
        skipped=reading.skipped,
        rasterizer=rasterizer,
    )


def score_coco(
    path_or_paths: PathLike | Sequence[PathLike],
    rasterizer: Rasterizer = "coco",
    class_totals: ClassTotals | None = None,
    progress: bool | None = None,
) -> ShapeScores:
    """Scores every instance and every image of COCO files (TFDP, section 3.3).

    Args:
        path_or_paths: one annotation file, or several that are disjoint.
        rasterizer: what draws polygons: "coco", as pycocotools and FiftyOne do, or "opencv", as
            the paper's released code does. It is part of a score's identity.
        class_totals: totals of data scored before, disjoint from this; CB-SCS is then balanced over
            both.
        progress: whether to show a bar on stderr; by default where that is a terminal.

    Returns:
        The scores, higher = kept first, the class totals, and what was skipped and why.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is damaged as a whole; the message names it and what is wrong.
    """
    return score_shapes(read_coco(path_or_paths, rasterizer, progress), class_totals)
