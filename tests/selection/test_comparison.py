from dataclasses import replace

import numpy as np
import pytest

from tfdp.scores.contents import Contents
from tfdp.selection.comparison import compare_scorers
from tfdp.selection.selection import Candidates

# Ten images; image i holds i + 1 instances, the last of class 1, the others of class 0.
CONTENTS = Contents(
    10,
    np.repeat(np.arange(10), np.arange(1, 11)),
    np.concatenate([[0] * i + [1] for i in range(10)]).astype(np.int64),
    np.array(["a", "b"], object),
)


def scorer(name, scores, scored=None, higher_first=True):
    scored = np.ones(10, bool) if scored is None else np.array(scored)
    scores = np.array(scores, np.float64)
    return Candidates(np.arange(10), scores, scored, CONTENTS, name, higher_first)


UP = scorer("up", range(10))


def row(other, rates=(0.5,), **kwargs):
    return compare_scorers([UP, other], "up", rates, **kwargs).rows[1]


def test_a_scorer_and_its_opposite():
    down = row(scorer("down", range(10, 0, -1)))
    assert (down.spearman, down.kendall) == pytest.approx((-1, -1))
    assert down.kept[0].overlap == 0
    assert down.kept[0].instances == pytest.approx((1 + 2 + 3 + 4 + 5) / 55)


def test_a_low_first_score_is_turned_round():
    low = row(scorer("low", range(10, 0, -1), higher_first=False))
    assert (low.spearman, low.kept[0].overlap) == pytest.approx((1, 1))


def test_values_by_hand():
    # The top five by `up` are images 5-9; swapping 4 and 5 loses one of them.
    swapped = row(scorer("swapped", [0, 1, 2, 3, 5, 4, 6, 7, 8, 9]), rates=(0.2, 0.5))
    assert swapped.spearman == pytest.approx(1 - 6 * 2 / (10 * 99))
    assert swapped.kendall == pytest.approx((44 - 1) / 45)
    assert swapped.kept[1].overlap == pytest.approx(4 / 5)
    assert swapped.kept[1].instances == pytest.approx((5 + 7 + 8 + 9 + 10) / 55)
    assert swapped.kept[1].classes == 2


def test_images_that_only_one_scores_are_left_out_of_the_correlation():
    scored = [True] * 9 + [False]
    partial = row(scorer("partial", [0, 1, 2, 3, 4, 5, 6, 7, 8, -99], scored))
    assert (partial.num_scored, partial.spearman) == (9, pytest.approx(1))


def test_a_constant_scorer_has_no_correlation():
    assert np.isnan(row(scorer("constant", [1.0] * 10)).spearman)


def test_one_table_row_a_scorer_and_rate():
    other = scorer("down", range(10, 0, -1))
    table = compare_scorers([other, UP], "up", (0.2, 0.5), {"down": 1.5}).to_arrow().to_pylist()
    assert [(r["scorer"], r["pruning_rate"], r["seconds"]) for r in table] == [
        ("up", 0.2, None), ("up", 0.5, None), ("down", 0.2, 1.5), ("down", 0.5, 1.5),
    ]  # fmt: skip


def test_an_unknown_reference():
    with pytest.raises(ValueError, match="no scorer 'side' to compare with; there are up"):
        compare_scorers([UP], "side")


def test_ranks_that_are_shared_by_hand():
    """25 of the 45 pairs differ in both: tau-b is 25 / sqrt(45 * 25); Spearman takes mean ranks."""
    halves = row(scorer("halves", [0] * 5 + [1] * 5))
    assert halves.kendall == pytest.approx(25 / np.sqrt(45 * 25))
    assert halves.spearman == pytest.approx(62.5 / np.sqrt(82.5 * 62.5))


def test_overlap_is_the_part_of_what_the_reference_keeps():
    """Of four scored images two are kept, 8 and 9; the reference keeps five, 5 to 9."""
    few = row(scorer("few", range(10), [False] * 6 + [True] * 4))
    assert (few.num_scored, few.kept[0].images) == (4, 2)
    assert few.kept[0].overlap == pytest.approx(2 / 5)


def test_a_row_says_how_instances_became_images():
    by_mean = replace(scorer("up2", range(10)), aggregation="mean")
    assert (row(by_mean).aggregation, row(scorer("up2", range(10))).aggregation) == ("mean", None)
