import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfdp.models import dynamics

SHAPES = st.tuples(st.integers(2, 14), st.integers(1, 3))
LOGGED = hnp.arrays(float, SHAPES, elements=st.integers(0, 65535).map(lambda k: (k + 0.5) / 65536))
ANY = hnp.arrays(float, SHAPES, elements=st.floats(0, 1))


@pytest.mark.parametrize(
    "correct, expected",
    [([0, 1, 0, 1, 1, 0], 2), ([0, 0, 0, 0], 4), ([1, 1, 1], 0), ([1], 0), ([0], 1), ([1, 0, 0, 0], 1), ([0, 0, 1], 0)],
    ids=["twice", "never right", "always right", "one epoch, right", "one epoch, wrong", "once", "learned last"],
)  # fmt: skip
def test_forgetting(correct, expected):
    assert dynamics.forgetting(np.array(correct, bool)[:, None]) == [expected]


@given(hnp.arrays(bool, (6, 4)))
def test_forgetting_equals_a_loop(correct):
    for column, score in zip(correct.T.tolist(), dynamics.forgetting(correct), strict=True):
        events = sum(a and not b for a, b in pairwise(column))
        assert score == (events if any(column) else 6)


def test_aum_is_the_mean_over_epochs():
    assert dynamics.aum(np.array([[1.0], [3.0]])) == [2.0]


def test_dyn_unc_by_hand():
    q = np.array([0.2, 0.8, 0.2])[:, None]
    assert dynamics.dyn_unc(q, 2) == pytest.approx([0.424264], abs=1e-6)
    assert dynamics.dual(q, 2) == pytest.approx([0.424264 * 0.5], abs=1e-6)


def test_dyn_unc_of_a_constant_is_zero():
    assert dynamics.dyn_unc(np.full((5, 2), 0.3125), 3).tolist() == [0, 0]


def test_the_last_window_counts():
    q = np.array([0.5, 0.5, 0.5, 1.0])[:, None]
    assert dynamics.dyn_unc(q, 2) == pytest.approx([0.5**1.5 / 3])


@given(LOGGED, st.data())
def test_window_scores_equal_loops_of_statistics(q, data):
    check_against_loops(q, data.draw(st.integers(2, len(q))), 1e-9)


@given(ANY, st.data())
def test_window_scores_of_numbers_that_no_log_has_are_as_near_as_is_said(q, data):
    check_against_loops(q, data.draw(st.integers(2, len(q))), 1e-7)


def check_against_loops(q, window, error):
    for j in range(q.shape[1]):
        windows = [q[k : k + window, j].tolist() for k in range(len(q) - window + 1)]
        stds = [statistics.stdev(w) for w in windows]
        assert dynamics.dyn_unc(q, window)[j] == pytest.approx(np.mean(stds), abs=error)
        duals = [s * (1 - statistics.fmean(w)) for s, w in zip(stds, windows, strict=True)]
        assert dynamics.dual(q, window)[j] == pytest.approx(np.mean(duals), abs=error)


@pytest.mark.parametrize(
    "epochs, window, released", [(1, 2, 2), (2, 2, 2), (3, 3, 2), (9, 9, 8), (10, 10, 9), (11, 10, 10), (12, 10, 10), (200, 10, 10)]
)  # fmt: skip
def test_the_default_window_is_ten_or_what_fits(epochs, window, released):
    assert dynamics.default_window(epochs) == window
    assert dynamics.default_window(epochs, "released") == released


def test_the_released_code_drops_the_last_window_and_multiplies_by_ten():
    q = np.array([0.5, 0.5, 0.5, 1.0])[:, None]
    assert dynamics.dyn_unc(q, 2, "released").tolist() == [0]
    assert dynamics.dyn_unc(q[::-1], 2, "released") == pytest.approx([10 * 0.5**1.5 / 2])
    with pytest.raises(ValueError, match="expected more epochs than the window has"):
        dynamics.dyn_unc(q, 4, "released")


@pytest.mark.parametrize("epochs, half", [(1, 1), (2, 1), (3, 1), (5, 2), (12, 6)])
def test_half_of_training(epochs, half):
    assert dynamics.half_of_training(epochs) == half


@pytest.mark.parametrize("score", [dynamics.dyn_unc, dynamics.dual])
def test_too_few_epochs_name_both_numbers(score):
    with pytest.raises(ValueError, match="got 3 for a window of 4"):
        score(np.zeros((3, 1)), 4)
    with pytest.raises(ValueError, match="at least 2 epochs, got 1"):
        score(np.zeros((3, 1)), 1)
