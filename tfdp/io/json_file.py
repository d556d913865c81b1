"""A big JSON file: its bytes as they are, and the spans of what is in it."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from .json_scan import MAX_DEPTH, find_values, scan_array, scan_value, skip_space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .json_scan import Spans, Text

_BOM = b"\xef\xbb\xbf"
_CHUNK = 2**20  # bytes; of the check of the encoding
_OBJECT, _LIST, _STRING = b"{["[0], b"{["[1], b'"'[0]


class Member(NamedTuple):
    """A member of the top-level object: where its value is and, where that is a list, its items."""

    start: int
    end: int
    elements: Spans | None


@dataclass(frozen=True)
class JsonFile:
    """A JSON object in a file, checked whole, of which only what is asked for is parsed.

    The bytes are read rather than mapped: a mapped file that another program shortens meanwhile
    would end the process.

    Attributes:
        path: where it came from, for messages.
        data: the file's bytes.
        members: the members of the object, in file order.
    """

    path: Path
    data: bytes
    members: dict[str, Member]

    @property
    def text(self) -> Text:
        """``data`` as an array, for the compiled functions."""
        return np.frombuffer(self.data, np.uint8)

    def elements(self, name: str) -> Spans:
        """Spans of the items of a list that the file must have.

        Raises:
            ValueError: there is no such member, or it is no list.
        """
        if name not in self.members:
            found = ", ".join(repr(m) for m in list(self.members)[:6]) or "nothing"
            raise ValueError(f"{self.path} has no list {name!r}, but {found}: is it a COCO file?")
        elements = self.members[name].elements
        if elements is None:
            raise ValueError(
                f"{name!r} in {self.path} must be a list, but is {self._describe(name)}"
            )
        return elements

    def find(self, spans: Spans, names: Sequence[str]) -> Spans:
        """(n, K, 2) spans of the values of the K names, in the objects at the (n, 2) spans."""
        encoded = [name.encode() for name in names]
        joined = np.frombuffer(b"".join(encoded), np.uint8)
        return find_values(self.text, spans, joined, np.cumsum([len(name) for name in encoded]))

    def raw(self, span: Spans) -> bytes:
        """The bytes of one value; none where there is no value."""
        return self.data[span[0] : span[1]]

    def value(self, span: Spans) -> Any:
        """One value, parsed; None where there is none."""
        return parse(self.raw(span) or b"null")

    def _describe(self, name: str) -> str:
        raw = self.raw(np.array(self.members[name][:2]))
        return "an object" if raw[0] == _OBJECT else repr(raw[:20].decode(errors="replace"))


def parse(raw: bytes) -> Any:
    """Parses JSON that has been scanned; NaN and numbers of any length are taken, too."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw, parse_int=_parse_int)


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) < 300 else float(digits)  # Python refuses the longest


def _check_encoding(path: Path, data: bytes) -> None:
    if not data.strip():
        raise ValueError(f"{path} is empty")
    if data.startswith(_BOM):
        raise ValueError(f"{path} starts with a byte-order mark; save it as UTF-8 without one")
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _CHUNK], final=start + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            place = start - pending + error.start
            raise ValueError(
                f"{path} is not JSON: it is not UTF-8 at byte {place} ({error.reason})"
            ) from None


def _check(path: Path, data: bytes, place: int) -> int:
    """The place itself, or an error where it stands for damage (see `scan_value`)."""
    if place >= 0:
        return place
    place = ~place
    if place >= len(data):
        raise ValueError(
            f"{path} is not JSON: it is cut off, the text ends at byte {len(data)} inside a value"
        )
    line = data.count(b"\n", 0, place) + 1
    found = data[place : place + 12].decode(errors="replace")
    raise ValueError(f"{path} is not JSON: unexpected {found!r} at byte {place}, line {line}")


def _scan_members(path: Path, data: bytes) -> dict[str, Member]:
    text = np.frombuffer(data, np.uint8)
    open_brackets = np.empty(MAX_DEPTH, np.uint8)
    members: dict[str, Member] = {}
    i = skip_space(text, 0)
    if text[i] != _OBJECT:
        _check(path, data, scan_value(text, i, open_brackets))
        raise ValueError(f"{path} must hold a JSON object, but starts with {data[i : i + 12]!r}")
    i = skip_space(text, i + 1)
    if data[i : i + 1] == b"}":
        i += 1
    else:
        while True:
            if data[i : i + 1] != b'"':
                _check(path, data, ~i)
            name_end = _check(path, data, scan_value(text, i, open_brackets))
            name = parse(data[i:name_end])
            if name in members:
                raise ValueError(f"{path} has the member {name!r} twice")
            colon = skip_space(text, name_end)
            if data[colon : colon + 1] != b":":
                _check(path, data, ~colon)
            start = skip_space(text, colon + 1)
            elements = None
            if data[start : start + 1] == b"[":
                elements, end = scan_array(text, start, open_brackets)
            else:
                end = scan_value(text, start, open_brackets)
            members[name] = Member(start, _check(path, data, end), elements)
            i = skip_space(text, end)
            after = data[i : i + 1]
            if after not in (b",", b"}"):
                _check(path, data, ~i)
            i = skip_space(text, i + 1)
            if after == b"}":
                break
    if skip_space(text, i) < len(data):
        _check(path, data, ~skip_space(text, i))
    return members


def read_json_file(path: str | Path) -> JsonFile:
    """Reads and checks a file that holds a JSON object.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no JSON, or no object; the message names the file, the place and what is
            wrong there.
    """
    path = Path(path)
    data = path.read_bytes()
    _check_encoding(path, data)
    return JsonFile(path, data, _scan_members(path, data))
