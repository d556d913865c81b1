"""data.yaml: the classes of a YOLO dataset, and where its images are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from ..files.regular_files import read_regular_file
from ..values import is_text

if TYPE_CHECKING:
    from .source import Id

SPLITS = ("train", "val", "test")
_NAMES = ("data.yaml", "data.yml")
_IMAGES = "images"  # where they are if nothing else is said
_MAX_BYTES = 2**20
_MAX_DIGITS = 9  # of a class's number
_UP = "../"


class Config(NamedTuple):
    """What a data.yaml says.

    Attributes:
        classes: number -> name.
        root: the folder that paths are relative to.
        places: split -> paths of folders of images, or of files that list some.
    """

    classes: dict[Id, str]
    root: Path
    places: dict[str, list[Path]]


def _parse(path: Path) -> dict[str, Any]:
    """The document, all of whose values are texts: a class may be called "no"."""
    try:
        document = yaml.load(read_regular_file(path, _MAX_BYTES), yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", see line {mark.line + 1}" if mark is not None else ""
        raise ValueError(f"{path} is not YAML{place}") from None
    return document if isinstance(document, dict) else {}


def _read_classes(path: Path, names: Any) -> dict[Id, str]:
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    if not isinstance(names, dict) or not names:
        raise ValueError(f"{path} must have names: a list of classes, or numbers with their names")
    for number, name in names.items():
        if not (number.isdecimal() and len(number) <= _MAX_DIGITS and is_text(name)):
            raise ValueError(f"{path} must give a name to each number, but not to {number[:40]!r}")
    return {int(number): name for number, name in names.items()}


def _read_root(path: Path, declared: Any) -> Path:
    """The folder that paths are relative to: the declared one if it is there, or the file's own."""
    own = path.absolute().parent
    if not is_text(declared):
        raise ValueError(f"{path} must have a text as its path")
    root = own / declared if (own / declared).is_dir() else own
    return Path(os.path.normpath(root))


def _read_places(path: Path, root: Path, value: Any) -> list[Path]:
    """The paths of a split; where one has a "../" too many, as is often seen, without it."""
    entries = value if isinstance(value, list) else [value]
    if not all(map(is_text, entries)):
        raise ValueError(f"{path} must have a path, or a list of paths, for each split")
    places = []
    for entry in entries:
        place = root / entry
        if entry.startswith(_UP) and not place.exists():
            place = root / entry.removeprefix(_UP)
        places.append(Path(os.path.normpath(place)))
    return places


def find_config(path: Path) -> Path | None:
    """The data.yaml: the path itself where it is a file, or that of a folder."""
    if not path.is_dir():
        return path
    return next((path / name for name in _NAMES if (path / name).is_file()), None)


def read_config(path: Path) -> Config:
    """Reads a data.yaml.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no YAML, or has no names of classes. The message names it.
    """
    document = _parse(path)
    root = _read_root(path, document.get("path", ""))
    places = {
        split: _read_places(path, root, document[split]) for split in SPLITS if document.get(split)
    }
    return Config(
        _read_classes(path, document.get("names")), root, places or {_IMAGES: [root / _IMAGES]}
    )
