"""Registries: what can be chosen by its name, each said in one place."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from .values import check_choice


class Named(Protocol):
    """What a registry holds.

    Attributes:
        name: by which it is asked for.
        label: what people call it.
        description: what it does.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def description(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


class Registry(dict[str, Entry]):
    """Entries by their names, in the order in which they are offered.

    Args:
        what: what an entry is, "scorer".
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def add(self, entry: Entry) -> Entry:
        """Adds an entry; ``del registry[name]`` takes it out again.

        Raises:
            ValueError: the name is taken.
        """
        if entry.name in self:
            raise ValueError(f"there is a {self.what} {entry.name!r} already; give another name")
        self[entry.name] = entry
        return entry

    def find(self, name: Any) -> Entry:
        """The entry of that name.

        Raises:
            ValueError: there is none; the message names those that there are.
        """
        return self[check_choice(self.what, name, self)]
