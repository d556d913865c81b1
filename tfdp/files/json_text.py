"""Small JSON files: parsed whole, and written so that people can read them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np


def parse_json(text: bytes | str | msgspec.Raw, kind: Any = Any) -> Any:
    """The value of a JSON text.

    Args:
        text: the text.
        kind: the type that it must be of, as msgspec takes it.

    Raises:
        ValueError: it is no JSON, or nested too deeply, or not of that type.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _as_list(array: Any) -> list[Any]:
    if isinstance(array, np.ndarray):
        return array.tolist()
    raise NotImplementedError(f"{type(array).__name__} has no form in JSON")


def dump_json(value: Any) -> bytes:
    """JSON in one line, the names in their order in the alphabet; arrays are lists, NaN is null."""
    return msgspec.json.encode(value, enc_hook=_as_list, order="sorted")


def format_json(value: Any) -> bytes:
    """JSON on many lines, the names in their own order; arrays are lists, NaN is null."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=_as_list), indent=2)
