from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import plain
from tfdp.geometry.masks import MaskProblem, mask_runs_to_bitmaps
from tfdp.geometry.rasterize import PIECE, rasterize_in_pieces, rasterize_polygons

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning:pycocotools")

RASTERIZERS = ["coco", "opencv"]


def rasterize(polygons, heights, widths, rasterizer):
    """Draws N polygons; each is a list of parts, as flat lists of coordinates, as COCO has them."""
    parts = [np.array(part, float).reshape(-1, 2) for polygon in polygons for part in polygon]
    return rasterize_polygons(
        np.concatenate([np.empty((0, 2)), *parts]),
        np.cumsum([0, *map(len, parts)]),
        np.cumsum([0, *map(len, polygons)]),
        np.array(heights, np.int64),
        np.array(widths, np.int64),
        rasterizer,
    )


def assert_drawn_as_named(polygons, heights, widths, rasterizer):
    masks, problems = rasterize(polygons, heights, widths, rasterizer)
    assert not problems.any()
    bitmaps = mask_runs_to_bitmaps(masks)
    for polygon, height, width, bitmap in zip(polygons, heights, widths, bitmaps, strict=True):
        expected = plain.DRAW[rasterizer](polygon, height, width)
        np.testing.assert_array_equal(bitmap, expected != 0, err_msg=f"{height}x{width} {polygon}")


@pytest.mark.parametrize("rasterizer", RASTERIZERS)
@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([[2, 2, 12, 2, 12, 9, 2, 9]], id="rectangle"),
        pytest.param([[2.5, 2.5, 12.5, 2.5, 12.5, 9.5]], id="halves"),
        pytest.param([[2.1, 2.9, 12.3, 4.7, 7.1, 15.1]], id="tenths"),
        pytest.param([[0.1, 0.1, 0.3, 0.1, 0.3, 0.3]], id="within a pixel"),
        pytest.param([[3, 3, 9, 9, 15, 15]], id="three points on a line"),
        pytest.param([[3, 3, 15, 3, 9, 3]], id="on a row"),
        pytest.param([[3, 3, 3, 15, 3, 9]], id="on a column"),
        pytest.param([[5, 5, 5, 5, 5, 5]], id="one point, three times"),
        pytest.param([[5, 5, 5, 5, 12, 9, 12, 9, 5, 14, 5, 5]], id="repeated points"),
        pytest.param([[2, 2, 15, 15, 15, 2, 2, 15]], id="crossing itself"),
        pytest.param([[8, 1, 12, 15, 1, 6, 15, 6, 4, 15]], id="pentagram"),
        pytest.param([[-5, -5, 30, -5, 30, 30, -5, 30]], id="larger than the frame"),
        pytest.param([[-7.5, 3.2, 40.1, 9.9, 4.4, -3.3]], id="through the frame"),
        pytest.param([[-9, -9, -3, -9, -3, -3]], id="beyond a corner"),
        pytest.param([[30, 2, 50, 2, 50, 9]], id="right of the frame"),
        pytest.param([[2, 40, 9, 40, 9, 60]], id="below the frame"),
        pytest.param([[-1e4, 5, 1e4, 6, 3, 1e4]], id="far out"),
        pytest.param([[19, 0, 20, 17, 19, 17, 0, 16.5]], id="on the frame's border"),
        pytest.param([[1, 1, 9, 1, 9, 9, 1, 9], [5, 5, 15, 5, 15, 15, 5, 15]], id="parts overlap"),
        pytest.param([[1, 1, 9, 1, 9, 9, 1, 9], [9, 9, 15, 9, 15, 15]], id="parts share a corner"),
        pytest.param([[1, 1, 15, 1, 15, 15, 1, 15], [4, 4, 8, 4, 8, 8]], id="part in part"),
        pytest.param([[1, 1, 5, 1, 5, 5], [1, 1, 5, 1, 5, 5]], id="the same part twice"),
        pytest.param([[-9, -9, -3, -9, -3, -3], [2, 2, 8, 2, 8, 8]], id="one part outside"),
    ],
)
def test_drawn_as_named(parts, rasterizer):
    assert_drawn_as_named([parts] * 3, [17, 1, 30], [20, 20, 1], rasterizer)


def grid(low, high):
    """Coordinates as files have them: anything, or with one decimal, or halves, or whole numbers."""
    return st.one_of(
        st.floats(low, high, allow_nan=False),
        st.integers(10 * low, 10 * high).map(lambda tenths: tenths / 10),
        st.integers(2 * low, 2 * high).map(lambda halves: halves / 2),
        st.integers(low, high).map(float),
    )


def polygons(low, high):
    part = st.lists(grid(low, high), min_size=3, max_size=12).flatmap(
        lambda xs: st.lists(grid(low, high), min_size=len(xs), max_size=len(xs)).map(
            lambda ys: [value for point in zip(xs, ys, strict=True) for value in point]
        )
    )
    return st.lists(part, min_size=1, max_size=3)


@pytest.mark.parametrize("rasterizer", RASTERIZERS)
@settings(deadline=None)
@given(
    polygon=st.one_of(polygons(0, 40), polygons(-20, 60), polygons(-3000, 3000)),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_any_polygon_is_drawn_as_named(rasterizer, polygon, height, width):
    assert_drawn_as_named([polygon], [height], [width], rasterizer)


def test_a_very_tall_edge_is_drawn_as_named():
    # by its foot, the fixed-point slope has drifted off the line by nearly a pixel
    triangles = [[[0, 0, 121, 65000, 60, 65000]], [[0, 0, 121, 65000, 180, 65000]]]
    assert_drawn_as_named(triangles, [65001] * 2, [200] * 2, "opencv")


@pytest.mark.parametrize("rasterizer", RASTERIZERS)
def test_problems(rasterizer):
    triangle = [[1, 1, 8, 1, 8, 8]]
    cases = [
        (triangle, 10, 10, MaskProblem.NONE),
        ([], 10, 10, MaskProblem.BAD_POLYGON),
        ([[1, 1, 8, 8]], 10, 10, MaskProblem.BAD_POLYGON),
        ([*triangle, []], 10, 10, MaskProblem.BAD_POLYGON),
        ([[1, 1, 8, 1, 8, float("nan")]], 10, 10, MaskProblem.BAD_POLYGON),
        ([[1, 1, 8, 1, float("inf"), 8]], 10, 10, MaskProblem.BAD_POLYGON),
        ([[1, 1, 8, 1, -1e300, 8]], 10, 10, MaskProblem.BAD_POLYGON),
        (triangle, 0, 10, MaskProblem.BAD_SIZE),
        (triangle, 10, -1, MaskProblem.BAD_SIZE),
        (triangle, 2**40, 2**40, MaskProblem.BAD_SIZE),
        (triangle, 2**17, 2**17, MaskProblem.BAD_SIZE),
        ([[0, 0, 1e5, 1e5] * 50], 60_000, 60_000, MaskProblem.OUTLINE_TOO_LONG),
        (triangle, 10, 10, MaskProblem.NONE),
    ]
    drawn, heights, widths, expected = zip(*cases, strict=True)
    masks, problems = rasterize(drawn, heights, widths, rasterizer)
    assert problems.tolist() == list(expected)
    empty = np.diff(masks.starts) == 0
    assert empty.tolist() == [problem != 0 for problem in expected]
    first, *_, last = (
        masks.counts[a:b] for a, b in zip(masks.starts, masks.starts[1:], strict=False)
    )
    assert first.tolist() == last.tolist()  # the bad ones left nothing behind


@pytest.mark.parametrize("rasterizer", RASTERIZERS)
def test_no_polygons(rasterizer):
    masks, problems = rasterize([], [], [], rasterizer)
    assert len(masks) == len(problems) == 0


@pytest.mark.real_data
@pytest.mark.parametrize("rasterizer", RASTERIZERS)
def test_real_polygons_are_drawn_as_named(shared, rasterizer):
    coco = json.loads((shared / "data/coco/instances.json").read_bytes())
    images = {image["id"]: image for image in coco["images"]}
    drawn = [
        (annotation["segmentation"], images[annotation["image_id"]])
        for annotation in coco["annotations"]
        if isinstance(annotation["segmentation"], list)
    ]
    assert len(drawn) > 2900
    assert_drawn_as_named(
        [polygon for polygon, _ in drawn],
        [image["height"] for _, image in drawn],
        [image["width"] for _, image in drawn],
        rasterizer,
    )


@pytest.mark.parametrize("rasterizer", RASTERIZERS)
def test_pieces_hold_the_masks_that_are_drawn_as_a_whole(rasterizer):
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 9, 900)  # of parts, some too short; every third belongs to the next
    part_starts = np.cumsum([0, *lengths])
    mask_starts = np.arange(0, 901, 3)
    xy = rng.uniform(-50, 950, (part_starts[-1], 2))
    sizes = np.full((2, 300), 900)
    arguments = (xy, part_starts, mask_starts, *sizes)
    pieces = list(rasterize_in_pieces(*arguments, rasterizer))
    masks, problems = rasterize_polygons(*arguments, rasterizer)
    assert problems.any()
    assert not problems.all()
    assert len(pieces) > 1
    np.testing.assert_array_equal(np.concatenate([codes for _, _, codes in pieces]), problems)
    np.testing.assert_array_equal(np.concatenate([m.counts for _, m, _ in pieces]), masks.counts)
    assert [k for piece, _, _ in pieces for k in range(300)[piece]] == list(range(300))
    assert all(len(m.counts) < 4 * PIECE for _, m, _ in pieces)


def test_an_unknown_rasterizer_is_an_error():
    with pytest.raises(
        ValueError, match="unknown rasterizer 'opencvv'; choose one of coco, opencv"
    ):
        rasterize([[[1, 1, 5, 1, 5, 5]]], [9], [9], "opencvv")
