"""Polygons read from text: the same bits as Python's own float, or left alone."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tfdp.sources.polygon_text import find_far_outside, read_polygons


def read(*texts):
    raws = [text.encode() for text in texts]
    ends = np.cumsum([len(raw) for raw in raws])
    spans = np.column_stack([np.append(0, ends[:-1]), ends])
    return read_polygons(np.frombuffer(b"".join(raws), np.uint8), spans)


DECIMALS = st.from_regex(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,8})?", fullmatch=True)


@settings(deadline=None)
@given(st.lists(DECIMALS, min_size=6, max_size=12).filter(lambda ns: len(ns) % 2 == 0))
@example(["0.1", "-0", "123456789.123456789", "9007199254740992", "9007199254740993", "1.5"])
@example(["0.1", "0.2", "0.3", "0.000000000000000001", "5", "0.12345678901234567"])
def test_numbers_are_to_the_bit_what_float_reads(numbers):
    xy, _, _, plain = read("[[" + ", ".join(numbers) + "]]")
    if plain[0]:
        expected = np.array([float(n) for n in numbers])
        assert xy.ravel().tobytes() == expected.tobytes()


def test_ordinary_numbers_are_not_left_to_the_slow_reader():
    assert read("[[321.02, 321, 0.5, -7.25, 640.0, 479.9999999999]]")[3].all()


def test_parts_and_masks_lie_one_after_another():
    xy, part_starts, mask_starts, plain = read(
        "[[0,0,4,0,4,4],[10,10,14,10,14,14,10,14]]", "[[1,2]]", "[]", "[ [ 1 , 2.5 ,3,4,5,6 ] ]"
    )
    assert plain.tolist() == [True, False, True, True]
    assert part_starts.tolist() == [0, 3, 7, 10]
    assert mask_starts.tolist() == [0, 2, 2, 2, 3]
    assert xy[7:].tolist() == [[1, 2.5], [3, 4], [5, 6]]


@pytest.mark.parametrize(
    "text",
    [
        "[[1,2,3,4,5]]",
        "[[1,2,3,4]]",
        "[[]]",
        "[1,2,3,4,5,6]",
        "[[[1,2],[3,4],[5,6]]]",
        "[[1,2,3,4,5,NaN]]",
        "[[1,2,3,4,5,-Infinity]]",
        "[[1,2,3,4,5,1e2]]",
        '[[1,2,3,4,5,"6"]]',
        "[[1,2,3,4,5,null]]",
        "[[1,2,3,4,5,12345678901234567890]]",
        "[[1,2,3,4,5,6],[]]",
        "[[1,2,3,4,5,6],7]",
    ],
)
def test_everything_else_is_left_whole(text):
    xy, part_starts, mask_starts, plain = read("[[0,0,4,0,4,4]]", text, "[[1,1,5,1,5,5]]")
    assert plain.tolist() == [True, False, True]
    assert mask_starts.tolist() == [0, 1, 1, 2]
    assert part_starts.tolist() == [0, 3, 6]
    assert json.loads("[[1,1,5,1,5,5]]")[0] == xy[3:].ravel().tolist()


@pytest.mark.parametrize(
    "x, y, far",
    [(20, 10, False), (20.5, 5, True), (-10, -5, False), (5, -5.1, True), (5, 10.1, True)],
)
def test_far_is_more_than_the_frames_own_size_beyond_it(x, y, far):
    xy = np.array([[0, 0], [4, 4], [x, y]], float)
    found = find_far_outside(xy, np.array([0, 3]), np.array([0, 1]), np.array([5]), np.array([10]))
    assert found.tolist() == [far]
