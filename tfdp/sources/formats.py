"""The formats that can be read: what each looks like, and what opens it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..registry import Registry
from ..values import check_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .source import Source

    PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Format:
    """A format of annotations.

    Attributes:
        name: by which it is asked for.
        label: what people call it.
        description: what it looks like on disk, for people.
        fits: whether a path looks like it; a look at a few names is enough.
        open: gives the source at a path; of a named split alone, where one is named.
    """

    name: str
    label: str
    description: str
    fits: Callable[[Path], bool]
    open: Callable[[Path, str | None], Source]


FORMATS: Registry[Format] = Registry("format")
_YAML = {".yaml", ".yml"}
_DEPTHS = ("", "*/", "*/*/")  # of a city, a split, gtFine


def _open_coco(path: Path, split: str | None) -> Source:
    from .coco import CocoSource

    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, but COCO is a JSON file; name the file")
    if split is not None:
        raise ValueError(f"{path} is a COCO file, and has no splits; give no split")
    return CocoSource(path)


def _open_voc(path: Path, split: str | None) -> Source:
    from .voc import open_voc

    return open_voc(path, split)


def _open_cityscapes(path: Path, split: str | None) -> Source:
    from .cityscapes import open_cityscapes

    return open_cityscapes(path, split)


def _open_yolo(path: Path, split: str | None) -> Source:
    from .yolo import open_yolo

    return open_yolo(path, split)


def _holds(path: Path, *patterns: str) -> bool:
    """Whether a folder has a file or folder of one of these forms."""
    return path.is_dir() and any(any(path.glob(pattern)) for pattern in patterns)


FORMATS.add(
    Format(
        name="coco",
        label="COCO",
        description="a JSON file with images, annotations and categories",
        fits=lambda path: not path.is_dir() and path.suffix.lower() not in _YAML,
        open=_open_coco,
    )
)
FORMATS.add(
    Format(
        name="voc",
        label="Pascal VOC",
        description="a year of a VOCdevkit, with PNG files in SegmentationObject",
        fits=lambda path: _holds(path, "SegmentationObject", "*/SegmentationObject"),
        open=_open_voc,
    )
)
FORMATS.add(
    Format(
        name="cityscapes",
        label="Cityscapes",
        description="a folder with gtFine, or with *_gtFine_instanceIds.png or "
        "*_gtFine_polygons.json files under it",
        fits=lambda path: _holds(path, "gtFine", *(f"{inner}*_gtFine_*" for inner in _DEPTHS)),
        open=_open_cityscapes,
    )
)
FORMATS.add(
    Format(
        name="yolo",
        label="YOLO segmentation",
        description="a folder with data.yaml, images and labels, or its data.yaml",
        fits=lambda path: path.suffix.lower() in _YAML or _holds(path, "data.y*ml", "labels"),
        open=_open_yolo,
    )
)


def find_format(path: PathLike, name: str | None = None) -> Format:
    """The format of a path: the named one, or that which it looks like.

    Raises:
        ValueError: it looks like none, or the name is unknown; the message says what was expected.
    """
    if name is not None:
        return FORMATS.find(name)
    for known in FORMATS.values():
        if known.fits(Path(path)):
            return known
    forms = "; ".join(f"{known.description} ({known.name})" for known in FORMATS.values())
    raise ValueError(f"{path} has no format that is known: expected {forms}")


def open_source(path: PathLike, format: str | None = None, split: str | None = None) -> Source:  # noqa: A002
    """The source at a path.

    Args:
        path: a file or folder, as the description of its format says.
        format: one of `FORMATS`; by default told from what is there.
        split: reads that split alone: a list of VOC, a folder of Cityscapes, an entry of YOLO.

    Raises:
        OSError: it cannot be read.
        ValueError: it has no format that is known, or is damaged as a whole; the message says what
            was expected.
    """
    if split is not None:
        check_text("split", split)
    return find_format(path, format).open(Path(path), split)


def open_sources(
    path_or_paths: PathLike | Sequence[PathLike],
    format: str | None = None,  # noqa: A002
    split: str | None = None,
) -> Iterator[Source]:
    """The sources at one path or several, as `open_source`; each is opened when its turn comes."""
    if isinstance(path_or_paths, str | os.PathLike):
        path_or_paths = [path_or_paths]
    return (open_source(path, format, split) for path in path_or_paths)
