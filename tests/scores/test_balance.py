import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfdp.scores.balance import (
    ClassTotals,
    balance_classes,
    sum_class_totals,
)

instances = st.lists(st.tuples(st.floats(0.5, 50), st.integers(0, 3)), min_size=1, max_size=40)


def columns(rows):
    scores, categories = zip(*rows, strict=True)
    return np.array(scores), np.array(categories)


def balanced(scores, categories):
    totals = np.bincount(categories, scores, minlength=4)
    return balance_classes(scores, categories, totals)


def test_balance_by_hand():
    scores, categories = np.array([1.0, 3.0, 2.0]), np.array([0, 0, 1])
    np.testing.assert_allclose(balanced(scores, categories), [0.25, 0.75, 1.0])


def test_a_class_total_of_zero_gives_zero():
    np.testing.assert_array_equal(balance_classes(np.zeros(2), np.array([0, 0]), np.zeros(1)), 0)


@given(instances)
def test_the_scores_of_all_instances_sum_to_the_number_of_classes(rows):
    scores, categories = columns(rows)
    assert balanced(scores, categories).sum() == pytest.approx(len(np.unique(categories)))


@given(instances, st.floats(0.01, 100))
def test_scaling_one_class_changes_nothing(rows, factor):
    scores, categories = columns(rows)
    scaled = np.where(categories == 0, scores * factor, scores)
    np.testing.assert_allclose(balanced(scaled, categories), balanced(scores, categories))


@given(instances, instances)
def test_totals_of_two_sets_add_up_to_those_of_the_union(a, b):
    keys = np.array([10, 20, 30, 40])

    def sums(rows):
        scores, categories = columns(rows)
        return sum_class_totals(scores, 2 * scores, categories, keys)

    total, union = sums(a) + sums(b), sums(a + b)
    assert total.num_instances == union.num_instances
    assert total.si_scs == pytest.approx(union.si_scs)
    assert total.scs == pytest.approx({key: 2 * sum_ for key, sum_ in union.si_scs.items()})


def test_totals_of_different_classes_are_united():
    one = ClassTotals({"cat": 1.5}, {"cat": 1}, {"cat": 3.0})
    other = ClassTotals({"cat": 1, "dog": 2}, {"cat": 1, "dog": 2}, {"cat": 4, "dog": 5})
    both = ClassTotals({"cat": 2.5, "dog": 2}, {"cat": 2, "dog": 2}, {"cat": 7, "dog": 5})
    assert one + other == both


def test_totals_that_lack_a_score_lack_it_in_the_union():
    older = ClassTotals({"cat": 1.5}, {"cat": 1})
    newer = ClassTotals({"cat": 1}, {"cat": 1}, {"cat": 4})
    assert older + newer == newer + older == ClassTotals({"cat": 2.5}, {"cat": 2})


@pytest.mark.parametrize("scs", [{7: 1.5, 9: 0.25}, None])
def test_totals_survive_json(scs):
    totals = ClassTotals({7: 0.1 + 0.2, 9: 0.0}, {7: 2, 9: 0}, scs)
    assert ClassTotals.from_list(json.loads(json.dumps(totals.to_list()))) == totals


def test_totals_of_older_runs_are_read():
    rows = [{"category": 7, "si_scs": 1.5, "num_instances": 2}]
    assert ClassTotals.from_list(rows) == ClassTotals({7: 1.5}, {7: 2})
