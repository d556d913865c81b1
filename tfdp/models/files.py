"""Files of a training log: whole or absent, so that a run that ended in the middle goes on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from ..files import staging

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def write_atomically(path: Path) -> Iterator[IO[bytes]]:
    """A file to write; it takes `path`'s place when the block ends, and is on the disk by then.

    Raises:
        OSError: it could not be written (a full disk, say); what was at `path` is still there.
    """
    try:
        with staging.write_atomically(path, overwrite=True) as file:
            yield file
    except OSError as error:
        if error.errno is None:  # not the disk's: a folder is in the place, say
            raise
        raise OSError(
            error.errno,
            f"could not write {path.name} ({error.strerror}). What was written before is intact:"
            " make room on the disk and start the same command again, and it goes on from there",
            str(path.parent),
        ) from error
