"""JSON files: the place of damage, and what the entries of their lists say."""

import json

import pytest
from msgspec import Raw, Struct

from tfdp.sources.json_entries import Integer, Text, read_entries
from tfdp.sources.json_file import read_json_file


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"a": [1, 2', "it is cut off, it ends at byte 11 inside a value"),
        ('{"a": [1, x]}', "unexpected character at byte 10, line 1"),
        ('{"a":\n\n [1 2]}', "unexpected character at byte 11, line 3"),
        ('{"a": [1, 2]} ,', "unexpected character at byte 14, line 1"),
        ('{"a": [], "b": NaN, "c": x}', "unexpected character at byte 25, line 1"),
        ('{"a": [], "b": "\\ud800", "c": "\x01"}', "unexpected character at byte 31, line 1"),
        ('{"a": 5, "b": x}', "unexpected character at byte 14, line 1"),
        ('[{"a": []}, x]', "unexpected character at byte 12, line 1"),
        ('{"a": [1e', "it is cut off, it ends at byte 9"),
        ('{"a": "\\ud800', "it is cut off, it ends at byte 13"),
        (f'{{"a": {"[" * 10**5}{"]" * 10**5}}}', "it is nested too deeply"),
    ],
)
def test_the_place_of_damage_is_given(write, text, message):
    with pytest.raises(ValueError, match=f"ann.json is not JSON: {message}"):
        read_json_file(write(text), ["a"])


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"b": []}', "has no list 'a', but 'b'"),
        ('{"b": NaN}', "has no list 'a', but 'b'"),
        ('{"a": NaN}', "'a' in .* must be a list, but is a number"),
        ('{"a": "\\ud800"}', "'a' in .* must be a list, but is a text"),
        ('{"a": [], "a": true}', "'a' in .* must be a list, but is true"),
        ("[NaN]", "must hold a JSON object"),
    ],
)
def test_what_is_no_list_is_said(write, text, message):
    with pytest.raises(ValueError, match=message):
        read_json_file(write(text), ["a"])


@pytest.mark.parametrize("other", ["0", "NaN", '"\\ud800"', '{"a": [5]}'])
@pytest.mark.parametrize(
    "text, entries",
    [
        ('{"x": %s, "a": [ 1 , {"a": []}]}', ["1", '{"a": []}']),
        ('{"a": [7], "x": %s, "a": [8]}', ["8"]),
        ('{"a": null, "x": %s, "a": [8]}', ["8"]),
        ('{"\\u0061": [8], "x": %s}', ["8"]),
        (' {"a":[\n], "x": %s}\n', []),
        ('{"a": [%s]}', [...]),
    ],
)
def test_the_texts_of_the_entries_are_parts_of_the_file(write, other, text, entries):
    file = read_json_file(write(text % other), ["a"])
    assert [bytes(entry).decode() for entry in file.lists["a"]] == [
        other if entry is ... else entry for entry in entries
    ]
    for entry in file.lists["a"]:
        place = file.place(entry)
        assert file.data[place : place + len(entry)] == bytes(entry)


class Entry(Struct):
    id: Integer | Text | None = None
    flag: bool | None = False
    rest: Raw = Raw()


GOOD = b'{"id": 1, "flag": true, "rest": [1, 2]}'


@pytest.mark.parametrize(
    "text, number, flag, rest",
    [
        ("{}", None, False, ""),
        ("5", None, False, ""),
        ("NaN", None, False, ""),
        ('{"id": "x", "rest": NaN}', "x", False, "NaN"),
        ('{"id": [3], "flag": true}', None, True, ""),
        ('{"id": 3, "flag": 1}', 3, None, ""),
        ('{"id": 3, "flag": 1, "flag": true}', 3, True, ""),
        ('{"id": 3, "flag": true, "flag": 1}', 3, None, ""),
        ('{"id": 9223372036854775807}', 2**63 - 1, False, ""),
        ('{"id": 9223372036854775808}', None, False, ""),
        ('{"id": 1.0, "rest": 1.0}', None, False, "1.0"),
        ('{"id": true}', None, False, ""),
        ('{"id": "\\ud800", "rest": "\\ud800"}', None, False, '"\\ud800"'),
        ('{"id": "\\ud83d\\ude00", "\\ud800": [NaN]}', "😀", False, ""),
        ('{"o": {"id": 2}, "id": 3, "p": [{"id": 4}, -Infinity]}', 3, False, ""),
        (json.dumps({"id": "x" * 2**20}), "x" * 2**20, False, ""),
        (json.dumps({"id": "x" * 2**20 + "x"}), None, False, ""),
    ],
)
def test_a_member_that_is_not_of_its_type_is_none_and_the_others_are_read(text, number, flag, rest):
    before, entry, after = read_entries([Raw(GOOD), Raw(text.encode()), Raw(GOOD)], Entry)
    assert (entry.id, entry.flag, bytes(entry.rest)) == (number, flag, rest.encode())
    for good in (before, after):
        assert (good.id, good.flag, bytes(good.rest)) == (1, True, b"[1, 2]")


def test_no_type_is_made_for_each_entry_that_is_not_of_its_type():
    read_entries([Raw(b"5")], Entry)
    number = len(Struct.__subclasses__())
    read_entries([Raw(b'{"rest": NaN, "flag": 1}')] * 9, Entry)
    assert len(Struct.__subclasses__()) == number
