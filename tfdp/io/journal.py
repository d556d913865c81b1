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
import shutil
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock, Timeout

from ..stopping import stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_MARK = ".tfdp"
_LOCK, _FOLDERS, _MOVES = "lock", "folders", "moves"


class Move(NamedTuple):
    """A file of ours and its place.

    Attributes:
        staged: where it is written.
        target: where it belongs.
        identity: what it is known by, wherever it is.
        backup: where the file is kept meanwhile that was there before.
    """

    staged: str
    target: str
    identity: list[int]
    backup: str


def identify(path: str | Path) -> list[int] | None:
    """What a file is known by, whatever its name; None where there is none."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [status.st_ino, status.st_size, status.st_mtime_ns]


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
        place = main.absolute()
        self.folder = place.with_name(f".{place.name}{_MARK}")
        self.others: list[str] = []
        self.moves: list[Move] = []
        self.made: list[str] = []

    def add_folder(self, parent: Path) -> Path:
        """A new staging folder in another folder, for files that belong there."""
        folder = parent / f".{self.main.name}.{secrets.token_hex(4)}{_MARK}"
        self.others.append(str(folder.absolute()))
        self._save(_FOLDERS, self.others)
        folder.mkdir()
        return folder

    def begin(self, moves: list[Move], made: list[str]) -> None:
        """From now on, until `settle`, these would have to be undone."""
        self._save(_MOVES, [moves, made])
        self.moves, self.made = moves, made

    def settle(self) -> None:
        """Nothing has to be undone any more."""
        (self.folder / _MOVES).unlink(missing_ok=True)
        self.moves, self.made = [], []

    def undo(self) -> None:
        """Puts back what was there before; what others have put there since stays."""
        for move in reversed(self.moves):
            found = identify(move.target)
            if found is None or found == move.identity:
                if os.path.lexists(move.backup):
                    Path(move.backup).replace(move.target)
                elif found is not None:
                    Path(move.target).unlink()
        for folder in reversed(self.made):
            with suppress(OSError):  # it was not made yet, or others use it by now
                Path(folder).rmdir()
        self.settle()

    def remove(self) -> None:
        """Removes what is staged, unless something is still to be undone."""
        if self.moves:
            return
        self._remove_staged()
        (self.folder / _LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # another run has come here
            self.folder.rmdir()

    def undo_killed_run(self) -> None:
        """Undoes and removes what is here: whose it was is dead, or it would still be locked."""
        if not self._list_staged():
            return
        self.others = self._load(_FOLDERS) or []
        moves, self.made = self._load(_MOVES) or ([], [])
        self.moves = [Move(*move) for move in moves]
        self.undo()
        self._remove_staged()
        logger.warning("tfdp: cleared what a run that was killed had left of %s", self.main)

    def _list_staged(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.name != _LOCK]

    def _remove_staged(self) -> None:
        for other in self.others:
            shutil.rmtree(other, ignore_errors=True)
        self.others = []
        for path in sorted(self._list_staged(), key=lambda path: path.name == _FOLDERS):
            path.unlink(missing_ok=True)

    def _save(self, name: str, content: Any) -> None:
        new = self.folder / f"{name}.new"
        with new.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / name)

    def _load(self, name: str) -> Any:
        path = self.folder / name
        if not path.exists():
            return None
        if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
            raise PermissionError(f"{self.folder} is of a killed run of another user; remove it")
        try:
            return json.loads(path.read_bytes())
        except ValueError as error:
            raise ValueError(
                f"{path}, left by a run that was killed, is damaged; remove {self.folder}"
            ) from error


def _check_staging(folder: Path) -> None:
    """Refuses a folder that no run of ours has made."""
    if not os.path.lexists(folder):
        return
    ours = folder.is_dir() and not folder.is_symlink()
    if not ours or not ((folder / _LOCK).is_file() or not any(folder.iterdir())):
        raise FileExistsError(f"{folder} is in the way, and not of tfdp; rename it")


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
        parts = Path(str(error.filename or _MARK)).parts
        staged = error.filename2 is not None or any(part.endswith(_MARK) for part in parts)
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
    _check_staging(journal.folder)
    lock = FileLock(journal.folder / _LOCK, timeout=0)
    with ExitStack() as stack:
        with stopping.hold():
            with name_in_errors(main):
                journal.folder.mkdir(exist_ok=True)
                _acquire(lock, main)
            stack.callback(lock.release)
            journal.undo_killed_run()
            stack.enter_context(stopping.cleanup(journal.remove))
        yield journal


def clear_killed_run(main: Path) -> None:
    """Undoes and removes what a killed run with this main output has left."""
    if os.path.lexists(Journal(main).folder):
        with lock_journal(main):
            pass
