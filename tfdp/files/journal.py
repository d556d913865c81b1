"""Where files are staged before they are put in place together, and how a killed run is undone.

The files of a run lie in a hidden, locked folder beside its main output. Before the first of them
is put in place, a journal in that folder says which ones go where. The lock ends with the process,
however that ends; the next run with the same main output then puts back what the journal lists, so
that the killed run has left nothing.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from .journal_entries import Move, identify, parse_folders, parse_moves
from .staging_folders import (
    FOLDERS,
    LOCK,
    MARK,
    MOVES,
    SUFFIX,
    check_mark,
    describe_place,
    in_the_way,
    list_content,
    remove_content,
)
from .stopping import stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)


class Journal:
    """What a run has staged, and what would have to be undone.

    Attributes:
        main: the output that the run is known by.
        folder: the staging folder that the journal lies in.
        others: staging folders on the way to places elsewhere.
        moves: the files that are being put in place.
        made: folders that are made for them.
    """

    def __init__(self, main: Path) -> None:
        self.main = main
        self.folder = Path(os.path.realpath(main.parent)) / f".{main.name}{SUFFIX}"
        self.others: list[str] = []
        self.moves: list[Move] = []
        self.made: list[str] = []

    def check_folder(self) -> None:
        """Refuses what is in the folder's place and not ours; before anything is locked there."""
        names = list_content(self.folder)
        if names and LOCK not in names:
            raise in_the_way(self.folder)

    def mark(self, folder: Path) -> None:
        """Marks a staging folder as this run's."""
        (folder / MARK).write_bytes(describe_place(self.folder))

    def add_folder(self, parent: Path) -> Path:
        """A new staging folder in another folder, for files that belong there."""
        folder = parent / f".{self.main.name}.{secrets.token_hex(4)}{SUFFIX}"
        self.others.append(str(folder))
        self._save(FOLDERS, self.others)
        folder.mkdir()
        self.mark(folder)
        return folder

    def begin(self, moves: list[Move], made: list[str]) -> None:
        """From now on, until `settle`, these would have to be undone."""
        self._save(MOVES, [moves, made])
        self.moves, self.made = moves, made

    def settle(self) -> None:
        """Nothing has to be undone any more."""
        (self.folder / MOVES).unlink(missing_ok=True)
        self.moves, self.made = [], []

    def undo(self) -> None:
        """Puts back what was there before; what others have put there since stays."""
        for move in reversed(self.moves):
            found = identify(move.target)
            if move.replaced is None and found == move.identity:
                Path(move.target).unlink()
            elif found in (None, move.identity) and _is_kept(move):
                Path(move.backup).replace(move.target)
        for folder in reversed(self.made):
            with suppress(OSError):  # it was not made yet, or others use it by now
                Path(folder).rmdir()
        self.settle()

    def remove(self) -> None:
        """Removes what is staged, unless something is still to be undone."""
        if self.moves:
            return
        self._remove_staged()
        (self.folder / LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # another run has come here
            self.folder.rmdir()

    def clear_killed_run(self) -> None:
        """Undoes and removes what is here: whose it was is dead, or it would still be locked.

        Where all was in place, it stays: only what was kept for undoing it is removed.
        """
        check_mark(self.folder, describe_place(self.folder))
        if list_content(self.folder) <= {LOCK, MARK}:
            return
        self._load()
        if self.moves and all(identify(move.target) == move.identity for move in self.moves):
            message = "tfdp: a run that was killed had put all in place of %s"
            self.settle()
        else:
            message = "tfdp: cleared what a run that was killed had left of %s"
            self.undo()
        self._remove_staged()
        logger.warning(message, self.main)

    def _remove_staged(self) -> None:
        for other in self.others:
            with suppress(OSError):
                remove_content(Path(other))
                Path(other).rmdir()
        self.others = []
        remove_content(self.folder)

    def _save(self, name: str, content: Any) -> None:
        new = self.folder / f"{name}.new"
        with new.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / name)

    def _load(self) -> None:
        others = parse_folders(self._read(FOLDERS), self.main.name)
        entries = parse_moves(self._read(MOVES), {str(self.folder), *(others or [])})
        if others is None or entries is None:
            raise ValueError(f"{self.folder}, left by a run that was killed, is damaged; remove it")
        for other in map(Path, others):
            list_content(other)
            if other.exists():
                check_mark(other, describe_place(self.folder))
        self.others = others
        self.moves, self.made = entries

    def _read(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None


def _is_kept(move: Move) -> bool:
    return move.replaced is not None and identify(move.backup) == move.replaced


def _acquire(lock: FileLock, main: Path) -> None:
    try:
        lock.acquire()
    except Timeout as error:
        raise BlockingIOError(
            f"another run writes {main} at this moment; wait until it has ended"
        ) from error


@contextmanager
def name_in_errors(path: str | Path) -> Iterator[None]:
    """The system's errors about what is staged, or about no named file, name this one."""
    try:
        yield
    except OSError as error:
        parts = Path(str(error.filename or SUFFIX)).parts
        staged = error.filename2 is not None or any(part.endswith(SUFFIX) for part in parts)
        if error.errno is None or not staged:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def lock_journal(main: Path) -> Iterator[Journal]:
    """The journal of a run that writes ``main``, which no other run writes meanwhile.

    Raises:
        OSError: another run does, or the folder cannot be written.
    """
    journal = Journal(main)
    lock = FileLock(journal.folder / LOCK, timeout=0)
    with ExitStack() as stack:
        with stopping.hold():
            with name_in_errors(main):
                journal.check_folder()
                journal.folder.mkdir(exist_ok=True)
                _acquire(lock, main)
            stack.callback(lock.release)
            journal.clear_killed_run()
            stack.enter_context(stopping.cleanup(journal.remove))
            with name_in_errors(main):
                journal.mark(journal.folder)
        yield journal


def clear_killed_run(main: Path) -> None:
    """Undoes and removes what a killed run with this main output has left."""
    if os.path.lexists(Journal(main).folder):
        with lock_journal(main):
            pass
