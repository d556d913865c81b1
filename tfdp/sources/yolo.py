"""YOLO segmentation: polygons in text files beside the images, which give their sizes."""

from __future__ import annotations

import os
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..errors import UnreadableError, describe_error
from ..files.listing import IMAGE_ENDINGS, list_files, read_list
from ..files.orientation import shown_size
from ..files.regular_files import check_regular_file, read_regular_file
from ..geometry.masks import is_bad_size
from ..skipped import SkippedItem
from .folder import FolderSource, Instance, LabelledImage, Labels
from .source import Polygons
from .yolo_config import find_config, read_config

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from numpy.typing import NDArray

    from .source import Ints

_IMAGES, _LABELS = "images", "labels"
_FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")
_MAX_FILE, _MAX_LINE = 2**24, 2**23  # bytes of labels
_BOM = b"\xef\xbb\xbf"


def _read_size(path: Path) -> tuple[int, int]:
    """Height and width of an image as it is shown, from its header."""
    try:
        check_regular_file(path)
        with Image.open(path, formats=_FORMATS) as image:
            width, height = shown_size(image)
    except FileNotFoundError:
        raise UnreadableError("missing_file", str(path)) from None
    except Image.DecompressionBombError as error:
        raise UnreadableError("image_too_large", str(error)) from None
    except Exception as error:  # damage makes Pillow raise nearly anything
        raise UnreadableError("unreadable_image", str(error)) from error
    if is_bad_size(height, width):
        raise UnreadableError("bad_size", f"{height} x {width}")
    return height, width


def _read_outline(line: bytes, classes: Container[object]) -> tuple[int, NDArray[np.float64]]:
    """The class and the relative (K, 2) vertices of one line."""
    if len(line) > _MAX_LINE:
        raise UnreadableError("segmentation_too_long", f"{len(line):,} bytes of text")
    try:
        category, *numbers = map(float, line.split())
    except ValueError:
        raise UnreadableError("bad_segmentation", line[:40].decode(errors="replace")) from None
    if category not in classes:
        raise UnreadableError("unknown_category", f"class {category:g}")
    if len(numbers) == 4:
        raise UnreadableError("no_mask", "a box")
    if len(numbers) % 2:
        raise UnreadableError("polygon_odd_length", f"{len(numbers)} numbers")
    if len(numbers) < 6:
        raise UnreadableError("polygon_too_short", f"{len(numbers) // 2} points")
    outline = np.array(numbers).reshape(-1, 2)
    if not np.isfinite(outline).all():
        raise UnreadableError("not_finite", "a coordinate is NaN or infinite")
    if outline.min() < -1 or outline.max() > 2:
        raise UnreadableError("far_outside", "beyond the image by more than its own size")
    return int(category), outline


def _read_labels(image: Path, labels: Path, classes: Container[object]) -> Labels:
    height, width = _read_size(image)
    try:
        data = read_regular_file(labels, _MAX_FILE) if os.path.lexists(labels) else b""
    except OSError as error:
        raise UnreadableError("mask_unreadable", describe_error(error)) from error
    instances = []
    for number, line in enumerate(data.removeprefix(_BOM).splitlines()):
        if not line.strip():
            continue
        try:
            category, outline = _read_outline(line, classes)
            instances.append(Instance(number, category, outline * (width, height)))
        except UnreadableError as error:
            instances.append(Instance(number, None, (error.reason, error.detail)))
    return Labels(height, width, instances)


def _join_outlines(outlines: list[NDArray[Any]], heights: Ints, widths: Ints) -> Polygons:
    return Polygons(
        xy=np.concatenate(outlines),
        part_starts=np.cumsum([0, *map(len, outlines)]),
        mask_starts=np.arange(len(outlines) + 1),
        heights=heights,
        widths=widths,
    )


def _labels_place(images: Path) -> Path:
    """Where the labels of a folder of images are: its last part "images" is "labels"."""
    before, found, after = f"{images.as_posix()}/".rpartition(f"/{_IMAGES}/")
    return Path(f"{before}/{_LABELS}/{after}") if found else images


def _labels_of(image: Path) -> Path:
    return _labels_place(image.parent) / f"{image.stem}.txt"


def _list_images(place: Path) -> list[Path]:
    """The images in a folder, or those that a file lists."""
    if place.is_dir():
        return list_files(place, IMAGE_ENDINGS)
    return [Path(os.path.normpath(place.parent / line)) for line in read_list(place)]


def _find_lost_labels(places: Iterable[Path], images: Iterable[Path]) -> list[SkippedItem]:
    """The labels of folders of images that are of none of the images."""
    folders = {_labels_place(place) for place in places if place.is_dir()}
    texts = {text for folder in folders if folder.is_dir() for text in list_files(folder, [".txt"])}
    labels = {text for text in texts if _LABELS in text.parent.parts}
    lost = sorted(labels.difference(map(_labels_of, images)))
    return [SkippedItem("image", f.stem, "missing_file", f"that of the labels {f}") for f in lost]


def _name_of(image: Path, root: Path) -> str:
    return image.relative_to(root).as_posix() if image.is_relative_to(root) else str(image)


def open_yolo(path: Path, split: str | None = None) -> FolderSource:
    """The polygons of a dataset in the form that Ultralytics trains on.

    An image's id is its name without ending, an instance's ``<image's id>#<line>``, from 0.

    Args:
        path: the folder that holds data.yaml, or that file.
        split: "train", "val" or "test"; by default all that data.yaml names are read.

    Raises:
        OSError: a folder, data.yaml or a list of images cannot be read.
        ValueError: there is no data.yaml, it is damaged, or no image is found.
    """
    file = find_config(path)
    if file is None:
        raise ValueError(f"{path} has no data.yaml: expected one with the names of the classes")
    classes, root, named = read_config(file)
    if split is not None and split not in named:
        raise ValueError(
            f"{file} names no images of the split {split!r}, but of {', '.join(named)}"
        )
    chosen = [named[split]] if split is not None else named.values()
    places = list(chain.from_iterable(chosen))
    found = [place for place in places if place.exists()]
    images = dict.fromkeys(image for place in found for image in _list_images(place))
    if not images:
        raise ValueError(
            f"{file} leads to no image: there is none in {', '.join(map(str, places))}"
        )
    skipped = [
        SkippedItem("image", str(place), "missing_file", f"{file} names it")
        for place in places
        if place not in found
    ]
    return FolderSource(
        path,
        [
            LabelledImage(
                image.stem,
                _name_of(image, root),
                partial(_read_labels, image, _labels_of(image), classes),
            )
            for image in images
        ],
        classes,
        _join_outlines,
        [*skipped, *_find_lost_labels(found, images)],
    )
