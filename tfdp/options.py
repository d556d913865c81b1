"""Options: each is said once, as a field of a dataclass, with its label, help, range and choices.

The keywords of the public calls (`tfdp.keywords`), the command line's arguments
(`tfdp.cli.options`) and the forms' fields (`operators._options`) come from it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, fields, replace
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args, get_type_hints

from .values import (
    LARGEST,
    check_choice,
    check_flag,
    check_ids,
    check_number,
    check_numbers,
    check_text,
    check_texts,
    check_whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXTS, NUMBERS, IDS = tuple[str, ...], tuple[float, ...], tuple[Any, ...]
_CHECKS: dict[Any, Callable[[str, Any], Any]] = {
    bool: check_flag,
    str: check_text,
    TEXTS: check_texts,
    NUMBERS: check_numbers,
    IDS: check_ids,
}


Given = TypeVar("Given", bound="Options")


class Choice(NamedTuple):
    """What a choice is called, and what it means; the entries of registries say the same."""

    label: str
    description: str = ""


@dataclass(frozen=True)
class Preset:
    """Options that go together.

    Attributes:
        name: by which they are asked for.
        label: what people call it.
        description: what it is, and whose.
        values: the options by their names.
    """

    name: str
    label: str
    description: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Option:
    """What is said of an option.

    Attributes:
        label: what a form calls it.
        help: what it does, and in which unit.
        least, most: the range of a whole number.
        limits: the range of another number: least, above and below, as `check_number` takes them.
        choices: gives those that there are by name, with their labels and descriptions.
        flag: its name on the command line: by default as in Python; empty for none.
        one_of: names a group of options of which exactly one is given.
        name, hint, default: the field's own, by `options_of`.
    """

    label: str
    help: str
    least: int = 0
    most: int = LARGEST
    limits: Mapping[str, float] = field(default_factory=dict)
    choices: Callable[[], Mapping[str, Any]] | None = None
    flag: str | None = None
    one_of: str = ""
    name: str = ""
    hint: Any = None
    default: Any = None

    @property
    def is_optional(self) -> bool:
        """Whether None stands for what holds by default."""
        return NoneType in get_args(self.hint)

    @property
    def kind(self) -> Any:
        """The type of a value: float, int, bool, str, `TEXTS`, `NUMBERS` or `IDS`."""
        return get_args(self.hint)[0] if self.is_optional else self.hint

    def check(self, value: Any) -> Any:
        """The value as it is meant, or a ValueError that says what it must be."""
        if value is None and self.is_optional:
            return None
        if self.kind is str and self.choices is not None:
            return check_choice(self.name, value, self.choices())
        if self.kind is int:
            return check_whole(self.name, value, self.least, self.most)
        if self.kind is float:
            return check_number(self.name, value, **self.limits)
        return _CHECKS[self.kind](self.name, value)


def option(default: Any, label: str, help: str, **said: Any) -> Any:  # noqa: A002
    """A field of an `Options` dataclass; ``said`` are other attributes of `Option`."""
    return field(default=default, metadata={"option": Option(label, help, **said)})


def _describe(cls: type, name: str, default: Any) -> Option:
    declared = [vars(base).get("__dataclass_fields__", {}).get(name) for base in cls.__mro__]
    said = next(f.metadata["option"] for f in declared if f is not None and f.metadata)
    option: Option = replace(said, name=name, hint=get_type_hints(cls)[name], default=default)
    return option


@functools.cache
def _read(classes: tuple[type, ...]) -> dict[str, Option]:
    return {f.name: _describe(cls, f.name, f.default) for cls in classes for f in fields(cls)}


def options_of(*classes: type) -> dict[str, Option]:
    """The options of dataclasses by their names.

    A subclass changes a default by giving its field another one: what is said of it stays.
    """
    return _read(classes)


@dataclass(frozen=True)
class Options:
    """A dataclass of options, which checks each by itself.

    What a report can't hold, such as numpy's numbers, is turned.

    Raises:
        ValueError: a value is not what it must be; the message names the option.
    """

    def __post_init__(self) -> None:
        for name, said in options_of(type(self)).items():
            object.__setattr__(self, name, said.check(getattr(self, name)))

    @classmethod
    def given(cls: type[Given], **values: Any) -> Given:  # noqa: PYI019 - Self needs 3.11
        """The options that were given; in place of those that were not, the given preset's.

        Raises:
            ValueError: a value is not what it must be, or the preset is unknown.
        """
        return cls(**{**cls.preset_values(values.get("preset")), **values})

    @classmethod
    def preset_values(cls, preset: str | None) -> Mapping[str, Any]:
        """The options that a preset gives, by their names; none for None.

        Raises:
            ValueError: the preset is unknown.
        """
        said = options_of(cls)["preset"]
        name = said.check(preset)
        return {} if name is None or said.choices is None else said.choices()[name].values
