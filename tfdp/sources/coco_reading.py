"""COCO files read whole: the one way from the files to their usable annotations."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from tqdm import tqdm

from ..columns import object_array
from ..geometry.rasterize import Rasterizer
from ..skipped import Skipped
from .coco_annotations import Batch, Source, read_annotations
from .coco_tables import as_id_array, check_unique, read_categories, read_images
from .json_file import read_json_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .coco_annotations import Take
    from .coco_segmentations import Columns
    from .coco_tables import Id, Images
    from .json_file import JsonFile

    PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class CocoEntries:
    """The I images, C categories and N annotations of COCO files that can be used.

    Attributes:
        image_ids: (I,) ids.
        file_names: (I,) str objects, "" where there is none.
        heights: (I,) int64, px.
        widths: (I,) int64, px.
        category_ids: (C,) ids.
        category_names: (C,) str objects, each there once.
        ids: (N,) ids of the annotations.
        image_index: (N,) int64, row of each one's image.
        category_index: (N,) int64, row of its category.
        columns: what was taken of the N masks.
        skipped: the entries that were passed over, and why: see `tfdp.sources.coco.read_coco`.
    """

    image_ids: NDArray[Any]
    file_names: NDArray[Any]
    heights: NDArray[np.int64]
    widths: NDArray[np.int64]
    category_ids: NDArray[Any]
    category_names: NDArray[Any]
    ids: NDArray[Any]
    image_index: NDArray[np.int64]
    category_index: NDArray[np.int64]
    columns: Columns
    skipped: Skipped


@dataclass
class _Reading:
    """What has been read so far, of one file after another."""

    category_names: dict[Id, str] = field(default_factory=dict)
    images: list[Images] = field(default_factory=list)
    num_images: int = 0
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
        self.images.append(images)
        self.num_images += len(images.ids)
        self.skipped.items += images.skipped

    def add_batch(self, batch: Batch) -> None:
        self.skipped.items += batch.skipped
        self.batches.append(batch)

    def join(self, files: str) -> CocoEntries:
        """All of it; refuses files in which an id repeats."""
        image_ids = as_id_array([i for images in self.images for i in images.ids])
        check_unique(files, "images", image_ids)
        check_unique(files, "annotations", np.concatenate([b.all_ids for b in self.batches]))
        ids, image_index, category_index, columns, _, _ = zip(*self.batches, strict=True)
        return CocoEntries(
            image_ids=image_ids,
            file_names=object_array([name for images in self.images for name in images.file_names]),
            heights=np.concatenate([images.heights for images in self.images]),
            widths=np.concatenate([images.widths for images in self.images]),
            category_ids=as_id_array(list(self.category_names)),
            category_names=object_array(unique_names(self.category_names)),
            ids=np.concatenate(ids),
            image_index=np.concatenate(image_index),
            category_index=np.concatenate(category_index),
            columns=tuple(map(np.concatenate, zip(*columns, strict=True))),
            skipped=self.skipped,
        )


def unique_names(category_names: dict[Id, str]) -> list[str]:
    """The names, with the id added where several categories have one name."""
    times = Counter(category_names.values())
    return [n if times[n] == 1 else f"{n} (id {i})" for i, n in category_names.items()]


def _as_paths(path_or_paths: PathLike | Sequence[PathLike]) -> list[Path]:
    if isinstance(path_or_paths, str | os.PathLike):
        path_or_paths = [path_or_paths]
    paths = [Path(path) for path in path_or_paths]
    if not paths:
        raise ValueError("give at least one COCO file")
    return paths


def _progress_bar(file: JsonFile, progress: bool | None) -> tqdm[Any]:
    return tqdm(
        desc=file.path.name,
        total=len(file.elements("annotations")),
        unit=" instances",
        disable=None if progress is None else not progress,
    )


def read_coco_files(
    path_or_paths: PathLike | Sequence[PathLike],
    take: Take,
    rasterizer: Rasterizer = "coco",
    progress: bool | None = None,
) -> CocoEntries:
    """Reads COCO files; what is passed over, and errors are `tfdp.sources.coco.read_coco`'s.

    Args:
        path_or_paths: one annotation file, or several that are disjoint.
        take: gives what is needed of masks: `measure_segmentations`, `encode_segmentations`, ...
        rasterizer: what draws polygons.
        progress: whether to show a bar on stderr.
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
        source = Source(file, images, reading.num_images, row_of_category, rasterizer)
        reading.add_images(images)
        with _progress_bar(file, progress) as bar:
            for batch in read_annotations(source, take):
                reading.add_batch(batch)
                bar.update(len(batch.all_ids))
    return reading.join(", ".join(map(str, paths)))
