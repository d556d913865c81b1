"""Values in a JSON text that `tfdp.sources.json_scan` has checked: where they are, and integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..geometry.compiled import compiled, inner
from .json_scan import skip_space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .json_scan import Spans, Text

_QUOTE, _BACKSLASH, _COMMA, _MINUS = ord('"'), ord("\\"), ord(","), ord("-")
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY = ord("{"), ord("}"), ord("["), ord("]")
_ZERO, _NINE = ord("0"), ord("9")


@inner
def _string_end(text: Text, i: int) -> int:
    i += 1
    while text[i] != _QUOTE:
        i += 2 if text[i] == _BACKSLASH else 1
    return i + 1


@inner
def _value_end(text: Text, i: int) -> int:
    """End of a value in a text that has been scanned."""
    if text[i] == _QUOTE:
        return _string_end(text, i)
    depth = 0
    while True:
        code = text[i]
        if code == _QUOTE:
            i = _string_end(text, i)
            continue
        if code in (_OPEN_ARRAY, _OPEN_OBJECT):
            depth += 1
        elif code in (_CLOSE_ARRAY, _CLOSE_OBJECT):
            if depth == 0:
                return i
            depth -= 1
            if depth == 0:
                return i + 1
        elif depth == 0 and (code == _COMMA or code <= 32):
            return i
        i += 1


@inner
def _index_of(text: Text, start: int, end: int, names: Text, name_ends: NDArray[np.int64]) -> int:
    """Which of the names stands in the text from start to end; -1 for none of them."""
    name_start = 0
    for k in range(len(name_ends)):
        if name_ends[k] - name_start == end - start:
            same = 0
            while start + same < end and text[start + same] == names[name_start + same]:
                same += 1
            if start + same == end:
                return k
        name_start = name_ends[k]
    return -1


@compiled
def find_values(text: Text, spans: Spans, names: Text, name_ends: NDArray[np.int64]) -> Spans:
    """Spans of the values that the objects at ``spans`` give to the names.

    Of equal names in one object the last counts, as for Python. A name that is written with escapes
    is not recognized.

    Args:
        text: a text that has been scanned.
        spans: (n, 2) of any values in it.
        names: the names, one after another.
        name_ends: (K,) the end of each in ``names``.

    Returns:
        (n, K, 2) spans; empty (0, 0) where the value is no object or has no such name.
    """
    found = np.zeros((len(spans), len(name_ends), 2), np.int64)
    for row in range(len(spans)):
        i, end = spans[row, 0], spans[row, 1]
        if text[i] != _OPEN_OBJECT:
            continue
        i = skip_space(text, i + 1)
        while i < end and text[i] == _QUOTE:
            name, name_end = i + 1, _string_end(text, i)
            start = skip_space(text, skip_space(text, name_end) + 1)
            i = _value_end(text, start)
            k = _index_of(text, name, name_end - 1, names, name_ends)
            if k >= 0:
                found[row, k, 0], found[row, k, 1] = start, i
            i = skip_space(text, i)
            i = skip_space(text, i + 1)
    return found


@compiled
def read_integers(text: Text, spans: Spans) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Plain integers of at most 18 digits.

    Returns:
        (n,) values, and (n,) bool, False where the span holds anything else.
    """
    values, plain = np.zeros(len(spans), np.int64), np.zeros(len(spans), np.bool_)
    for row in range(len(spans)):
        i, end = spans[row, 0], spans[row, 1]
        negative = i < end and text[i] == _MINUS
        if negative:
            i += 1
        if not 0 < end - i <= 18:
            continue
        value = np.int64(0)
        while i < end and _ZERO <= text[i] <= _NINE:
            value = 10 * value + (text[i] - _ZERO)
            i += 1
        values[row] = -value if negative else value
        plain[row] = i == end
    return values, plain
