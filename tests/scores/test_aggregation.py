"""From the scores of instances to those of images."""

import numpy as np
import pytest

from tfdp.scores.aggregation import aggregate_image_scores

INDEX = np.array([0, 0, 0, 2, 3])
SCORES = np.array([1.0, 5.0, np.nan, -2.0, np.nan])  # image 1 has no instance, image 3 none scored


@pytest.mark.parametrize(
    "aggregation, higher_first, expected",
    [
        ("sum", True, [6, np.nan, -2, np.nan]),
        ("mean", True, [3, np.nan, -2, np.nan]),
        ("max", True, [5, np.nan, -2, np.nan]),
        ("sum", False, [6, np.nan, -2, np.nan]),
        ("mean", False, [3, np.nan, -2, np.nan]),
        ("max", False, [1, np.nan, -2, np.nan]),  # low is hard: the hardest instance
    ],
)
def test_by_hand(aggregation, higher_first, expected):
    found = aggregate_image_scores(SCORES, INDEX, 4, aggregation, higher_first=higher_first)
    np.testing.assert_equal(found, expected)


def test_by_default_an_image_score_is_the_sum_and_none_without_instances():
    image_scores = aggregate_image_scores(np.array([1.0, 2.0, 4.0]), np.array([0, 0, 2]), 4)
    np.testing.assert_array_equal(image_scores, [3.0, np.nan, 4.0, np.nan])


def test_no_instance_at_all():
    assert np.isnan(aggregate_image_scores(np.empty(0), np.empty(0, int), 2)).all()


def test_an_unknown_one_is_an_error_that_names_the_known():
    with pytest.raises(ValueError, match="unknown aggregation 'median'; choose one of sum, mean"):
        aggregate_image_scores(SCORES, INDEX, 4, "median")
