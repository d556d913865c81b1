from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from benchmarks import plain
from tfdp.geometry.contours import measure_contours
from tfdp.geometry.masks import MaskRuns, mask_runs_from_bitmaps
from tfdp.geometry.run_lengths import mask_runs_from_rle, mask_runs_to_rle

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning:pycocotools")


def by_column(bitmaps) -> MaskRuns:
    sizes = np.array([bitmap.shape for bitmap in bitmaps], np.int64)
    masks, problems = mask_runs_from_rle(
        mask_runs_to_rle(mask_runs_from_bitmaps(bitmaps)), sizes[:, 0], sizes[:, 1]
    )
    assert not problems.any()
    return masks


def measure(bitmap):
    """Area and perimeter, the same by row and by column."""
    rows, columns = (
        measure_contours(mask_runs_from_bitmaps([bitmap])),
        measure_contours(by_column([bitmap])),
    )
    assert (rows.area[0], rows.perimeter[0]) == (columns.area[0], columns.perimeter[0])
    assert rows.pixel_area[0] == columns.pixel_area[0] == np.count_nonzero(bitmap)
    return rows.area[0], rows.perimeter[0]


def assert_as_cv2(masks: MaskRuns, bitmaps) -> None:
    contours = measure_contours(masks)
    expected = np.array([plain.measure(bitmap.astype(np.uint8)) for bitmap in bitmaps])
    np.testing.assert_allclose(contours.area, expected[:, 0], rtol=1e-6, atol=0)
    np.testing.assert_allclose(contours.perimeter, expected[:, 1], rtol=1e-6, atol=0)
    assert contours.pixel_area.tolist() == [np.count_nonzero(bitmap) for bitmap in bitmaps]


def picture(*rows: str):
    return np.array([[character == "#" for character in row] for row in rows])


ROOT2 = np.sqrt(2)


@pytest.mark.parametrize(
    "height, width", [(1, 1), (2, 2), (5, 10), (3, 7), (1, 9), (9, 1), (480, 640)]
)
def test_rectangle(height, width):
    expected = (height - 1) * (width - 1), 2 * (height + width - 2)
    assert measure(np.ones((height, width), bool)) == expected  # fills its frame
    framed = np.pad(np.ones((height, width), bool), ((1, 2), (3, 0)))
    assert measure(framed) == expected


@pytest.mark.parametrize("radius, si_scs", [(3, 1.218), (10, 1.096), (50, 1.060), (200, 1.056)])
def test_disc(radius, si_scs):
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    area, perimeter = measure(x**2 + y**2 <= radius**2)
    assert perimeter / (2 * np.sqrt(np.pi * area)) == pytest.approx(si_scs, abs=5e-4)


@pytest.mark.parametrize(
    "bitmap, area, perimeter",
    [
        pytest.param(picture("...", "..."), 0, 0, id="empty"),
        pytest.param(
            picture("#..", ".#.", "..#"), 0, 4 * ROOT2, id="diagonal line, there and back"
        ),
        pytest.param(picture(".#.", "###", ".#."), 2, 4 * ROOT2, id="plus"),
        pytest.param(
            picture(".#.", "#.#", ".#."), 2, 4 * ROOT2, id="ring of corners: its hole is filled"
        ),
        pytest.param(picture("##.", "##.", "..#"), 1, 4 + 2 * ROOT2, id="tail on a corner"),
        pytest.param(picture("##.##", "##.##"), 1, 4, id="two equal parts"),
        pytest.param(picture("####", "#..#", "#..#", "####"), 9, 12, id="frame with a hole"),
        pytest.param(
            picture("#####", "#...#", "#.#.#", "#...#", "#####"), 16, 16, id="speck in a hole"
        ),
        pytest.param(
            picture("#####", "#...#", "#.#..", "#...#", "#####"), 2, 20 + 4 * ROOT2, id="open ring"
        ),
    ],
)
def test_by_hand(bitmap, area, perimeter):
    assert measure(bitmap) == pytest.approx((area, perimeter), rel=1e-6)


def test_of_equal_areas_the_one_that_starts_last_is_primary():
    bitmap = picture("##...", "##...", ".....", ".....", "...#.", "..###", "...#.")
    both = picture("##...", "##..#", "...##", "....#")
    for tied in (both, both.T, both[::-1], both[:, ::-1]):
        assert measure(tied) == pytest.approx(plain.measure(tied.astype(np.uint8)), rel=1e-6)
    assert measure(bitmap)[0] == 2


@pytest.mark.parametrize(
    "counts", [[0, 5, 1], [0, 2, 0, 3, 1], [0, 0, 0, 5, 1, 0], [0, 5, 1, 0, 0]]
)
def test_empty_runs_change_nothing(counts):
    masks = MaskRuns(np.array(counts, np.uint32), np.array([0, len(counts)]), np.array([3]))
    contours = measure_contours(masks)
    assert (contours.area[0], contours.pixel_area[0]) == (1.5, 5)
    assert contours.perimeter[0] == pytest.approx(4 + ROOT2)


def test_masks_that_could_not_be_read_measure_nothing():
    masks, _ = mask_runs_from_rle(
        ["garbage!", [0, 4], [9]], np.array([0, 2, 2]), np.array([5, 2, 2])
    )
    contours = measure_contours(masks)
    assert contours.area.tolist() == [0, 1, 0]
    assert contours.pixel_area.tolist() == [0, 4, 0]
    assert len(measure_contours(mask_runs_from_bitmaps([])).area) == 0


def nested_squares(sides, offset):
    """Squares one on another, each turning what lies under it: frames in frames, often touching."""
    bitmap = np.zeros((20, 20), bool)
    for side in sides:
        bitmap[offset : offset + side, offset : offset + side] ^= True
    return bitmap


def blobs(seed, size, level):
    noise = np.random.default_rng(seed).random(size, np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.5) > level


bitmaps = st.one_of(
    arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=24)),
    st.builds(
        blobs,
        st.integers(0, 2**32 - 1),
        st.tuples(st.integers(1, 60), st.integers(1, 60)),
        st.floats(0.35, 0.65),
    ),
    st.builds(nested_squares, st.lists(st.integers(1, 18), max_size=6), st.integers(0, 2)),
)


@settings(deadline=None)  # the first call compiles
@given(st.lists(bitmaps, min_size=1, max_size=6))
def test_equals_cv2(drawn):
    assert_as_cv2(mask_runs_from_bitmaps(drawn), drawn)
    assert_as_cv2(by_column(drawn), drawn)


@settings(deadline=None)
@given(bitmaps)
def test_equals_counting_quads(bitmap):
    """The definition by 2x2 quads: fill the holes, label 8-connected, count, take the largest area."""
    padded = np.pad(bitmap, 1)
    labels, num_labels = ndimage.label(ndimage.binary_fill_holes(padded), np.ones((3, 3)))
    largest = 0.0, 0.0
    for label in range(1, num_labels + 1):
        part = labels == label
        quads = np.stack([part[:-1, :-1], part[:-1, 1:], part[1:, 1:], part[1:, :-1]])
        size, diagonal = quads.sum(axis=0), (quads[0] == quads[2]) & (quads[1] == quads[3])
        q4, q3 = np.count_nonzero(size == 4), np.count_nonzero(size == 3)
        q2, qd = np.count_nonzero((size == 2) & ~diagonal), np.count_nonzero((size == 2) & diagonal)
        largest = max(largest, (q4 + q3 / 2, q2 + ROOT2 * (q3 + 2 * qd)))
    area, perimeter = measure(bitmap)
    assert area == largest[0]
    assert perimeter <= largest[1] + 1e-9  # of equal areas, the longest; the tie is cv2's to break


@settings(deadline=None)
@given(bitmaps, st.tuples(*[st.integers(0, 9)] * 4))
def test_the_frame_does_not_matter(bitmap, margins):
    top, bottom, left, right = margins
    assert measure(np.pad(bitmap, ((top, bottom), (left, right)))) == measure(bitmap)


@pytest.mark.real_data
@pytest.mark.parametrize("file", ["voc2012/instances_train.json", "nuclei/instances.json"])
def test_real_masks_equal_cv2(shared, file):
    annotations = json.loads((shared / "data" / file).read_bytes())["annotations"]
    rles = [annotation["segmentation"] for annotation in annotations]
    sizes = np.array([rle["size"] for rle in rles])
    masks, problems = mask_runs_from_rle([rle["counts"] for rle in rles], sizes[:, 0], sizes[:, 1])
    assert not problems.any()
    assert len(masks) > 3000
    assert_as_cv2(masks, [plain.coco_mask.decode(rle) for rle in rles])
