"""Times as MongoDB keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def stamp(moment: datetime) -> str:
    """A moment to the millisecond: by it things of FiftyOne that bear one name are told apart."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
