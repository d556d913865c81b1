"""A big JSON file: its bytes as they are, and the spans of what is in it."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
import orjson

from ..files.regular_files import read_regular_file
from .json_scan import MAX_DEPTH, scan_array, scan_value, skip_space
from .json_values import find_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .json_scan import Spans, Text

MAX_VALUE = 2**20  # bytes; of an id, a name, a size. Parsed, a value may take thirty times as much
MAX_SHORT = 10**6  # entries of a list that may be short; read, each takes hundreds of bytes
SHORT = 32  # bytes on average; an annotation that can be scored has twice as many

_BOM = b"\xef\xbb\xbf"
_CHUNK = 2**20  # bytes; of the check of the encoding


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
            ValueError: there is no such member, it is no list, or it has millions of items that are
                too short to say anything.
        """
        if name not in self.members:
            found = ", ".join(repr(m[:30]) for m in list(self.members)[:6]) or "nothing"
            raise ValueError(f"{self.path} has no list {name!r}, but {found}: is it a COCO file?")
        elements = self.members[name].elements
        if elements is None:
            raise ValueError(
                f"{name!r} in {self.path} must be a list, but is {self._describe(name)}"
            )
        member, number = self.members[name], len(elements)
        if number > MAX_SHORT and member.end - member.start < number * SHORT:
            raise ValueError(
                f"{name!r} in {self.path} has {number:,} entries of less than {SHORT} bytes on "
                "average, too short to say anything: is it a COCO file?"
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
        """One value, parsed; None where there is none, or one of more than `MAX_VALUE` bytes."""
        return parse(self.raw(span) or b"null") if span[1] - span[0] <= MAX_VALUE else None

    def _describe(self, name: str) -> str:
        start = self.members[name].start
        first = self.data[start : start + 1]
        kinds = {b"{": "an object", b'"': "a text", b"n": "null", b"t": "true", b"f": "false"}
        return kinds.get(first, "a number")


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


class _Scanner:
    """Steps through a text; a step that cannot be taken is an error that names the place."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data = path, data
        self._text = np.frombuffer(data, np.uint8)
        self._open_brackets = np.empty(MAX_DEPTH, np.uint8)

    def skip_space(self, i: int) -> int:
        return skip_space(self._text, i)

    def is_at(self, i: int, mark: bytes) -> bool:
        """Whether the mark is what comes next."""
        return self.data.startswith(mark, self.skip_space(i))

    def take(self, i: int, mark: bytes) -> int:
        """Place after the mark that comes next."""
        if not self.is_at(i, mark):
            self._fail(self.skip_space(i))
        return self.skip_space(i) + len(mark)

    def take_name(self, i: int) -> tuple[str, int]:
        """The name that comes next, and the place after its colon."""
        start = self.take(i, b'"') - 1
        end = self._check(scan_value(self._text, start, self._open_brackets))
        return parse(self.data[start:end]), self.take(end, b":")

    def take_member(self, i: int) -> Member:
        start = self.skip_space(i)
        if self.is_at(start, b"["):
            elements, end = scan_array(self._text, start, self._open_brackets)
            return Member(start, self._check(end), elements)
        end = scan_value(self._text, start, self._open_brackets)
        return Member(start, self._check(end), None)

    def take_end(self, i: int) -> None:
        i = self.skip_space(i)
        if i < len(self.data):
            self._fail(i)

    def _check(self, end: int) -> int:
        if end < 0:
            self._fail(~end)
        return end

    def _fail(self, place: int) -> NoReturn:
        if place >= len(self.data):
            raise ValueError(
                f"{self.path} is not JSON: it is cut off, it ends at byte {place} inside a value"
            )
        line = self.data.count(b"\n", 0, place) + 1
        raise ValueError(
            f"{self.path} is not JSON: unexpected character at byte {place}, line {line}"
        )


def _scan_members(scanner: _Scanner) -> dict[str, Member]:
    members: dict[str, Member] = {}
    if not scanner.is_at(0, b"{"):
        scanner.take_end(scanner.take_member(0).end)
        raise ValueError(f"{scanner.path} must hold a JSON object, but holds another value")
    i = scanner.take(0, b"{")
    more = not scanner.is_at(i, b"}")
    while more:
        name, i = scanner.take_name(i)
        if name in members:
            raise ValueError(f"{scanner.path} has the member {name[:30]!r} twice")
        members[name] = scanner.take_member(i)
        i = members[name].end
        more = scanner.is_at(i, b",")
        if more:
            i = scanner.take(i, b",")
    scanner.take_end(scanner.take(i, b"}"))
    return members


def read_json_file(path: str | Path) -> JsonFile:
    """Reads and checks a file that holds a JSON object.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no JSON, or no object; the message names the file, the place and what is
            wrong there.
    """
    path = Path(path)
    data = read_regular_file(path)
    _check_encoding(path, data)
    return JsonFile(path, data, _scan_members(_Scanner(path, data)))
