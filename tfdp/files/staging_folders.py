"""The hidden folders that outputs are staged in: which are ours, and made in this very place.

A folder of the same name may have come from an archive, a copy or another program. What stands in
it is believed, and deleted, only where it holds nothing but our names, and a mark of its own place.
"""

from __future__ import annotations

import json
import os
import re
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".tfdp"
LOCK, MARK, FOLDERS, MOVES = "lock", "mark", "folders", "moves"
_FORMAT = "tfdp staging folder 1"
_STAGED = re.compile(r"[0-9]+(\.old)?")
_CONTROL = re.compile(r"lock|mark|(folders|moves)(\.new)?")


def is_lock(path: Path) -> bool:
    """Whether a file of this name, if there is one, can be one that we lock: nobody's content."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return True
    return stat.S_ISREG(status.st_mode) and status.st_size == 0


def describe_place(folder: Path) -> bytes:
    """The mark of a run's main staging folder, which no copy of it, and none moved, has."""
    status = folder.lstat()
    return json.dumps([_FORMAT, str(folder), status.st_ino, status.st_dev]).encode()


def in_the_way(folder: Path) -> FileExistsError:
    """The error of what stands in the place of a staging folder."""
    return FileExistsError(f"{folder} is in the way, and not of tfdp; rename it")


def list_content(folder: Path) -> set[str]:
    """The names in a staging folder; those of a run that is at work may be gone by now.

    Raises:
        FileExistsError: it is no folder, or holds what we have not put there.
        PermissionError: it is another user's.
    """
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise in_the_way(folder)
        _check_owner(status, folder)
        names = set(os.listdir(folder))  # noqa: PTH208 - names are what is asked for
    except FileNotFoundError:
        return set()
    for name in names:
        _check_entry(folder, name)
    return names


def check_mark(folder: Path, mark: bytes) -> None:
    """Refuses a folder that has not this mark, unless its run was killed while it wrote that.

    Raises:
        FileExistsError: it holds more, but has another mark or none.
    """
    path = folder / MARK
    found = path.read_bytes() if path.exists() else b""
    begun = mark.startswith(found) and list_content(folder) <= {LOCK, MARK}
    if found != mark and not begun:
        raise FileExistsError(
            f"{folder} is in the way, and was not made by tfdp in this place (copied or moved,"
            " perhaps); rename it"
        )


def remove_content(folder: Path) -> None:
    """Deletes what is ours in a folder, but for the lock; the mark last."""
    last = ["", FOLDERS, MARK]
    names = [name for name in os.listdir(folder) if _is_our_name(name) and name != LOCK]  # noqa: PTH208
    for name in sorted(names, key=lambda name: last.index(name) if name in last else 0):
        (folder / name).unlink(missing_ok=True)


def _is_our_name(name: str) -> bool:
    return bool(_STAGED.fullmatch(name) or _CONTROL.fullmatch(name))


def _check_entry(folder: Path, name: str) -> None:
    try:
        status = (folder / name).lstat()
    except FileNotFoundError:
        return
    if _CONTROL.fullmatch(name):
        ours = stat.S_ISREG(status.st_mode) and (name != LOCK or is_lock(folder / name))
        _check_owner(status, folder)
    else:
        ours = _is_our_name(name) and not stat.S_ISDIR(status.st_mode)
    if not ours:
        raise in_the_way(folder)


def _check_owner(status: os.stat_result, folder: Path) -> None:
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise PermissionError(
            f"{folder} is another user's: wait until that run has ended; if it was killed, that"
            " user can remove the folder"
        )
