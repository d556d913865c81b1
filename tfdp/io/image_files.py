"""Image files of a pruned dataset: copied or linked, all or none, and never outside the folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Literal

from tqdm import tqdm

from .files import temporary_name

if TYPE_CHECKING:
    from collections.abc import Iterable


def _check_name(name: Any) -> str:
    """A file name that stays inside the folder that it is put in."""
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"an image to keep has no file_name (it is {name!r})")
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    leads_out = posix.is_absolute() or windows.anchor or ".." in {*posix.parts, *windows.parts}
    if leads_out or "\0" in name or posix.name == "":
        raise ValueError(f"the file_name {name!r} leads out of the output folder; it is refused")
    return str(posix)


def _check_sources(names: list[str], source: Path) -> None:
    missing = [name for name in names if not (source / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(names)} images are not in {source}, such as {missing[0]}; "
            "name the folder that holds them"
        )


def _check_targets(names: list[str], target: Path, *, overwrite: bool) -> None:
    inside = target.resolve()
    for name in names:
        place = target / name
        if not place.parent.resolve().is_relative_to(inside):
            raise ValueError(f"{place} leads out of {target} by a link; it is refused")
        if os.path.lexists(place) and not overwrite:
            raise FileExistsError(f"{place} exists; choose another folder, or ask to overwrite it")


def place_images(
    file_names: Iterable[Any],
    source: Path,
    target: Path,
    how: Literal["copy", "symlink"],
    *,
    overwrite: bool,
) -> None:
    """Copies or links files from one folder to another, under their names.

    All are put in a temporary folder first and moved from there, so that a failure on the way
    leaves nothing behind.

    Raises:
        OSError: a file is missing, exists already, or cannot be written.
        ValueError: a name leads out of the folder, or the folders are the same.
    """
    names = list(dict.fromkeys(map(_check_name, file_names)))
    _check_sources(names, source)
    if target.exists() and target.samefile(source):
        raise ValueError(f"the images are in {target} already; write to another folder")
    _check_targets(names, target, overwrite=overwrite)

    staged = temporary_name(target)
    staged.mkdir()
    try:
        for name in tqdm(names, f"images ({how})", unit=" files", disable=None):
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            if how == "copy":
                shutil.copyfile(source / name, staged / name)
            else:
                (staged / name).symlink_to((source / name).absolute())
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).replace(target / name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
