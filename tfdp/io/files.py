"""Output files: whole or not at all, and over an old one only when that is asked for."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def temporary_name(path: Path) -> Path:
    """A new hidden name beside ``path``, on the same disk, so that it can be renamed to it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuses a path that cannot, or must not, be written; before the work rather than after it.

    Raises:
        FileExistsError: it exists, and ``overwrite`` is not given; or it is no regular file.
        FileNotFoundError: its folder does not exist.
        PermissionError: its folder cannot be written.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(f"{path} is not a file; choose another name for the output")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; choose another name, or ask to overwrite it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} to")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"the folder {path.parent} cannot be written")


@contextmanager
def write_atomically(path: Path, *, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """Opens a temporary file that takes the name ``path`` once all is written.

    Where anything fails meanwhile, the temporary file is removed and ``path`` is as it was.

    Raises:
        OSError: it cannot be written; see `check_output`.
    """
    check_output(path, overwrite=overwrite)
    temporary = temporary_name(path)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_output(path, overwrite=overwrite)  # another program may have written it meanwhile
        temporary.replace(path)
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
