import numpy as np
import pytest

from tfdp.models.aggregation import aggregate_images, aggregate_pixels

VALUES = np.array([[1.0, 2.0, 3.0, 6.0], [1.0, 1.0, 1.0, 1.0]])
TARGET = np.array([[True, False, False, True], [False, False, False, False]])
INDEX = np.array([0, 0, 0, 2, 3])
SCORES = np.array([1.0, 5.0, np.nan, -2.0, np.nan])  # image 1 has no instance, image 3 none scored


def test_region_roi_is_the_mean_of_all_pixels():
    assert aggregate_pixels(VALUES, TARGET, "roi").tolist() == [3.0, 1.0]


def test_region_mask_is_the_mean_of_the_target_and_nan_without_one():
    np.testing.assert_equal(aggregate_pixels(VALUES, TARGET, "mask"), [3.5, np.nan])


@pytest.mark.parametrize("region", ["roi", "mask"])
def test_torch_gives_what_numpy_gives(region):
    torch = pytest.importorskip("torch", reason="needs the extra `models`")
    found = aggregate_pixels(torch.from_numpy(VALUES), torch.from_numpy(TARGET), region)
    np.testing.assert_equal(found.numpy(), aggregate_pixels(VALUES, TARGET, region))


@pytest.mark.parametrize(
    "name, aggregation, expected",
    [
        ("loss", "sum", [6, np.nan, -2, np.nan]),
        ("loss", "mean", [3, np.nan, -2, np.nan]),
        ("loss", "max", [5, np.nan, -2, np.nan]),
        ("aum", "sum", [6, np.nan, -2, np.nan]),
        ("aum", "mean", [3, np.nan, -2, np.nan]),
        ("aum", "max", [1, np.nan, -2, np.nan]),  # low is hard: the hardest instance
    ],
)
def test_images(name, aggregation, expected):
    np.testing.assert_equal(aggregate_images(name, SCORES, INDEX, 4, aggregation), expected)


def test_no_instance_at_all():
    assert np.isnan(aggregate_images("loss", np.empty(0), np.empty(0, int), 2)).all()
