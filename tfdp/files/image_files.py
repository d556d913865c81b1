"""Image files of a pruned dataset: copied or linked, and never outside the folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..progress import counted, shown
from .journal import name_in_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .staging import Staging

Images = Literal["copy", "symlink"]
HOW = get_args(Images)


def check_images(images: Any) -> None:
    """Raises ValueError for what is neither a way to place images, nor None for none."""
    if images is not None and images not in HOW:
        known = ", ".join(map(repr, HOW))
        raise ValueError(f"images must be one of {known} or None, but is {images!r}")


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


def _check_target(target: Path) -> None:
    """The folder that the images go into."""
    if target.is_symlink():
        raise ValueError(f"{target} is a link; it is not written through, write to another folder")
    if target.exists() and not target.is_dir():
        raise FileExistsError(f"{target} is not a folder; images can't go there")


def _list_existing(names: list[str], target: Path) -> list[Path]:
    """Files in the places of the images."""
    inside = target.resolve()
    parents = {(target / name).parent for name in names}
    leading_out = [str(parent) for parent in parents if not parent.resolve().is_relative_to(inside)]
    if leading_out:
        raise ValueError(f"{min(leading_out)} leads out of {target} by a link; it is refused")
    return [target / name for name in names if os.path.lexists(target / name)]


def _stage(source: Path, staged: Path, how: Images) -> None:
    if how == "copy":
        shutil.copyfile(source, staged)
    else:
        staged.symlink_to(source.resolve())


def place_images(
    file_names: Iterable[Any],
    source: Path,
    target: Path,
    how: Images,
    staging: Staging,
    *,
    all_sources: Iterable[Path],
) -> None:
    """Stages files of one folder for another, as copies or links, under their names.

    Args:
        file_names: of the images.
        source: the folder that they are in.
        target: the folder that they go into.
        how: as copies, or as links to the original files.
        staging: puts them in place.
        all_sources: the images of the whole dataset, none of which may be replaced.

    Raises:
        OSError: a file is missing, exists already, or cannot be written.
        ValueError: a name leads out of the folder, or the folders are the same.
    """
    names = list(dict.fromkeys(map(_check_name, file_names)))
    _check_sources(names, source)
    _check_target(target)
    if target.exists() and target.samefile(source):
        raise ValueError(f"the images are in {target} already; write to another folder")
    existing = _list_existing(names, target)
    if existing and not staging.overwrite:
        raise FileExistsError(
            f"{existing[0]} exists; choose another folder, or ask to overwrite it"
        )
    if staging.overwrite:
        staging.protect(all_sources)
    near = target if target.exists() else target.parent
    with shown(None) as progress:
        placed = counted(progress, len(names), f"images ({how})")
        for name in names:
            with name_in_errors(target / name):
                _stage(source / name, staging.add(target / name, near), how)
            placed(1)
