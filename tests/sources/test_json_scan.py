"""The scanner accepts exactly what Python's own parser accepts, and finds what is where."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tfdp.sources.json_scan import MAX_DEPTH, scan_array, scan_value, skip_space
from tfdp.sources.json_values import find_values, read_integers


def as_text(raw):
    return np.frombuffer(raw, np.uint8)


def brackets():
    return np.empty(MAX_DEPTH, np.uint8)


def is_accepted(raw):
    text = as_text(raw)
    end = scan_value(text, 0, brackets())
    return end >= 0 and skip_space(text, end) == len(text)


def python_accepts(raw):
    try:
        json.loads(raw.decode())
    except ValueError:
        return False
    return True


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.floats(-1000, 1000), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)
JSON_MARKS = ' \t\n\x0b\x01{}[]",:\\/u0019-+.eE' + "ntfNIaulse"


@settings(deadline=None)
@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_every_value_that_python_writes_is_accepted(value, indent, ascii_only):
    assert is_accepted(json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode())


@settings(deadline=None)
@given(VALUES, st.data())
def test_a_damaged_text_is_accepted_where_python_accepts_it(value, data):
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text)))
    removed = data.draw(st.integers(0, 2))
    added = data.draw(st.text(JSON_MARKS, max_size=2))
    raw = (text[:place] + added + text[place + removed :]).encode()
    assert is_accepted(raw) == python_accepts(raw)


@settings(deadline=None)
@given(st.text(JSON_MARKS, max_size=8))
@example("-Infinity")
@example("-NaN")
@example("[1, -Infinity]")
@example("[1,-")
@example("-Inf")
@example("[1,\x012]")
@example('{"a":1,2}')
@example("[01]")
@example('"\\u00g0"')
@example('"\\u00')
@example("[1}")
@example('{"a" 1}')
@example("[1 , 2\n,\r3]")
@example("1e")
@example("[1.]")
def test_any_text_is_accepted_where_python_accepts_it(text):
    raw = text.encode()
    assert is_accepted(raw) == python_accepts(raw)


@pytest.mark.parametrize(
    "text, place", [("[1, 2", 5), ("[1, x]", 4), ('{"a": tru}', 6), ("[1 2]", 3)]
)
def test_the_place_of_damage_is_given(text, place):
    assert ~scan_value(as_text(text.encode()), 0, brackets()) == place


def test_nesting_is_bounded():
    assert is_accepted(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert not is_accepted(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@settings(deadline=None)
@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 1]))
def test_spans_of_an_array_hold_its_elements(values, indent):
    raw = json.dumps(values, indent=indent).encode()
    spans, end = scan_array(as_text(raw), 0, brackets())
    assert end == len(raw)
    found = [raw[start:stop] for start, stop in spans]
    assert list(map(json.loads, found)) == json.loads(raw) or "NaN" in raw.decode()
    assert len(found) == len(values)


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["id", "i", "idx", "segmentation"]), VALUES), max_size=4
    )
)
def test_named_values_are_found(objects):
    raw = json.dumps(objects).encode()
    spans, _ = scan_array(as_text(raw), 0, brackets())
    found = find_values(as_text(raw), spans, as_text(b"idsegmentation"), np.array([2, 14]))
    for row, entry in enumerate(objects):
        for k, name in enumerate(["id", "segmentation"]):
            start, end = found[row, k]
            assert (end > 0) == (name in entry)
            if name in entry:
                assert raw[start:end].decode() == json.dumps(entry[name])


def test_the_last_of_equal_names_counts_and_other_values_have_none():
    raw = b'[{"id":1,"id":2}, 5, "x", [], {}, {"\\u0069d": 3}]'
    spans, _ = scan_array(as_text(raw), 0, brackets())
    found = find_values(as_text(raw), spans, as_text(b"id"), np.array([2]))[:, 0]
    assert [raw[a:b] for a, b in found] == [b"2", b"", b"", b"", b"", b""]


@pytest.mark.parametrize(
    "raw, value",
    [
        (b"7", 7),
        (b"-12", -12),
        (b"-0", 0),
        (b"999999999999999999", 10**18 - 1),
        (b"1234567890123456789", None),
        (b"1.0", None),
        (b"1e3", None),
        (b'"7"', None),
        (b"null", None),
        (b"-", None),
        (b"", None),
    ],
)
def test_plain_integers_are_read(raw, value):
    values, plain = read_integers(as_text(raw), np.array([[0, len(raw)]]))
    assert plain[0] == (value is not None)
    if value is not None:
        assert values[0] == value
