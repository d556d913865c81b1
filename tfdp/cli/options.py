"""Options as arguments of a command."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING, Any

from ..options import NUMBERS, TEXTS, options_of

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable

    from ..options import Option

_ARGUMENTS: dict[Any, dict[str, Any]] = {  # by the kind of an option
    float: {"type": float, "metavar": "X"},
    int: {"type": int, "metavar": "N"},
    bool: {"action": BooleanOptionalAction},
    str: {},
    TEXTS: {"nargs": "+", "metavar": "NAME"},
    NUMBERS: {"type": float, "nargs": "+", "metavar": "X"},
}


def _argument(option: Option) -> dict[str, Any]:
    """What `add_argument` takes; what is not given is None, so that a preset can stand for it."""
    usual = "" if option.default is None else f" ({option.default})"
    argument = {
        "dest": option.name,
        "help": f"{option.help}{usual}".replace("%", "%%"),
        **_ARGUMENTS[option.kind],
    }
    if option.choices is not None and option.kind is str:
        argument["choices"] = list(option.choices())
    return argument


def _of_command(cls: type, names: Iterable[str]) -> dict[str, Option]:
    """The options that have a name on the command line."""
    known = options_of(cls)
    return {name: known[name] for name in names or known if known[name].flag != ""}


def add_options(parser: ArgumentParser, cls: type, *names: str) -> None:
    """Adds the options of a dataclass to a command's arguments: some of them, or all."""
    places: dict[str, Any] = {"": parser}
    for name, option in _of_command(cls, names).items():
        if option.one_of not in places:
            places[option.one_of] = parser.add_mutually_exclusive_group(required=True)
        flag = option.flag or f"--{name.replace('_', '-')}"
        places[option.one_of].add_argument(flag, **_argument(option))


def given_options(arguments: Namespace, cls: type) -> dict[str, Any]:
    """What a command was given of a dataclass's options, as keywords of the dataclass."""
    values = vars(arguments)
    return {name: values[name] for name in _of_command(cls, ()) if values.get(name) is not None}
