"""Lists of files: those under a folder, and those that a text file names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .regular_files import read_regular_file

if TYPE_CHECKING:
    from collections.abc import Collection

IMAGE_ENDINGS = (".bmp", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp")
MAX_BYTES = 2**28  # of a text file of names


def _fail(error: OSError) -> None:
    raise error


def list_files(folder: Path, endings: Collection[str]) -> list[Path]:
    """The files under a folder whose names have one of the endings (".png"), sorted by path.

    Capital letters are as good as small ones. Links are followed, and every folder is entered
    once, so that links in circles end. Hidden files and folders are passed over.

    Raises:
        OSError: a folder cannot be read.
    """
    known = tuple(ending.lower() for ending in endings)
    entered: set[tuple[int, int]] = set()
    found: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=_fail, followlinks=True):
        status = Path(parent).stat()
        place = status.st_dev, status.st_ino
        folders[:] = [] if place in entered else sorted(n for n in folders if n[0] != ".")
        if place not in entered:
            entered.add(place)
            fitting = (n for n in names if n[0] != "." and n.lower().endswith(known))
            found += [Path(parent, name) for name in fitting]
    return sorted(found)


def read_list(path: Path) -> list[str]:
    """The lines of a text file, without white space around them, and without empty ones.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not UTF-8.
    """
    try:
        text = read_regular_file(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 at byte {error.start}") from None
    return [line.strip() for line in text.split("\n") if line.strip()]
