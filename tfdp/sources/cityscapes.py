"""Cityscapes: instances as label images, or as polygons of which the later cover the earlier."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from PIL import Image, ImageDraw

from ..errors import UnreadableError
from ..files.json_text import parse_json
from ..files.listing import list_files
from ..files.regular_files import read_regular_file
from .folder import FolderSource, Instance, LabelledImage, Labels
from .label_images import check_label_size, find_objects, join_runs, read_label_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .label_images import Values
    from .source import Id, Problem

_ROOT = "gtFine"
_IDS, _POLYGONS = "_gtFine_instanceIds.png", "_gtFine_polygons.json"
CLASSES: dict[Id, str] = {
    24: "person",
    25: "rider",
    26: "car",
    27: "truck",
    28: "bus",
    31: "train",
    32: "motorcycle",
    33: "bicycle",
}
_CLASS_OF_NAME = {name: number for number, name in CLASSES.items()}
_STUFF = {
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic"),
    *("ground", "road", "sidewalk", "parking", "rail track", "building", "wall", "fence"),
    *("guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign"),
    *("vegetation", "terrain", "sky", "license plate"),
}
_NOT_DRAWN = "license plate"
_GROUP = "group"
_PER_CLASS = 1000  # a value is class * 1000 + number, or the class alone: stuff, or a group
_MAX_BYTES = 2**24  # of one file of polygons
_MAX_STEPS = 2**31  # of drawing one image, some seconds: rows times (edges + columns), summed up


class _Object(msgspec.Struct):
    label: str
    polygon: list[tuple[float, float]]
    deleted: Any = False


class _Frame(msgspec.Struct):
    imgHeight: int  # noqa: N815 - the format's names
    imgWidth: int  # noqa: N815
    objects: list[msgspec.Raw]


def _read_ids(path: Path) -> Labels:
    """The instances of a label image."""
    labels = read_label_image(path)
    instances = []
    for value, counts in find_objects(labels).items():
        category = value // _PER_CLASS
        if category in CLASSES:
            instances.append(Instance(value, category, counts))
        elif category > 0:
            instances.append(Instance(value, None, ("unknown_category", f"class {category}")))
        elif value in CLASSES:
            instances.append(Instance(value, value, ("crowd", "a group")))
    height, width = labels.shape
    return Labels(height, width, instances)


def _look_at_polygon(polygon: list[tuple[float, float]], height: int, width: int) -> Problem | None:
    """What is wrong with a polygon."""
    if len(polygon) < 3:
        return "polygon_too_short", f"{len(polygon)} points"
    relative = np.array(polygon) / (width, height)
    if not ((relative >= -1) & (relative <= 2)).all():
        return "far_outside", "beyond the image by more than its own size"
    return None


def _judge(label: str, mask: NDArray[np.uint32] | None) -> NDArray[np.uint32] | Problem:
    """What is found of an object that is no stuff, of whose mask None is seen."""
    if label.removesuffix(_GROUP) not in _CLASS_OF_NAME:
        return "unknown_category", label[:40]
    if label not in _CLASS_OF_NAME:
        return "crowd", "a group"
    return ("no_mask", "covered by the objects after it") if mask is None else mask


def _read_frame(path: Path) -> _Frame:
    try:
        text = read_regular_file(path, _MAX_BYTES).decode()  # msgspec looks at no text it passes by
        frame = parse_json(text, _Frame)
    except (OSError, ValueError) as error:
        raise UnreadableError("mask_unreadable", f"{path}: {error}") from error
    check_label_size(frame.imgHeight, frame.imgWidth)
    return frame


def _read_object(raw: msgspec.Raw, frame: _Frame) -> _Object | Problem:
    try:
        item = parse_json(raw, _Object)
    except ValueError as error:
        return "bad_segmentation", str(error)
    if item.deleted:
        return item
    return _look_at_polygon(item.polygon, frame.imgHeight, frame.imgWidth) or item


def _count_steps(polygon: list[tuple[float, float]], height: int, width: int) -> int:
    """What drawing a polygon takes."""
    columns, rows = np.ptp(np.clip(polygon, 0, (width, height)), axis=0)
    return int(rows + 1) * (len(polygon) + int(columns) + 1)


def _draw(objects: list[_Object | Problem], height: int, width: int) -> Values:
    """A label image of objects, in their order: the first one's pixels are 1, the next one's 2."""
    image = Image.new("I", (width, height))
    drawer = ImageDraw.Draw(image)
    steps = 0
    for value, item in enumerate(objects, start=1):
        if isinstance(item, _Object) and not item.deleted and item.label != _NOT_DRAWN:
            steps += _count_steps(item.polygon, height, width)
            if steps > _MAX_STEPS:
                raise UnreadableError("outline_too_long", "too much to draw for one image")
            drawer.polygon(item.polygon, fill=value)
    return np.asarray(image)


def _read_polygons(path: Path) -> Labels:
    """What is seen of the objects of a file when they are drawn one over the other, in its order.

    Cityscapes' own label images are made like this, with the same library.
    """
    frame = _read_frame(path)
    objects = [_read_object(raw, frame) for raw in frame.objects]
    masks = find_objects(_draw(objects, frame.imgHeight, frame.imgWidth))
    instances = []
    for number, item in enumerate(objects):
        if isinstance(item, tuple):
            instances.append(Instance(number, None, item))
        elif not item.deleted and item.label not in _STUFF:
            category = _CLASS_OF_NAME.get(item.label)
            instances.append(Instance(number, category, _judge(item.label, masks.get(number + 1))))
    return Labels(frame.imgHeight, frame.imgWidth, instances)


def _find_frames(folder: Path) -> dict[Path, partial[Labels]]:
    """Path without ending -> what reads it, for every frame; label images go before polygons."""
    return {
        file.with_name(file.name[: -len(ending)]): partial(read, file)
        for ending, read in ((_POLYGONS, _read_polygons), (_IDS, _read_ids))
        for file in list_files(folder, [ending])
    }


def open_cityscapes(path: Path, split: str | None = None) -> FolderSource:
    """The instances of Cityscapes' eight classes that have them.

    An image's id is its name without "_leftImg8bit.png", an instance's ``<image's id>#<number>``:
    its value in the label image, or the object's place in the file of polygons, from 0.

    Args:
        path: the folder that holds gtFine, gtFine, or any folder under it.
        split: a folder of gtFine; by default all are read.

    Raises:
        OSError: a folder cannot be read.
        ValueError: there is no such split, or no file of labels.
    """
    root = path / _ROOT if (path / _ROOT).is_dir() else path
    splits = sorted(inner.name for inner in root.iterdir() if inner.is_dir())
    if split is not None and split not in splits:
        raise ValueError(f"{root} has no folder of the split {split!r}, but {', '.join(splits)}")
    folder = root if split is None else root / split
    frames = _find_frames(folder)
    if not frames:
        raise ValueError(f"{folder} has no labels: expected *{_IDS} or *{_POLYGONS} files under it")
    images = [
        LabelledImage(
            frame.name, frame.relative_to(root).as_posix() + "_leftImg8bit.png", frames[frame]
        )
        for frame in sorted(frames)
    ]
    return FolderSource(path, images, CLASSES, join_runs)
