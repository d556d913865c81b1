"""Files that are complete or absent."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def write_atomically(path: Path) -> Iterator[IO[bytes]]:
    """A file to write; it takes `path`'s place when the block ends, and is on the disk by then.

    Raises:
        OSError: it could not be written (a full disk, say); what was at `path` is still there.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(
            error.errno,
            f"could not write {path.name} ({error.strerror}). What was written before is intact:"
            " make room on the disk and start the same command again, and it goes on from there",
            str(path.parent),
        ) from error
