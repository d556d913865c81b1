"""Pascal VOC: one year of a VOCdevkit, whose instances are the objects of its label images."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..errors import UnreadableError
from ..files.listing import list_files, read_list
from .folder import FolderSource, Instance, LabelledImage, Labels
from .label_images import find_objects, join_runs, read_label_image

if TYPE_CHECKING:
    from .label_images import Values
    from .source import Id

_NAMES = (
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike "
    "person pottedplant sheep sofa train tvmonitor"
)
CLASSES: dict[Id, str] = dict(enumerate(_NAMES.split(), start=1))
_OBJECTS, _CLASS_IMAGES = "SegmentationObject", "SegmentationClass"
_BACKGROUND, _BORDER = 0, 255


def _find_years(path: Path) -> list[Path]:
    """The folders of single years: the path itself, or those in it."""
    if (path / _OBJECTS).is_dir():
        return [path]
    return sorted(folder for folder in path.iterdir() if (folder / _OBJECTS).is_dir())


def _find_year(path: Path) -> Path:
    years = _find_years(path)
    if not years:
        raise ValueError(f"{path} is no year of a VOCdevkit: expected a folder {_OBJECTS} in it")
    if len(years) > 1:
        names = ", ".join(year.name for year in years)
        raise ValueError(f"{path} holds several years, {names}; give the folder of one of them")
    return years[0]


def _read_bytes(path: Path) -> Values:
    values = read_label_image(path)
    if values.dtype != np.uint8:
        raise UnreadableError("mask_unreadable", f"expected values of 8 bits in {path}")
    return values


def _read_labels(object_image: Path, class_image: Path) -> Labels:
    """The objects of one image; each has the class value that most of its pixels have."""
    objects, classes = _read_bytes(object_image), _read_bytes(class_image)
    if objects.shape != classes.shape:
        detail = f"{objects.shape} in {_OBJECTS}, but {classes.shape} in {_CLASS_IMAGES}"
        raise UnreadableError("size_mismatch", detail)
    pixels = cv2.calcHist([objects, classes], [0, 1], None, [256, 256], [0, 256, 0, 256])
    instances = []
    for value, counts in find_objects(objects).items():
        if value in {_BACKGROUND, _BORDER}:
            continue
        category = int(pixels[value].argmax())
        known = category in CLASSES
        found = counts if known else ("unknown_category", f"class value {category}")
        instances.append(Instance(value, category, found))
    height, width = objects.shape
    return Labels(height, width, instances)


def _list_label_images(year: Path) -> list[Path]:
    """The label images of either kind, relative to the folder of their kind."""
    folders = (year / _OBJECTS, year / _CLASS_IMAGES)
    return sorted(
        {file.relative_to(folder) for folder in folders for file in list_files(folder, [".png"])}
    )


def _read_split(year: Path, split: str) -> list[Path]:
    """The same of the images that a list names."""
    lists = year / "ImageSets" / "Segmentation"
    splits = {path.stem: path for path in list_files(lists, [".txt"])} if lists.is_dir() else {}
    if split not in splits:
        known = ", ".join(splits) or "none"
        raise ValueError(f"{lists} has no list of the split {split!r}; there are: {known}")
    return [Path(f"{stem}.png") for stem in read_list(splits[split])]


def open_voc(path: Path, split: str | None = None) -> FolderSource:
    """The objects of a year of Pascal VOC, or of another dataset of its form.

    An image's id is its name without ending, an instance's ``<image's id>#<object's value>``.

    Args:
        path: the folder of the year, or one that holds a single year.
        split: a list in ``ImageSets/Segmentation``; by default all label images are read.

    Raises:
        OSError: a folder or the list cannot be read.
        ValueError: there is no year, or no label image in it, several years, or no such list.
    """
    year = _find_year(path)
    files = _list_label_images(year) if split is None else _read_split(year, split)
    if not files:
        raise ValueError(f"{year} has no label images: expected PNG files in {_OBJECTS}")
    images = [
        LabelledImage(
            file.stem,
            file.with_suffix(".jpg").as_posix(),
            partial(_read_labels, year / _OBJECTS / file, year / _CLASS_IMAGES / file),
        )
        for file in files
    ]
    return FolderSource(path, images, CLASSES, join_runs)
