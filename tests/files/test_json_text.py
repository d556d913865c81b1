"""Small JSON files: what is written can be read by anyone, and damage is a ValueError."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfdp.files.json_text import dump_json, format_json, parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=9,
)


@given(VALUES)
def test_what_is_written_is_read_by_python_and_by_us(value):
    plain = json.dumps(value).replace("-Infinity", "null").replace("Infinity", "null")
    for text in (dump_json(value), format_json(value)):
        assert json.dumps(json.loads(text)) == plain or '"' in plain
        assert parse_json(text) == json.loads(text)


def test_the_form_by_hand():
    value = {"b": np.array([[1, 2]]), "a": [float("nan"), 1.5, True], "c": {}, "é": []}
    assert dump_json(value).decode() == '{"a":[null,1.5,true],"b":[[1,2]],"c":{},"é":[]}'
    assert format_json({"b": [1], "a": {"x": "é"}}).decode() == (
        '{\n  "b": [\n    1\n  ],\n  "a": {\n    "x": "é"\n  }\n}'
    )


@pytest.mark.parametrize("text", [b"", b"x", b"[1", b"NaN", b'"\xff"', b"[" * 10**5])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_what_has_no_form_is_an_error():
    with pytest.raises(NotImplementedError, match="object has no form"):
        dump_json({"a": object()})
