import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfdp.selection.strata import allocate, assign_strata, select_stratified


@pytest.mark.parametrize(
    "budget, sizes, expected",
    [
        (6, [10, 1, 2], [3, 1, 2]),  # small strata give what they have, the rest goes on
        (3, [5, 5, 5], [1, 1, 1]),
        (5, [10, 10], [2, 3]),  # the last stratum takes the remainder
        (4, [0, 4, 0], [0, 4, 0]),  # empty strata
        (0, [3, 3], [0, 0]),
    ],
)
def test_allocation_by_hand(budget, sizes, expected):
    assert allocate(budget, sizes) == expected


@given(st.lists(st.integers(0, 30), min_size=1, max_size=50), st.data())
def test_the_whole_budget_is_allocated(sizes, data):
    budget = data.draw(st.integers(0, sum(sizes)))
    allocation = allocate(budget, sizes)
    assert sum(allocation) == budget
    assert all(0 <= a <= s for a, s in zip(allocation, sizes, strict=True))


@pytest.mark.parametrize(
    "scores, expected",
    [
        ([0.0, 0.5, 1.0], [0, 25, 49]),  # the highest belongs to the last stratum
        ([-3.0, -2.0, -1.0], [0, 25, 49]),  # all negative
        ([7.0, 7.0], [0, 0]),  # all equal
        # edges at .02, .04, ...: a stratum holds its lower edge, and nothing is rounded up
        (
            [0.0, 0.019, 0.021, 0.039, 0.041, 0.75, 0.979, 0.981, 1.0],
            [0, 0, 1, 1, 2, 37, 48, 49, 49],
        ),
        # equal widths, not equal numbers
        ([0.0, 0.001, 0.002, 0.003, 1.0], [0, 0, 0, 0, 49]),
    ],
)
def test_strata_by_hand(scores, expected):
    assert assign_strata(np.array(scores)).tolist() == expected


def test_every_occupied_stratum_is_drawn_from():
    scores = np.concatenate([np.zeros(1000), [1.0], [2.0]])
    chosen = select_stratified(scores, 3, np.random.default_rng(0))
    assert {1000, 1001} < set(chosen.tolist())


def test_the_top_score_can_be_selected_when_all_are_negative():
    scores = np.array([-5.0, -4.0, -1.0])
    assert select_stratified(scores, 3, np.random.default_rng(0)).tolist() == [0, 1, 2]


def test_every_image_of_a_stratum_is_as_likely():
    """Two strata of 20: of each 5 are drawn, so that in 400 draws each image comes 100 times."""
    scores = np.repeat([0.0, 1.0], 20)
    drawn = [select_stratified(scores, 10, np.random.default_rng(seed)) for seed in range(400)]
    assert all(len(set(rows)) == 10 and (rows < 20).sum() == 5 for rows in drawn)
    times = np.bincount(np.concatenate(drawn), minlength=40)
    assert times.min() > 60
    assert times.max() < 140
