"""Functions whose keywords are the options of dataclasses: shown, described, refused by name."""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .options import options_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .options import Option

Function = TypeVar("Function", bound=Callable[..., Any])
_PLACE = re.compile(r"^( *)\*\*options:.*$", re.MULTILINE)  # in a docstring
_WIDTH = 100


def _describe(option: Option, indent: str) -> str:
    """A docstring's entry."""
    choices = f": {', '.join(map(repr, option.choices()))}" if option.choices else ""
    return textwrap.fill(
        f"{option.name}: {option.help}{choices}.",
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
    )


def _document(doc: str, options: Iterable[Option]) -> str:
    """The docstring with one entry for each option in place of the line ``**options: ...``."""
    return _PLACE.sub(lambda place: "\n".join(_describe(o, place[1]) for o in options), doc)


def _show(own: inspect.Signature, options: Iterable[Option], *, unset: bool) -> inspect.Signature:
    """The signature with the options as keywords in place of ``**options``."""
    kept = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    added = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if unset else option.default,
            annotation=option.hint | None if unset else option.hint,
        )
        for option in options
    ]
    first = [p for p in kept if p.kind is not p.KEYWORD_ONLY]
    last = [p for p in kept if p.kind is p.KEYWORD_ONLY]
    return own.replace(parameters=[*first, *added, *last])


def _suggest(name: str, shown: inspect.Signature) -> str:
    """The keyword that may have been meant, or else all of them."""
    nearest = get_close_matches(name, shown.parameters, n=1)
    return (
        f"the nearest is {nearest[0]!r}" if nearest else f"it takes {', '.join(shown.parameters)}"
    )


def takes_options(*classes: type, unset: bool = False) -> Callable[[Function], Function]:
    """Shows a function's ``**options`` as what they are: the options of dataclasses.

    Its signature lists them, and in its docstring they stand for the line ``**options: ...``. A
    keyword that is none of them is a TypeError that names the nearest, or else all.

    Args:
        *classes: of the options.
        unset: whether all are None by default: what holds then is found out by the function.
    """

    def decorate(function: Function) -> Function:
        own = inspect.signature(function)
        options = [o for name, o in options_of(*classes).items() if name not in own.parameters]
        shown = _show(own, options, unset=unset)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for name in kwargs:
                if name not in shown.parameters:
                    raise TypeError(
                        f"{function.__name__}() takes no {name!r}; {_suggest(name, shown)}"
                    )
            return function(*args, **kwargs)

        call.__signature__ = shown  # type: ignore[attr-defined]
        call.__doc__ = function.__doc__ and _document(function.__doc__, options)
        return cast("Function", call)

    return decorate
