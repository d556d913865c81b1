"""Output files: whole, all of one command together or none, and over old ones only when asked."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .journal import Journal, lock_journal, name_in_errors
from .journal_entries import Move, identify
from .outputs import check_outputs, find_identities
from .stopping import stopping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Staging:
    """Files on their way: each is written beside its place, and then all are put there.

    Attributes:
        overwrite: whether to replace files that exist.
    """

    def __init__(
        self, journal: Journal, files: Sequence[Path], inputs: Iterable[Path], *, overwrite: bool
    ) -> None:
        self.overwrite = overwrite
        self._journal = journal
        self._rank = {path.absolute(): rank for rank, path in enumerate(files)}
        self._inputs = find_identities(inputs)
        self._folders = {journal.folder.parent: journal.folder}
        self._parents: dict[Path, Path] = {}
        self._staged: dict[Path, Path] = {}  # absolute target -> where it is written
        self._places: set[Path] = set()

    def protect(self, paths: Iterable[Path]) -> None:
        """Files that must not be replaced."""
        self._inputs |= find_identities(paths)

    def add(self, target: Path, near: Path | None = None) -> Path:
        """Where to write what belongs at ``target``.

        Args:
            target: the place; it need not have a folder yet.
            near: a folder on the same disk, that exists; by default that of ``target``.

        Raises:
            ValueError: the place is another output's.
        """
        target = target.absolute()
        self._check_place(target)
        folder = self._find_folder((near or target.parent).absolute())
        staged = folder / str(len(self._staged))
        self._staged[target] = staged
        return staged

    @contextmanager
    def open(self, target: Path) -> Iterator[IO[bytes]]:
        """Opens a file that belongs at ``target``."""
        with name_in_errors(target), self.add(target).open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def put_in_place(self) -> None:
        """Puts all files where they belong, the main one last.

        Raises:
            OSError: one cannot be put there; then none is.
            ValueError: one would replace what is read.
        """
        targets = sorted(self._staged, key=lambda target: self._rank.get(target, -1))
        for target in targets:
            self._check_inputs(target)
        with stopping.hold():
            moves = [_plan(target, self._staged[target]) for target in targets]
            with name_in_errors(self._journal.main):
                self._journal.begin(moves, _list_missing_folders(targets))
            try:
                self._move_all()
                self._journal.settle()
            except BaseException:
                self._journal.undo()
                raise

    def _check_place(self, target: Path) -> None:
        if target.parent not in self._parents:
            self._parents[target.parent] = target.parent.resolve()
        place = self._parents[target.parent] / target.name
        if place in self._places:
            raise ValueError(f"two outputs would be {target}; give each its own name")
        self._places.add(place)

    def _check_inputs(self, target: Path) -> None:
        if os.path.lexists(target):
            status = target.lstat()
            if (status.st_dev, status.st_ino) in self._inputs:
                raise ValueError(f"{target} is a file to read; write to another folder")

    def _find_folder(self, parent: Path) -> Path:
        if parent not in self._folders:
            place = parent.resolve()
            if place not in self._folders:
                self._folders[place] = self._journal.add_folder(place)
            self._folders[parent] = self._folders[place]
        return self._folders[parent]

    def _move_all(self) -> None:
        for folder in self._journal.made:
            Path(folder).mkdir(exist_ok=True)
        ours = {tuple(move.identity) for move in self._journal.moves}
        for move in self._journal.moves:
            with name_in_errors(move.target):
                found = identify(move.target)
                if found is not None and tuple(found) in ours:  # on a disk that ignores case
                    raise ValueError(f"two outputs would be {move.target}; give each its own name")
                if found is not None and not self.overwrite:  # it was not there before
                    raise FileExistsError(f"{move.target} exists; another program wrote it")
                if found != move.replaced:  # it would not be known again, to be put back
                    raise FileExistsError(f"{move.target} was changed by another program just now")
                if found is not None:
                    _keep(move)
                Path(move.staged).replace(move.target)


def _plan(target: Path, staged: Path) -> Move:
    identity = identify(staged)
    assert identity is not None
    return Move(str(staged), str(target), identity, identify(target))


def _keep(move: Move) -> None:
    """Keeps what is to be replaced: a file, or a link."""
    if not stat.S_ISREG(kind := os.lstat(move.target).st_mode) and not stat.S_ISLNK(kind):
        raise FileExistsError(f"{move.target} is not a file; it is not replaced")
    try:
        os.link(move.target, move.backup, follow_symlinks=False)
    except (OSError, NotImplementedError):  # no hard links here
        Path(move.target).replace(move.backup)


def _list_missing_folders(targets: Iterable[Path]) -> list[str]:
    """Folders that are to be made, outer ones first."""
    missing: dict[Path, None] = {}
    for parent in dict.fromkeys(target.parent for target in targets):
        chain = [folder for folder in (parent, *parent.parents) if not folder.exists()]
        missing.update(dict.fromkeys(reversed(chain)))
    return [str(folder) for folder in missing]


@contextmanager
def stage_outputs(
    files: Sequence[Path], *, inputs: Iterable[Path] = (), overwrite: bool = False
) -> Iterator[Staging]:
    """Files to write, and then to put in place together; what is not put in place is removed.

    Args:
        files: the outputs, the main one last: it is the last to appear, and the run is known by it.
        inputs: what is read; see `check_outputs`.
        overwrite: whether to replace files that exist.

    Raises:
        OSError, ValueError: an output cannot, or must not, be written; see `check_outputs`.
    """
    inputs = list(inputs)
    check_outputs(files, inputs=inputs, overwrite=overwrite)
    with lock_journal(files[-1]) as journal:
        yield Staging(journal, files, inputs, overwrite=overwrite)


@contextmanager
def write_atomically(path: Path, *, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """Opens a file that takes the name ``path`` once all is written.

    Where anything fails meanwhile, ``path`` is as it was.

    Raises:
        OSError: it cannot be written; see `check_output`.
    """
    with stage_outputs([path], overwrite=overwrite) as staging:
        with staging.open(path) as file:
            yield file
        staging.put_in_place()
