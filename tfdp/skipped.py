"""What could not be scored, and why: nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class SkippedItem(NamedTuple):
    """One entry that was passed over.

    Attributes:
        kind: "image", "annotation", "sample" or "label".
        id: its id, as the source gives it (None where the entry has none).
        reason: a short code, the same for all entries of one cause ("crowd", "empty_mask").
        detail: what was found, for a person to read; may be empty.
    """

    kind: str
    id: object
    reason: str
    detail: str = ""


@dataclass
class Skipped:
    """The entries that were passed over, in the order in which they were met."""

    items: list[SkippedItem] = field(default_factory=list)

    def add(self, kind: str, id: object, reason: str, detail: str = "") -> None:  # noqa: A002
        self.items.append(SkippedItem(kind, id, reason, detail))

    def extend(self, other: Skipped) -> None:
        self.items.extend(other.items)

    def counts(self) -> dict[str, int]:
        """Number of entries by reason, most frequent first."""
        return dict(Counter(item.reason for item in self.items).most_common())

    def ids(self, reason: str) -> list[object]:
        """Ids of the entries that were passed over for ``reason``."""
        return [item.id for item in self.items if item.reason == reason]

    def ids_by_reason(self) -> dict[str, list[str]]:
        """Reason -> ids as texts, most frequent first."""
        return {reason: [str(i) for i in self.ids(reason)] for reason in self.counts()}

    def summary(self) -> str:
        """One line, "12 crowd, 3 polygon_too_short", or "nothing"."""
        return ", ".join(f"{n} {reason}" for reason, n in self.counts().items()) or "nothing"

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[SkippedItem]:
        return iter(self.items)
