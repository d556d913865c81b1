"""Errors: of single entries, and what is said of one to people."""

from __future__ import annotations

_MAX_DETAIL = 200  # characters


class UnreadableError(ValueError):
    """An entry that cannot be used.

    Attributes:
        reason: the code to report.
        detail: what was found, for a person to read.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail[:_MAX_DETAIL]


def describe_error(error: Exception) -> str:
    """An error in one line: the file and what is wrong with it, without numbers of the system's."""
    message = str(error)
    if isinstance(error, OSError) and error.strerror is not None:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif isinstance(error, MemoryError):
        message = "there is not enough memory for this"
    return " ".join(message.split())
