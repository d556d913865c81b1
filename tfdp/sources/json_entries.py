"""Entries of JSON lists, read as what they should be, member by member where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from .json_texts import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TEXT = 2**20  # characters; of an id or a name

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]  # with half of a surrogate pair it is none

Entry = TypeVar("Entry", bound=Struct)


def _read_member(text: Raw, kind: Any) -> Any:
    if kind is Raw:
        return text
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return None


def _read_carefully(text: Raw, kind: type[Entry]) -> Entry:
    """Reads an entry member by member: one that is not of its type is None."""
    fields = msgspec.structs.fields(kind)
    members = msgspec.defstruct("Members", [(f.name, Raw, Raw()) for f in fields])
    try:
        texts = msgspec.structs.asdict(cut(text, members))
    except (msgspec.DecodeError, RecursionError):  # it is no object
        return kind()
    there = [f for f in fields if len(texts[f.name])]
    return kind(**{f.name: _read_member(texts[f.name], f.type) for f in there})


def read_entries(texts: Sequence[Raw], kind: type[Entry]) -> list[Entry]:
    """What n entries say.

    Args:
        texts: (n,) JSON.
        kind: a Struct whose fields have defaults, for what is missing, and may be None, for what is
            not of its type; or Raw, for what is to be read later. Of equal names the last counts.

    Returns:
        (n,) of that kind. What is no object is as an empty one.
    """
    decode = msgspec.json.Decoder(kind).decode
    entries = []
    for text in texts:
        try:
            entries.append(decode(text))
        except (msgspec.DecodeError, RecursionError):
            entries.append(_read_carefully(text, kind))
    return entries
