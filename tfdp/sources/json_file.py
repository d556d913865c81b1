"""A big JSON file of lists: checked whole, and cut into the texts of the lists' entries.

What Python's own `json` accepts is accepted, and what it refuses is refused; only how deep values
may be nested is for the interpreter to say.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec
import numpy as np
from msgspec import Raw

from ..files.regular_files import read_regular_file
from .json_count import count_commas
from .json_texts import cut, place_in

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SHORT = 10**6  # entries of a list that may be short; read, each takes hundreds of bytes
SHORT = 32  # bytes on average; an annotation that can be scored has twice as many
COUNTED = 2**26  # bytes; of larger files, entries are counted when they are cut, at 56 bytes each

_BOM = b"\xef\xbb\xbf"
_CHUNK = 2**20  # bytes; of the check of the encoding
_KINDS = {b"{": "an object", b'"': "a text", b"n": "null", b"t": "true", b"f": "false"}


@dataclass(frozen=True)
class JsonFile:
    """Lists in a JSON file, of which only what is asked for is parsed.

    The bytes are read rather than mapped: a mapped file that another program shortens meanwhile
    would end the process.

    Attributes:
        path: where it came from, for messages.
        data: the file's bytes.
        lists: by name, the texts of a list's entries, which are parts of ``data``.
    """

    path: Path
    data: bytes
    lists: dict[str, list[Raw]]

    def place(self, text: Raw) -> int:
        """Which of the file's bytes a part of it begins with."""
        return place_in(self.data, text)


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


def _refuse(path: Path, data: bytes, error: msgspec.DecodeError | RecursionError) -> NoReturn:
    """Says where a text is damaged, from what msgspec says."""
    found = re.search(r"\(byte (\d+)\)", str(error))
    place = int(found[1]) if found else len(data)
    if "trailing characters" in str(error):
        place -= 1  # it names the second of them
    if isinstance(error, RecursionError):
        what = "it is nested too deeply"
    elif place >= len(data):
        what = f"it is cut off, it ends at byte {len(data)} inside a value"
    else:
        line = data.count(b"\n", 0, place) + 1
        what = f"unexpected character at byte {place}, line {line}"
    raise ValueError(f"{path} is not JSON: {what}") from None


def _describe_names(data: bytes) -> str:
    members = cut(data, Raw)
    if count_commas(np.frombuffer(members, np.uint8)) > MAX_SHORT:
        return "millions of other names"
    return ", ".join(repr(name[:30]) for name in list(cut(data, dict[str, Raw]))[:6]) or "nothing"


def _cut_members(path: Path, data: bytes, names: Sequence[str]) -> dict[str, Raw]:
    """The members of those names, one by one; an error says which is missing or no list."""
    cut(data, Raw)  # what is no JSON is said first
    kind = msgspec.defstruct("Members", [(name, Raw, Raw()) for name in names])
    try:
        members = msgspec.structs.asdict(cut(data, kind))
    except msgspec.ValidationError:
        raise ValueError(f"{path} must hold a JSON object, but holds another value") from None
    for name, text in members.items():
        if len(text) == 0:
            found = _describe_names(data)
            raise ValueError(f"{path} has no list {name!r}, but {found}: is it a COCO file?")
        first = bytes(memoryview(text)[:1])
        if first != b"[":
            what = _KINDS.get(first, "a number")
            raise ValueError(f"{name!r} in {path} must be a list, but is {what}")
    return members


def _check_length(path: Path, name: str, number: int, num_bytes: int) -> None:
    if number > MAX_SHORT and num_bytes < number * SHORT:
        raise ValueError(
            f"{name!r} in {path} has {number:,} entries of less than {SHORT} bytes on "
            "average, too short to say anything: is it a COCO file?"
        )


def _cut_lists(path: Path, data: bytes, names: Sequence[str]) -> dict[str, list[Raw]]:
    if len(data) <= COUNTED and data.count(b",") >= MAX_SHORT:
        for name, text in _cut_members(path, data, names).items():
            number = count_commas(np.frombuffer(text, np.uint8)) + 1
            _check_length(path, name, number, len(text))
    kind = msgspec.defstruct("Lists", [(name, list[Raw]) for name in names])
    try:
        return msgspec.structs.asdict(cut(data, kind))
    except msgspec.ValidationError:  # also where it was so at first, and was said again
        members = _cut_members(path, data, names)
        return {name: cut(text, list[Raw]) for name, text in members.items()}


def read_json_file(path: str | Path, names: Sequence[str]) -> JsonFile:
    """Reads and checks a file that holds a JSON object with lists; of equal names the last counts.

    Args:
        path: the file.
        names: of the lists that it must have.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no JSON, or no object, or has no such lists, or one has millions of
            entries that are too short to say anything. The message names the file, the place and
            what is wrong there.
    """
    path = Path(path)
    data = read_regular_file(path)
    _check_encoding(path, data)
    try:
        lists = _cut_lists(path, data, names)
    except (msgspec.DecodeError, RecursionError) as error:
        _refuse(path, data, error)
    for name, entries in lists.items():
        _check_length(path, name, len(entries), sum(map(len, entries)))
    return JsonFile(path, data, lists)
