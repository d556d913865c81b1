"""Checks of single values that people give: what is wrong is said by name, and as it was found."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST = 2**63 - 1  # whole number that databases and tables hold
LONGEST = 4096  # characters of a text: that of the longest path
_SHOWN = 80  # characters of a value in a message


def shown(value: object) -> str:
    """A value as a message shows it, which may be of any type and size."""
    text = repr(value[: _SHOWN + 1] if isinstance(value, (str, bytes, list, tuple)) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def is_text(value: Any) -> bool:
    """Whether a value is a text that can be written (half of a surrogate pair cannot)."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def check_text(name: str, value: Any) -> str:
    """The text, or a ValueError."""
    if not isinstance(value, str):
        _refuse(name, "a text", value)
    if len(value) > LONGEST:
        _refuse(name, f"at most {LONGEST} characters long", value)
    return value


def check_flag(name: str, value: Any) -> bool:
    """True or False, or a ValueError."""
    return value if isinstance(value, bool) else _refuse(name, "True or False", value)


def check_number(
    name: str,
    value: Any,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    """The finite number, at least or above something and below something; or a ValueError."""
    if not isinstance(value, Real) or isinstance(value, bool) or not _is_finite(value):
        _refuse(name, "a finite number", value)
    number = float(value)
    if number < least or number <= above or number >= below:
        limits = {"at least": least, "more than": above, "less than": below}
        _refuse(
            name, " and ".join(f"{k} {v:g}" for k, v in limits.items() if abs(v) < math.inf), value
        )
    return number


def check_whole(name: str, value: Any, least: int = 0, most: int = LARGEST) -> int:
    """The whole number from ``least`` to ``most``, or a ValueError."""
    if (
        not isinstance(value, Integral)
        or isinstance(value, bool)
        or not least <= int(value) <= most
    ):
        limit = f"{least} or more (below 2**63)" if most == LARGEST else f"{least} to {most}"
        _refuse(name, f"a whole number of {limit}", value)
    return int(value)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """The value, which must be one of the choices; or a ValueError."""
    known = tuple(choices)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"unknown {name} {shown(value)}; choose one of {', '.join(known)}")
    return value


def check_numbers(name: str, value: Any) -> tuple[float, ...]:
    """Several finite numbers, as a tuple; or a ValueError."""
    if not isinstance(value, (list, tuple)):
        _refuse(name, "a list of numbers", value)
    return tuple(check_number(name, item) for item in value)


def check_texts(name: str, value: Any) -> tuple[str, ...]:
    """Several texts, as a tuple; or a ValueError, also for one text alone."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        _refuse(name, "a list of texts", value)
    return tuple(value)


def check_ids(name: str, value: Any) -> tuple[Any, ...]:
    """Several ids, as a tuple; or a ValueError."""
    try:
        ids = tuple(value)
        set(ids)  # they are looked up
    except TypeError:
        _refuse(name, "a list of ids", value)
    return ids if not isinstance(value, str) else _refuse(name, "a list of ids", value)


def _is_finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _refuse(name: str, expected: str, value: object) -> NoReturn:
    raise ValueError(f"{name} must be {expected}, but got {shown(value)}")
