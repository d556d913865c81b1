from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask

from tfdp.geometry.masks import MaskProblem, mask_runs_from_bitmaps, mask_runs_to_bitmaps
from tfdp.geometry.run_lengths import mask_runs_from_rle, mask_runs_to_rle

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning:pycocotools")

bitmaps = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=150))


def encode(bitmap) -> bytes:
    return coco_mask.encode(np.asfortranarray(bitmap, np.uint8))["counts"]


def sizes_of(drawn):
    return np.array([bitmap.shape for bitmap in drawn], np.int64).reshape(-1, 2).T


@settings(deadline=None)
@given(st.lists(bitmaps, max_size=4))
def test_bitmaps_survive_every_form(drawn):
    masks = mask_runs_from_bitmaps(drawn)
    rles = mask_runs_to_rle(masks)
    assert rles == [encode(bitmap) for bitmap in drawn]
    for given_as in (rles, [rle.decode() for rle in rles]):
        read, problems = mask_runs_from_rle(given_as, *sizes_of(drawn))
        assert not problems.any()
        assert mask_runs_to_rle(read) == rles
        for back, bitmap in zip(mask_runs_to_bitmaps(read), drawn, strict=True):
            np.testing.assert_array_equal(back, bitmap)
    for back, bitmap in zip(mask_runs_to_bitmaps(masks), drawn, strict=True):
        np.testing.assert_array_equal(back, bitmap)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_nonzero_is_foreground(dtype):
    bitmap = (np.arange(12).reshape(3, 4) % 3).astype(dtype)
    for laid_out in (bitmap, np.asfortranarray(bitmap), bitmap[::-1][::-1]):
        (back,) = mask_runs_to_bitmaps(mask_runs_from_bitmaps([laid_out]))
        np.testing.assert_array_equal(back, bitmap != 0)


def test_a_run_may_go_on_in_the_next_line():
    masks = mask_runs_from_bitmaps([np.array([[0, 0, 1], [1, 1, 0]], np.uint8)])
    assert (masks.counts.tolist(), masks.line_lengths.tolist()) == ([2, 3, 1], [3])


def test_both_kinds_side_by_side():
    masks, problems = mask_runs_from_rle(["04", [1, 2, 1], b"4"], np.full(3, 2), np.full(3, 2))
    assert not problems.any()
    assert masks.starts.tolist() == [0, 2, 5, 6]
    assert masks.counts.tolist() == [0, 4, 1, 2, 1, 4]


P = MaskProblem


@pytest.mark.parametrize(
    "rle, problem",
    [
        pytest.param("", P.WRONG_TOTAL, id="nothing"),
        pytest.param([], P.WRONG_TOTAL, id="no counts"),
        pytest.param("03", P.WRONG_TOTAL, id="too few pixels"),
        pytest.param("05", P.WRONG_TOTAL, id="too many pixels"),
        pytest.param([0, 3], P.WRONG_TOTAL, id="listed: too few pixels"),
        pytest.param([4, 4], P.WRONG_TOTAL, id="listed: too many pixels"),
        pytest.param("0" * 500, P.WRONG_TOTAL, id="empty runs only"),
        pytest.param([2**32 + 4], P.WRONG_TOTAL, id="listed: right only in 32 bits"),
        pytest.param([2**63 - 1] * 3, P.WRONG_TOTAL, id="listed: a total beyond 64 bits"),
        pytest.param([2**63, 4], P.GARBAGE, id="listed: beyond 64 bits, signed"),
        pytest.param([2**64], P.GARBAGE, id="listed: beyond 64 bits"),
        pytest.param("PPPPPPPPPPPP1", P.GARBAGE, id="a number beyond 32 bits"),
        pytest.param("P" * 40, P.GARBAGE, id="a number without end"),
        pytest.param("0T", P.TRUNCATED, id="ends in a number"),
        pytest.param("O5", P.NEGATIVE_COUNT, id="negative"),
        pytest.param("100O", P.NEGATIVE_COUNT, id="negative as a difference"),
        pytest.param([5, -1], P.WRONG_TOTAL, id="listed: too many before a negative"),
        pytest.param([1, -1, 4], P.NEGATIVE_COUNT, id="listed: negative"),
        pytest.param("0 4", P.GARBAGE, id="a blank"),
        pytest.param("04\n", P.GARBAGE, id="a line's end"),
        pytest.param("0\0004", P.GARBAGE, id="a zero byte"),
        pytest.param("0\x7f4", P.GARBAGE, id="a character too high"),
        pytest.param("0é4", P.GARBAGE, id="an accent"),
        pytest.param("\ud800", P.GARBAGE, id="half a surrogate pair"),
        pytest.param(b"\xff\xfe", P.GARBAGE, id="bytes"),
        pytest.param([0, 4.0], P.GARBAGE, id="listed: a fraction"),
        pytest.param([0, "4"], P.GARBAGE, id="listed: text"),
        pytest.param([0, None, 4], P.GARBAGE, id="listed: null"),
        pytest.param([[0], [4]], P.GARBAGE, id="nested"),
        pytest.param([[0, 1], [4]], P.GARBAGE, id="ragged"),
        pytest.param(None, P.GARBAGE, id="null"),
        pytest.param({"counts": "04"}, P.GARBAGE, id="an object"),
        pytest.param(4, P.GARBAGE, id="a number"),
        pytest.param([True, False], P.GARBAGE, id="truths"),
    ],
)
def test_malformed(rle, problem):
    masks, problems = mask_runs_from_rle(["04", rle, [1, 2, 1]], np.full(3, 2), np.full(3, 2))
    assert problems.tolist() == [0, problem, 0]
    assert masks.starts.tolist() == [0, 2, 2, 5]
    assert masks.counts.tolist() == [0, 4, 1, 2, 1]  # its neighbours are as they were
    assert mask_runs_to_bitmaps(masks)[1].size == 0


@pytest.mark.parametrize(
    "height, width", [(0, 4), (4, 0), (-2, -2), (2**20 + 1, 1), (1, 2**40), (2**17, 2**17)]
)
def test_no_frame_has_this_size(height, width):
    masks, problems = mask_runs_from_rle([[4]], np.array([height]), np.array([width]))
    assert problems.tolist() == [MaskProblem.BAD_SIZE]
    assert mask_runs_to_bitmaps(masks)[0].size == 0


numbers = st.one_of(st.integers(0, 6), st.integers(), st.integers(-(2**64), 2**64))
alphabet = st.text([chr(code) for code in range(46, 114)], max_size=30)
malformed = st.one_of(st.binary(max_size=30), alphabet, st.text(max_size=10), st.lists(numbers))


@settings(deadline=None, max_examples=500)
@given(st.lists(malformed, max_size=5), st.integers(-1, 6), st.integers(-1, 6))
def test_whatever_is_read_fills_its_frame(rles, height, width):
    sizes = np.full(len(rles), height), np.full(len(rles), width)
    masks, problems = mask_runs_from_rle(rles, *sizes)
    for j, rle in enumerate(rles):
        counts = masks.counts[masks.starts[j] : masks.starts[j + 1]]
        if problems[j]:
            assert len(counts) == 0
        else:
            assert counts.sum() == height * width
            if not isinstance(rle, list):
                decoded = coco_mask.decode({"size": [height, width], "counts": rle})
                alone, _ = mask_runs_from_rle([rle], np.array([height]), np.array([width]))
                np.testing.assert_array_equal(mask_runs_to_bitmaps(alone)[0], decoded)


@pytest.mark.real_data
@pytest.mark.parametrize("file", ["voc2012/instances_train.json", "nuclei/instances.json"])
def test_real_masks_survive(shared, file):
    annotations = json.loads((shared / "data" / file).read_bytes())["annotations"]
    rles = [annotation["segmentation"] for annotation in annotations]
    heights, widths = np.array([rle["size"] for rle in rles]).T
    masks, problems = mask_runs_from_rle([rle["counts"] for rle in rles], heights, widths)
    assert not problems.any()
    assert mask_runs_to_rle(masks) == [rle["counts"].encode() for rle in rles]
    drawn = [coco_mask.decode(rle) for rle in rles[:500]]
    assert mask_runs_to_rle(mask_runs_from_bitmaps(drawn)) == mask_runs_to_rle(masks)[:500]
