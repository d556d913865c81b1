"""What is said of an error to people."""

from __future__ import annotations


def describe_error(error: Exception) -> str:
    """An error in one line: the file and what is wrong with it, without numbers of the system's."""
    message = str(error)
    if isinstance(error, OSError) and error.strerror is not None:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif isinstance(error, MemoryError):
        message = "there is not enough memory for this"
    return " ".join(message.split())
