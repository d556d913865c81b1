"""How many entries a JSON list has, without a byte of memory for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..geometry.compiled import compiled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUOTE, _BACKSLASH, _COMMA = ord('"'), ord("\\"), ord(",")
_OPENING, _CLOSING = tuple(b"[{"), tuple(b"]}")


@compiled
def count_commas(text: NDArray[np.uint8]) -> int:
    """The commas between the entries of the list, or the members of the object, that a text is.

    Args:
        text: bytes that are known to be JSON.
    """
    commas = depth = i = 0
    while i < len(text):
        code = text[i]
        if code == _QUOTE:
            i += 1
            while text[i] != _QUOTE:
                i += 2 if text[i] == _BACKSLASH else 1
        elif code in _OPENING:
            depth += 1
        elif code in _CLOSING:
            depth -= 1
        elif code == _COMMA and depth == 1:
            commas += 1
        i += 1
    return commas
