"""A JSON text's structure, checked byte by byte: nothing is parsed, nothing is copied.

The grammar is what Python's own `json` accepts, NaN and Infinity included. A *span* is the start
and the end of a value in the text. `tfdp.sources.json_values` finds values in a scanned text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..geometry.compiled import compiled, inner
from ..geometry.toggles import grown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Text = NDArray[np.uint8]
    Spans = NDArray[np.int64]  # (..., 2)

MAX_DEPTH = 400  # levels of nesting; Python's own parser stops near 1000

_QUOTE, _BACKSLASH, _COMMA, _COLON = ord('"'), ord("\\"), ord(","), ord(":")
_OPEN_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY = ord("{"), ord("["), ord("]")
_CLOSE = 2  # from an opening bracket's code to its closing one's, for both kinds
_ZERO, _NINE, _DOT, _MINUS, _PLUS = ord("0"), ord("9"), ord("."), ord("-"), ord("+")
_SPACE = ord(" ")
_SMALL_E, _LARGE_E, _SMALL_U = ord("e"), ord("E"), ord("u")
_ESCAPED = tuple(b'"\\/bfnrtu')
_WORDS = np.frombuffer(b"null true false NaN Infinity ", np.uint8)


@inner
def skip_space(text: Text, i: int) -> int:
    while i < len(text) and (text[i] == 32 or 9 <= text[i] <= 10 or text[i] == 13):
        i += 1
    return i


@inner
def _is_digit(text: Text, i: int) -> bool:
    return i < len(text) and _ZERO <= text[i] <= _NINE


@inner
def _is_hex_digit(text: Text, i: int) -> bool:
    if _is_digit(text, i):
        return True
    return i < len(text) and ord("a") <= text[i] | 32 <= ord("f")  # | 32: small letters


@inner
def _scan_string(text: Text, i: int) -> int:
    """End of the string whose quote is at i; as `scan_value`."""
    i += 1
    while i < len(text) and text[i] != _QUOTE:
        if text[i] < 32:
            return ~i
        if text[i] == _BACKSLASH:
            i += 1
            if i == len(text) or text[i] not in _ESCAPED:
                return ~i
            if text[i] == _SMALL_U:
                for k in range(i + 1, i + 5):
                    if not _is_hex_digit(text, k):
                        return ~i
                i += 4
        i += 1
    return i + 1 if i < len(text) else ~i


@inner
def _scan_numbers(text: Text, i: int, many: bool) -> int:  # noqa: C901, PLR0912
    """End of the number at i or, where ``many``, of the last of the numbers at i; as `scan_value`.

    Most of a COCO file is such numbers: it is one loop, which calls nothing.
    """
    end = len(text)
    while True:
        if text[i] == _MINUS:
            i += 1
        start = i
        while i < end and _ZERO <= text[i] <= _NINE:
            i += 1
        if i == start or (i > start + 1 and text[start] == _ZERO):
            return ~start
        if i < end and text[i] == _DOT:
            i += 1
            start = i
            while i < end and _ZERO <= text[i] <= _NINE:
                i += 1
            if i == start:
                return ~start
        if i < end and (text[i] == _SMALL_E or text[i] == _LARGE_E):
            i += 1
            if i < end and (text[i] == _PLUS or text[i] == _MINUS):
                i += 1
            start = i
            while i < end and _ZERO <= text[i] <= _NINE:
                i += 1
            if i == start:
                return ~start
        after = i
        while after < end and (text[after] == 32 or 9 <= text[after] <= 10 or text[after] == 13):
            after += 1
        if not many or after == end or text[after] != _COMMA:
            return i
        after += 1
        while after < end and (text[after] == 32 or 9 <= text[after] <= 10 or text[after] == 13):
            after += 1
        digit = after + 1 if after < end and text[after] == _MINUS else after
        if digit >= end or not _ZERO <= text[digit] <= _NINE:
            return i
        i = after


@inner
def _scan_word(text: Text, i: int) -> int:
    """End of null, true, false, NaN or Infinity; as `scan_value`."""
    word = 0
    while word < len(_WORDS):
        k = 0
        while i + k < len(text) and text[i + k] == _WORDS[word + k]:
            k += 1
        if _WORDS[word + k] == _SPACE:
            return i + k
        while _WORDS[word] != _SPACE:
            word += 1
        word += 1
    return ~i


@inner
def _scan_scalar(text: Text, i: int, many: bool) -> int:
    """End of the scalar at i, or where ``many`` of several numbers; as `scan_value`."""
    if text[i] == _QUOTE:
        return _scan_string(text, i)
    if _is_digit(text, i) or (text[i] == _MINUS and _is_digit(text, i + 1)):
        return _scan_numbers(text, i, many)
    if text[i] == _MINUS:  # -Infinity
        is_infinity = i + 1 < len(text) and text[i + 1] == ord("I")
        return _scan_word(text, i + 1) if is_infinity else ~i
    return _scan_word(text, i)


@inner
def _scan_name(text: Text, i: int) -> int:
    """Place of the value that the name at or after i is given to; as `scan_value`."""
    i = skip_space(text, i)
    if i == len(text) or text[i] != _QUOTE:
        return ~i
    i = _scan_string(text, i)
    if i < 0:
        return i
    i = skip_space(text, i)
    return i + 1 if i < len(text) and text[i] == _COLON else ~i


@inner
def scan_value(text: Text, i: int, open_brackets: Text) -> int:  # noqa: C901, PLR0911, PLR0912
    """End of the JSON value at or after i, every byte of it checked.

    Args:
        text: the whole text.
        i: where the value, or space before it, starts.
        open_brackets: scratch, (MAX_DEPTH,).

    Returns:
        The end; ``~place`` where the text is damaged at ``place``.
    """
    depth = 0
    while True:
        i = skip_space(text, i)
        if i == len(text):
            return ~i
        if text[i] == _OPEN_ARRAY or text[i] == _OPEN_OBJECT:
            if depth == len(open_brackets):
                return ~i
            opened = text[i]
            open_brackets[depth] = opened
            depth += 1
            inside = skip_space(text, i + 1)
            if inside == len(text) or text[inside] != opened + _CLOSE:
                i = _scan_name(text, inside) if opened == _OPEN_OBJECT else inside
                if i < 0:
                    return i
                continue
            i = inside
        else:
            in_array = depth > 0 and open_brackets[depth - 1] == _OPEN_ARRAY
            i = _scan_scalar(text, i, in_array)
            if i < 0:
                return i
        while depth > 0:  # a value has ended, or its bracket is about to close
            i = skip_space(text, i)
            if i == len(text):
                return ~i
            if text[i] != open_brackets[depth - 1] + _CLOSE:
                break
            i += 1
            depth -= 1
        if depth == 0:
            return i
        if text[i] != _COMMA:
            return ~i
        i += 1
        if open_brackets[depth - 1] == _OPEN_OBJECT:
            i = _scan_name(text, i)
            if i < 0:
                return i


@compiled
def scan_array(text: Text, i: int, open_brackets: Text) -> tuple[Spans, int]:
    """Spans of the elements of the array whose bracket is at i, every byte of it checked.

    Returns:
        (n, 2) spans of the elements, and the array's end as `scan_value` gives it.
    """
    places = np.empty(1024, np.int64)  # start, end, start, end, ...
    num = 0
    i = skip_space(text, i + 1)
    if i < len(text) and text[i] == _CLOSE_ARRAY:
        return np.empty((0, 2), np.int64), i + 1
    while True:
        i = skip_space(text, i)
        start = i
        i = scan_value(text, i, open_brackets)
        if i < 0:
            break
        places = grown(places, num, num + 2)
        places[num], places[num + 1] = start, i
        num += 2
        i = skip_space(text, i)
        if i == len(text) or (text[i] != _COMMA and text[i] != _CLOSE_ARRAY):
            i = ~i
            break
        i += 1
        if text[i - 1] == _CLOSE_ARRAY:
            break
    return places[:num].reshape(-1, 2), i
