"""A training log is begun, or gone on with: by one process at a time, and only by the same run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ..files.journal import clear_killed_run
from ..files.staging_folders import is_lock
from .epoch_files import epoch_path
from .log_reading import read_rows, read_run, read_targets
from .training_log import (
    CHECKPOINT,
    PIXELS,
    ROWS,
    RUN,
    SECONDS,
    STORED,
    TARGETS,
    write_rows,
    write_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from .training_log import LogRows

LOCK = "training.lock"
SHOWN = 5  # names in a message
NAMES = (RUN, ROWS, TARGETS, SECONDS, CHECKPOINT)  # of a log's files, but for the epochs'


@contextmanager
def lock_log(folder: Path) -> Iterator[None]:
    """The log's folder, made where it is missing; no other training writes to it meanwhile.

    The lock ends with the process, however that ends.

    Raises:
        ValueError: another training writes to it, it is no folder, or its lock is a file of
            someone else's.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"expected a folder for the training log, found a file at {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    if not is_lock(folder / LOCK):
        raise ValueError(
            f"expected no file {folder / LOCK}, or an empty one, found one that is no lock of a"
            " training: rename it, or choose another folder"
        )
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ValueError(
            f"another training is writing its log to {folder} at this moment: wait until it has"
            " ended, or choose another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _clear_killed_run(folder: Path, epochs: int) -> None:
    """Removes what a training that was killed had begun to write: up to hundreds of megabytes."""
    for path in (
        *(folder / name for name in NAMES),
        *(epoch_path(folder, epoch) for epoch in range(epochs + 1)),
    ):
        clear_killed_run(path)


def _check_same_run(folder: Path, run: dict[str, Any]) -> None:
    started = read_run(folder)
    if STORED.index(started["stored"]) > STORED.index(run["stored"]):  # more than is needed
        run = run | {"stored": started["stored"]}
    other = [
        f"{name} {started.get(name)!r}, not {run.get(name)!r}"
        for name in sorted(started | run)
        if started.get(name) != run.get(name)
    ]
    if other:
        raise ValueError(
            f"expected an empty folder or the log of the same run, found in {folder} a log of"
            f" {'; '.join(other)}: choose another folder"
        )


def _check_unused(folder: Path) -> None:
    """Refuses a folder that holds files of our names, but no log: they are someone else's."""
    paths = (*(folder / name for name in NAMES), *sorted(folder.glob("epoch_*.parquet")))
    found = [path.name for path in paths if path.exists()]
    if found:
        raise ValueError(
            f"expected an empty folder or a training log, found {', '.join(found[:SHOWN])} in"
            f" {folder} without the {RUN} that a log has: choose another folder"
        )


def _read_whole_rows(folder: Path, count: int, pixels: int) -> LogRows | None:
    """The rows of a log; None where they, or their targets, are missing or damaged."""
    try:
        rows = read_rows(folder)
        read_targets(folder, count, pixels)
    except ValueError:
        return None
    return rows if len(rows.instance_ids) == count else None


def open_log(
    folder: Path,
    run: dict[str, Any],
    count: int,
    prepare: Callable[[], tuple[LogRows, NDArray[np.uint8]]],
) -> LogRows:
    """Start a log, or go on with the one that the same run has started.

    Args:
        folder: the log's, locked.
        run: the parameters.
        count: N, the number of rows.
        prepare: gives whose values will be logged, and the targets' (N, ceil(P / 8)) bits. It is
            called where a log has not got that far, or was damaged.

    Raises:
        ValueError: the folder holds the log of another run, or files that are of no log.
    """
    _clear_killed_run(folder, run["epochs"])
    started = (folder / RUN).exists()
    if started:
        _check_same_run(folder, run)
        rows = _read_whole_rows(folder, count, PIXELS[run["kind"]])
        if rows is not None:
            return rows
    else:
        _check_unused(folder)
    rows, targets = prepare()
    if not started:
        write_run(folder, run)  # first: the sign that what follows is of this run
    write_rows(folder, rows, targets)
    return rows
