"""Outputs that cannot, or must not, be written: refused before the work rather than after it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .journal import clear_killed_run
from .staging_folders import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def check_ending(path: Path, endings: Sequence[str]) -> None:
    """Refuses a name that does not say what the file is: an image, say, is never replaced by text.

    Raises:
        ValueError: it ends in none of these.
    """
    if path.suffix.lower() not in endings:
        *others, last = endings
        known = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{path} must end in {known}")


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuses a path that cannot, or must not, be written.

    What a killed run has left is undone first, so as not to stand in the way.

    Raises:
        FileExistsError: it exists, and ``overwrite`` is not given; or it is no regular file.
        FileNotFoundError: its folder does not exist.
        OSError: its folder cannot be written, or another run writes the file.
        ValueError: the name is one of tfdp's own folders.
    """
    if path.name.startswith(".") and path.name.endswith(SUFFIX):
        raise ValueError(f"{path} has a name of tfdp's own folders; choose another for the output")
    clear_killed_run(path)
    if os.path.lexists(path) and not path.is_file():
        raise FileExistsError(f"{path} is not a file; choose another name for the output")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; choose another name, or ask to overwrite it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} to")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"the folder {path.parent} cannot be written")


def find_identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """The files that are there under these names: one file has one identity, whatever its names."""
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except (OSError, ValueError):  # there is none, or no file can have this name
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def check_outputs(paths: Sequence[Path], *, inputs: Iterable[Path], overwrite: bool) -> None:
    """Refuses the outputs of one command where any of them cannot, or must not, be written.

    Args:
        paths: the outputs, the main one last.
        inputs: the files and folders that the command reads; no output may be one of the files,
            under any name, or replace a file in one of the folders.
        overwrite: whether to replace files that exist.

    Raises:
        ValueError: an output is an input, or another output.
        OSError: see `check_output`.
    """
    clear_killed_run(paths[-1])
    inputs = list(inputs)
    folders = {Path(os.path.realpath(path)) for path in inputs if path.is_dir()}
    read = find_identities(inputs)
    places: set[str] = set()
    identities: set[tuple[int, int]] = set()
    for path in paths:
        identity, place = find_identities([path]), os.path.realpath(path)
        if identity and folders.intersection(Path(place).parents):
            raise ValueError(f"{path} is in a folder to read; choose another name for the output")
        if identity & read:
            raise ValueError(f"{path} is the file to read; choose another name for the output")
        if place in places or identity & identities:
            raise ValueError("two outputs have one name; give each its own")
        check_output(path, overwrite=overwrite)
        identities |= identity
        places.add(place)
