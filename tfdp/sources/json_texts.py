"""JSON texts cut into the texts of what is in them, by msgspec; nothing is copied.

msgspec's grammar is that of Python's `json`, but for NaN, the infinities and halves of surrogate
pairs, which `json` accepts. A text that holds such is cut as another one is, of the same length,
in which they are replaced.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import Raw

Cut = TypeVar("Cut")

_NUMBERS = (b"-Infinity", b"Infinity", b"NaN")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def _stand_in(text: bytes) -> bytes:
    """A text that `json` accepts where it accepts this one, and msgspec as well.

    An object is a value as NaN is, but no name, no number and no list. Inside of strings and after
    a backslash the replacements change neither where a string ends nor whether it is legal.
    """
    for number in _NUMBERS:
        text = text.replace(number, b"{" + b" " * (len(number) - 2) + b"}")
    return _SURROGATE.sub(rb"\\ufffd", text)


def _moved(found: Any, start: int, text: memoryview) -> Any:
    """What was found in a stand-in that begins at the address ``start``, as parts of the text."""
    if isinstance(found, Raw):
        place = _address(found) - start if len(found) else -1
        is_default = not 0 <= place < len(text)
        return found if is_default else Raw(text[place : place + len(found)])
    if isinstance(found, list):
        return [_moved(item, start, text) for item in found]
    if isinstance(found, dict):
        return {name: _moved(item, start, text) for name, item in found.items()}
    return type(found)(*(_moved(item, start, text) for item in msgspec.structs.astuple(found)))


def _address(text: bytes | Raw) -> int:
    address: int = np.frombuffer(text, np.uint8).__array_interface__["data"][0]
    return address


def place_in(whole: bytes, part: Raw) -> int:
    """Where a part of a text, as `cut` gives it, begins; it must not be empty."""
    return _address(part) - _address(whole)


def cut(text: bytes | Raw, kind: type[Cut]) -> Cut:
    """The parts of a text, as `msgspec.Raw`.

    Args:
        text: the text.
        kind: what it must be: Raw, a list or dict of them, or a Struct whose fields are such. What
            is missing from a Struct is its default. NaN may pass for an object without members.

    Raises:
        msgspec.ValidationError: it is JSON as far as was seen, but not of this kind.
        msgspec.DecodeError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        original = bytes(text)
        other = _stand_in(original)
        if other == original:
            raise
    return _moved(msgspec.json.decode(other, type=kind), _address(other), memoryview(text))


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) < 300 else float(digits)  # Python refuses the longest


def parse(text: bytes | Raw) -> Any:
    """The value of a JSON text; NaN and numbers of any length are taken, too.

    Nested too deeply, it is None.
    """
    with suppress(RecursionError):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return json.loads(bytes(text), parse_int=_parse_int)
    return None
