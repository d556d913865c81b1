"""Texts are cut where Python's own parser accepts them, and nowhere else; every part is in place."""

import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw, Struct

from tfdp.sources.json_texts import cut, parse, place_in


def is_accepted(text):
    try:
        cut(text.encode(), Raw)
    except msgspec.DecodeError:
        return False
    return True


def python_accepts(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["\ud800", "\udfff\ud800", "NaN", "-Infinity", "\\ud800"])
    | st.lists(st.floats(-1000, 1000), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)
MARKS = [*' \t\n\x0b\x01{}[]",:\\/u0019-+.eE', *"tfnNIaulse"]
MARKS += ["NaN", "Infinity", "-", "\\ud8", "\\uDFFF", "\\ud83d\\ude00", "true", "null", '"a"']


@settings(deadline=None)
@given(VALUES, st.sampled_from([None, 1]))
def test_every_value_that_python_writes_is_accepted(value, indent):
    assert is_accepted(json.dumps(value, indent=indent))


@settings(deadline=None, max_examples=500)
@given(VALUES, st.data())
def test_a_damaged_text_is_accepted_where_python_accepts_it(value, data):
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text)))
    removed = data.draw(st.integers(0, 2))
    added = "".join(data.draw(st.lists(st.sampled_from(MARKS), max_size=2)))
    damaged = text[:place] + added + text[place + removed :]
    assert is_accepted(damaged) == python_accepts(damaged)


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(MARKS), max_size=8).map("".join))
@example("-Infinity")
@example("--Infinity")
@example("-NaN")
@example("NaNaN")
@example("1NaN")
@example("NaN1")
@example("{NaN: 1}")
@example('{"NaN": NaN}')
@example("[1, -Infinity]")
@example("[1,-")
@example("-Inf")
@example("[1,\x012]")
@example('{"a":1,2}')
@example("[01]")
@example('"\\u00g0"')
@example('"\\uNaN0"')
@example('"\\NaN"')
@example('"\\\\ud800"')
@example('"\\\\\\ud800"')
@example('"\\u00')
@example('"\\ud800')
@example("[1}")
@example('{"a" 1}')
@example("[1 , 2\n,\r3]")
@example("1e")
@example("[1.]")
def test_any_text_is_accepted_where_python_accepts_it(text):
    assert is_accepted(text) == python_accepts(text)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 1]))
def test_a_list_is_cut_into_its_entries(values, indent):
    text = json.dumps(values, indent=indent).encode()
    entries = cut(text, list[Raw])
    assert len(entries) == len(values)
    assert [json.dumps(json.loads(bytes(entry))) for entry in entries] == list(
        map(json.dumps, values)
    )
    for entry in entries:
        start = place_in(text, entry)
        assert text[start : start + len(entry)] == bytes(entry)


class Two(Struct):
    id: Raw = Raw(b"nothing")
    idx: Raw = Raw()


@pytest.mark.parametrize("other", ["1", "NaN", '"\\ud800"'])
@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"id": 1, "id" : 2 , "o": %s}', b"2"),
        ('{"\\u0069d":3, "o":%s}', b"3"),
        ('{"o":%s}', b"nothing"),
        ('{"o": {"id": 4}, "o": %s, "id" : [ ] }', b"[ ]"),
        ('{"id": NaN, "o": %s}', b"NaN"),
        ('{"id": [%s, 1]}', None),
    ],
)
def test_of_an_object_the_named_members_are_cut_out(other, text, expected):
    text = (text % other).encode()
    expected = f"[{other}, 1]".encode() if expected is None else expected
    found = cut(text, Two)
    assert bytes(found.id) == expected
    assert bytes(found.idx) == b""


@pytest.mark.parametrize("text", [b"5", b"[]", b"[NaN]", b'"\\ud800"'])
def test_what_is_of_another_kind_is_said(text):
    with pytest.raises(msgspec.ValidationError):
        cut(text, Two)


def test_nan_is_no_list():
    with pytest.raises(msgspec.ValidationError):
        cut(b"NaN", list[Raw])


def test_numbers_of_any_length_are_parsed():
    assert parse(b"1" + b"0" * 250) == 10**250
    assert parse(b"1" + b"0" * 5000) == float("inf")
    assert parse(b"[1e999, -1e999]") == [float("inf"), float("-inf")]
    assert parse(b'["\\ud800", true]') == ["\ud800", True]
    assert parse(b"[" * 10**5 + b"]" * 10**5) is None


@pytest.mark.parametrize("text", [b"NaN", b"[NaN]", b'"\\ud800"'])
def test_a_text_may_be_cut_whole(text):
    assert bytes(cut(text, Raw)) == text
