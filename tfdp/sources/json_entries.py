"""Entries of JSON lists, read as what they should be, member by member where they are not."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from .json_texts import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TEXT = 2**20  # characters; of an id or a name

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]  # with half of a surrogate pair it is none

Entry = TypeVar("Entry", bound=Struct)


class _Members(NamedTuple):
    """How the members of a kind of entries are read, one by one.

    Attributes:
        texts: a Struct of all of them, as they stand there.
        decoders: of those that are not taken so.
    """

    texts: type[Struct]
    decoders: dict[str, msgspec.json.Decoder[Any]]


@cache  # to make a type takes a hundred times as long as to read an entry
def _members_of(kind: type[Struct]) -> _Members:
    fields = msgspec.structs.fields(kind)
    return _Members(
        msgspec.defstruct("Texts", [(f.name, Raw, Raw()) for f in fields]),
        {f.name: msgspec.json.Decoder(f.type) for f in fields if f.type is not Raw},
    )


def _read_member(text: Raw, decoder: msgspec.json.Decoder[Any] | None) -> Any:
    if decoder is None:
        return text
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _read_carefully(text: Raw, kind: type[Entry]) -> Entry:
    """Reads an entry member by member: one that is not of its type is None."""
    members = _members_of(kind)
    try:
        texts = msgspec.structs.asdict(cut(text, members.texts))
    except (msgspec.DecodeError, RecursionError):  # it is no object
        return kind()
    there = {name: text for name, text in texts.items() if len(text)}
    return kind(**{n: _read_member(t, members.decoders.get(n)) for n, t in there.items()})


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
