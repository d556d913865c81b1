import numpy as np
import pytest

from tfdp.models.regions import aggregate_pixels

VALUES = np.array([[1.0, 2.0, 3.0, 6.0], [1.0, 1.0, 1.0, 1.0]])
TARGET = np.array([[True, False, False, True], [False, False, False, False]])


def test_region_roi_is_the_mean_of_all_pixels():
    assert aggregate_pixels(VALUES, TARGET, "roi").tolist() == [3.0, 1.0]


def test_region_mask_is_the_mean_of_the_target_and_nan_without_one():
    np.testing.assert_equal(aggregate_pixels(VALUES, TARGET, "mask"), [3.5, np.nan])


@pytest.mark.parametrize("region", ["roi", "mask"])
def test_torch_gives_what_numpy_gives(region):
    torch = pytest.importorskip("torch", reason="needs the extra `models`")
    found = aggregate_pixels(torch.from_numpy(VALUES), torch.from_numpy(TARGET), region)
    np.testing.assert_equal(found.numpy(), aggregate_pixels(VALUES, TARGET, region))


def test_an_unknown_region_is_an_error():
    with pytest.raises(ValueError, match="unknown region 'box'; choose one of roi, mask"):
        aggregate_pixels(VALUES, TARGET, "box")
