"""From the scores of instances to those of images."""

import numpy as np
import pytest

from tfdp.scores.aggregation import (
    aggregate_by_scorer,
    aggregate_image_scores,
    check_own_aggregation,
    resolve_aggregation,
)
from tfdp.scores.table import SCORERS

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


def test_every_scorer_has_its_own_way():
    ways = {name: resolve_aggregation(name, None) for name in SCORERS}
    assert [name for name, way in ways.items() if way != "sum"] == ["aum"]
    assert ways["aum"] == "mean"
    assert resolve_aggregation("somebody's", None) == "sum"
    assert resolve_aggregation("aum", "max") == "max"


@pytest.mark.parametrize(
    "scorer, aggregation, expected",
    [
        ("loss", None, [6, np.nan, -2, np.nan]),
        ("loss", "max", [5, np.nan, -2, np.nan]),
        ("aum", None, [3, np.nan, -2, np.nan]),
        ("aum", "sum", [6, np.nan, -2, np.nan]),
        ("aum", "max", [1, np.nan, -2, np.nan]),  # its direction is known
    ],
)
def test_by_scorer(scorer, aggregation, expected):
    np.testing.assert_equal(aggregate_by_scorer(scorer, SCORES, INDEX, 4, aggregation), expected)


def test_scores_of_images_take_their_own_way_alone():
    for scorer, own, other in (("count", "sum", "mean"), ("aum", "mean", "sum")):
        check_own_aggregation(scorer, None)
        check_own_aggregation(scorer, own)
        with pytest.raises(
            ValueError, match=f"it has no '{other}'; ask for the aggregation '{own}'"
        ):
            check_own_aggregation(scorer, other)
