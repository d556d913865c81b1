"""What a journal says: a run's folders, and where its files go. Read, all of it is checked."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .staging_folders import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Container

_IDENTITY_NUMBERS = 3


class Move(NamedTuple):
    """A file of ours and its place.

    Attributes:
        staged: where it is written.
        target: where it belongs.
        identity: what it is known by, wherever it is.
        replaced: what the file is known by that was in its place before; None where none was.
    """

    staged: str
    target: str
    identity: list[int]
    replaced: list[int] | None

    @property
    def backup(self) -> str:
        """Where the file that was there before is kept meanwhile."""
        return f"{self.staged}.old"


def identify(path: str | Path) -> list[int] | None:
    """What a file is known by, whatever its name; None where there is none."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def parse_folders(content: bytes | None, main_name: str) -> list[str] | None:
    """The staging folders elsewhere of a run with that main output; None of a damaged list."""
    folders = _parse(content, default=[])
    name = re.compile(rf"\.{re.escape(main_name)}\.[0-9a-f]{{8}}{re.escape(SUFFIX)}")
    if not _are_paths(folders) or not all(name.fullmatch(Path(path).name) for path in folders):
        return None
    return list(folders)


def parse_moves(
    content: bytes | None, folders: Container[str]
) -> tuple[list[Move], list[str]] | None:
    """Files that are staged in these folders, and folders to make; None of a damaged list."""
    entries = _parse(content, default=[[], []])
    if not isinstance(entries, list) or len(entries) != len(("moves", "made")):
        return None
    moves, made = entries
    if not isinstance(moves, list) or not _are_paths(made):
        return None
    if not all(_is_move(move, folders) for move in moves):
        return None
    return [Move(*move) for move in moves], made


def _parse(content: bytes | None, default: Any) -> Any:
    if content is None:
        return default
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _are_paths(values: Any) -> bool:
    return isinstance(values, list) and all(map(_is_path, values))


def _is_path(value: Any) -> bool:
    try:
        return (
            isinstance(value, str) and Path(value).is_absolute() and b"\0" not in os.fsencode(value)
        )
    except UnicodeEncodeError:
        return False


def _is_identity(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == _IDENTITY_NUMBERS
        and all(type(number) is int for number in value)
    )


def _is_move(value: Any, folders: Container[str]) -> bool:
    if not isinstance(value, list) or len(value) != len(Move._fields):
        return False
    staged, target, identity, replaced = value
    return (
        _are_paths([staged, target])
        and _is_identity(identity)
        and (replaced is None or _is_identity(replaced))
        and os.path.dirname(staged) in folders  # noqa: PTH120 - a text, as it was written
        and re.fullmatch("[0-9]+", os.path.basename(staged)) is not None  # noqa: PTH119
    )
