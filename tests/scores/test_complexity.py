import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfdp.scores.complexity import score_scs, score_si_scs


@pytest.mark.parametrize(
    "area, perimeter, scs, si_scs",
    [
        (36.0, 26.0, 26 / 36, 1.222411),  # 5 x 10 px rectangle through its pixel centers
        (12.0, 16.0, 16 / 12, 1.302940),  # 3 x 7 px
        (1.0, 4.0, 4.0, 1.128379),  # 2 x 2 px, the smallest square
        (99.0**2, 4 * 99.0, 4 / 99, 1.128379),  # 100 x 100 px
        (np.pi * 50**2, 2 * np.pi * 50, 2 / 50, 1.0),  # an ideal circle
        (0.0, 16.0, 0.0, 0.0),  # a line, one pixel wide
        (0.0, 0.0, 0.0, 0.0),  # no contour
    ],
)
def test_values_by_hand(area, perimeter, scs, si_scs):
    area, perimeter = np.array([area]), np.array([perimeter])
    assert score_scs(area, perimeter)[0] == pytest.approx(scs)
    assert score_si_scs(area, perimeter)[0] == pytest.approx(si_scs, abs=1e-6)


@given(st.floats(1, 1e6), st.floats(1, 1e4), st.floats(0.01, 100))
def test_si_scs_does_not_depend_on_scale(area, perimeter, scale):
    area, perimeter = np.array([area]), np.array([perimeter])
    scaled = score_si_scs(area * scale**2, perimeter * scale)
    np.testing.assert_allclose(scaled, score_si_scs(area, perimeter), rtol=1e-9)


def test_si_scs_is_scs_over_that_of_the_circle():
    area, perimeter = np.array([12.0, 700.0]), np.array([16.0, 333.0])
    circle = 2 * np.sqrt(np.pi / area)  # eq. 10
    np.testing.assert_allclose(score_si_scs(area, perimeter), score_scs(area, perimeter) / circle)


def test_no_instances():
    assert score_si_scs(np.empty(0), np.empty(0)).shape == (0,)
