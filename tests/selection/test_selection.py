from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfdp.scores.contents import Contents
from tfdp.selection.criteria import Criteria
from tfdp.selection.selection import Candidates, select_images


def candidates(scores, held=None, **changes):
    """Images 100, 101, ... with these scores (None = no score); ``held`` lists their classes."""
    held = held or [[0]] * len(scores)
    image_index = [row for row, classes in enumerate(held) for _ in classes]
    category_index = [c for classes in held for c in classes]
    built = Candidates(
        image_ids=np.arange(len(scores)) + 100,
        scores=np.array([0.0 if s is None else s for s in scores]),
        scored=np.array([s is not None for s in scores]),
        contents=Contents(
            len(scores),
            np.array(image_index, np.int64),
            np.array(category_index, np.int64),
            np.array(["a", "b", "c"], object),
        ),
        scorer="score",
    )
    return replace(built, **changes)


def kept(images, **criteria):
    return select_images(images, Criteria(**criteria)).keep_ids


SIX = candidates([3.0, 1.0, 2.0, 5.0, None, 4.0])


@pytest.mark.parametrize(
    "criteria, expected",
    [
        (dict(keep=2), [103, 105]),
        (dict(pruning_rate=0.0), [100, 101, 102, 103, 105]),
        (dict(pruning_rate=0.5), [100, 103, 105]),  # floor(.5 x 5) = 2 removed
        (dict(pruning_rate=0.99), [103]),  # floor(.99 x 5) = 4 removed
        (dict(threshold=3.0), [100, 103, 105]),  # equal to the threshold is kept
        (dict(threshold=99.0), []),
        (dict(keep=2, unannotated="keep"), [103, 104, 105]),  # apart from the budget
        (dict(keep=2, pinned=(101,)), [101, 103]),  # a pinned image takes a place
        (dict(keep=2, pinned=(104,)), [103, 104, 105]),  # one without a score takes none
        (dict(keep=2, excluded=(103,)), [100, 105]),
        (dict(threshold=4.5, pinned=(101,), excluded=(103,)), [101]),
        (dict(unannotated="keep", keep=5, excluded=(104,)), [100, 101, 102, 103, 105]),
    ],
)
def test_the_top_by_hand(criteria, expected):
    assert kept(SIX, **criteria) == expected


def test_every_image_has_a_reason():
    selection = select_images(SIX, Criteria(keep=3, pinned=(101,), excluded=(103,)))
    assert selection.why.tolist() == [
        "selected", "pinned", "pruned", "excluded", "no_score", "selected",
    ]  # fmt: skip
    assert selection.counts()["selected"] == 2


def test_low_scores_first():
    low = replace(SIX, higher_first=False)
    assert kept(low, keep=2) == [101, 102]
    assert kept(low, threshold=2.0) == [101, 102]


def test_ties_go_by_image_order():
    assert kept(candidates([1.0, 2.0, 1.0, 1.0]), keep=3) == [100, 101, 102]


@pytest.mark.parametrize(
    "rate, count, removed", [(0.29, 100, 29), (0.1, 30, 3), (0.7, 10, 7), (0.35, 1463, 512)]
)
def test_a_rate_is_the_decimal_number_that_it_is_written_as(rate, count, removed):
    images = candidates(np.arange(float(count)).tolist())
    assert len(kept(images, pruning_rate=rate)) == count - removed


@given(
    st.lists(st.one_of(st.none(), st.integers(-5, 5).map(float)), min_size=1, max_size=30),
    st.sampled_from(["top", "random"]),
    st.integers(0, 5),
)
def test_selections_at_rising_rates_are_nested(scores, policy, seed):
    if all(s is None for s in scores):
        scores[0] = 1.0
    images = candidates(scores)
    chosen = [
        set(kept(images, pruning_rate=rate, policy=policy, seed=seed))
        for rate in (0, 0.2, 0.5, 0.9)
    ]
    assert chosen[0] >= chosen[1] >= chosen[2] >= chosen[3]
    num_scored = sum(s is not None for s in scores)
    assert [num_scored - len(c) for c in chosen] == [
        num_scored * percent // 100 for percent in (0, 20, 50, 90)
    ]


def test_random_is_seeded():
    images = candidates(np.arange(40.0).tolist())
    drawn = [kept(images, keep=10, policy="random", seed=s) for s in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_stratified_leaves_out_the_hardest():
    images = candidates(np.arange(100.0).tolist())
    chosen = kept(images, keep=50, policy="stratified", beta=0.5)
    assert chosen == list(range(100, 150))  # the highest 50 are left out, all others are needed


def test_beta_is_of_all_scored_images_and_taken_off_those_that_are_left():
    """20 of 100 are left out: the best of the 60 that are neither pinned nor excluded."""
    images = candidates(np.arange(100.0).tolist())
    pinned, excluded = tuple(range(180, 200)), tuple(range(100, 120))
    asked = {"policy": "stratified", "beta": 0.2, "pinned": pinned, "excluded": excluded}
    assert kept(images, keep=60, **asked) == [*range(120, 160), *pinned]


def test_beta_leaves_out_before_the_strata_are_cut():
    """Without the one outlier the range is 0 to 98, in which two lie in each stratum, or one."""
    images = candidates([*map(float, range(99)), 1e6])
    chosen = np.array(kept(images, keep=50, policy="stratified", beta=0.01)) - 100
    assert np.histogram(chosen, bins=50, range=(0, 98))[0].tolist() == [1] * 50


def test_beta_is_rounded_down():
    images = candidates(np.arange(10.0).tolist())
    assert kept(images, keep=9, policy="stratified", beta=0.19) == list(range(100, 109))
    low = replace(images, higher_first=False)
    assert kept(low, keep=8, policy="stratified", beta=0.2) == list(range(102, 110))


def test_strata_are_drawn_from_by_seed():
    images = candidates(np.arange(200.0).tolist())
    drawn = [kept(images, keep=50, policy="stratified", seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_stratified_covers_the_range():
    images = candidates(np.arange(1000.0).tolist())
    chosen = np.array(kept(images, keep=100, policy="stratified")) - 100
    assert np.histogram(chosen, bins=50, range=(0, 999))[0].tolist() == [2] * 50


HOLDING = candidates([9.0, 8.0, 7.0, 1.0, 0.5], [[0], [0], [0, 0], [1], [1, 2]])


@pytest.mark.parametrize(
    "criteria, expected",
    [
        (dict(keep=2, min_per_class=0), [100, 101]),
        (dict(keep=2, min_per_class=1), [100, 104]),  # 104 holds b and c at once
        (dict(keep=4, min_per_class=2), [100, 101, 103, 104]),  # c has one instance in all
        (dict(threshold=8.5, min_per_class=1), [100, 104]),
        (dict(keep=2, min_per_class=1, pinned=(103,)), None),  # c, a and the pinned: 3 images
    ],
)
def test_class_floor_by_hand(criteria, expected):
    if expected is None:
        with pytest.raises(ValueError, match=r"min_per_class=1 takes 2 images.* room for 1"):
            kept(HOLDING, **criteria)
    else:
        assert kept(HOLDING, **criteria) == expected


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=1, max_size=25),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_the_floor_is_met_or_the_error_names_one_that_can_be(held, floor, random):
    images = candidates([random.random() for _ in held], held)
    available = np.bincount([c for classes in held for c in classes], minlength=3)
    budget = random.randint(1, len(held))
    try:
        selection = select_images(images, Criteria(keep=budget, min_per_class=floor))
    except ValueError as error:
        possible = int(str(error).split("min_per_class=")[-1].split()[0])
        assert possible < floor
        selection = select_images(images, Criteria(keep=budget, min_per_class=possible))
        floor = possible
    per_class = list(selection.after.instances_per_class.values())
    assert (np.array(per_class) >= np.minimum(available, floor)).all()
    assert selection.keep.sum() == budget


@pytest.mark.parametrize(
    "criteria, message",
    [
        (dict(), "give one of pruning_rate, keep and threshold, but got none"),
        (dict(keep=2, pruning_rate=0.1), "but got pruning_rate and keep"),
        (dict(pruning_rate=-0.1), "at least 0 and less than 1, but got -0.1"),
        (dict(pruning_rate=1.0), "less than 1, but got 1.0"),
        (dict(pruning_rate=float("nan")), "but got nan"),
        (dict(keep=6), "keep must be 1 to 5, the number of scored images, but got 6"),
        (dict(keep=0), "keep must be 1 to 5"),
        (dict(threshold=float("nan")), "threshold must be a finite number"),
        (dict(threshold=1.0, policy="random"), "a threshold goes with the policy 'top'"),
        (dict(keep=2, policy="best"), "unknown policy 'best'; choose one of top, random"),
        (dict(keep=2, unannotated="drop"), "unknown unannotated 'drop'"),
        (dict(keep=2, min_per_class=-1), "min_per_class must be a whole number of 0 or more"),
        (dict(keep=2, min_per_class=1.5), "min_per_class must be a whole number"),
        (dict(pruning_rate="0.5"), "pruning_rate must be a finite number, but got '0.5'"),
        (dict(pruning_rate=True), "pruning_rate must be a finite number, but got True"),
        (dict(keep="2"), "keep must be a whole number of 0 or more"),
        (dict(threshold=10**400), "threshold must be a finite number"),
        (dict(keep=2, seed=-1), "seed must be a whole number of 0 or more"),
        (dict(keep=2, seed=2**63), "below 2.*63.*, but got 9223372036854775808"),
        (dict(keep=2, seed=None), "seed must be a whole number"),
        (dict(keep=2, beta="0"), "beta must be a finite number"),
        (dict(keep=2, policy=["top"]), "unknown policy \\['top'\\]"),
        (dict(keep=2, pinned=3), "pinned must be a list of ids, but got 3"),
        (dict(keep=2, pinned="100"), "pinned must be a list of ids, but got '100'"),
        (dict(keep=2, excluded=([1],)), "excluded must be a list of ids"),
        (dict(keep=2, beta=0.1), "beta is of the policy 'stratified' only"),
        (dict(keep=4, beta=0.5, policy="stratified"), "ask for beta=0.2 or less"),
        (dict(keep=2, pinned=(100,), excluded=(100,)), "1 images are pinned and excluded"),
        (dict(keep=1, pinned=(100, 101)), "2 scored images are pinned, but the budget is 1"),
        (dict(keep=5, excluded=(100,)), "only 4 are left"),
        (dict(keep=2, pinned=(999,)), "pinned image 999 is not among the 6 images"),
    ],
)
def test_what_cannot_be_met_is_an_error_that_says_what_could(criteria, message):
    with pytest.raises(ValueError, match=message):
        kept(SIX, **criteria)


def test_numbers_of_numpy_are_reported_as_plain_ones():
    criteria = Criteria(keep=np.int64(2), seed=np.int32(3))
    assert [type(value) for value in (criteria.keep, criteria.seed)] == [int, int]


def test_nan_scores_are_an_error_that_names_one():
    with pytest.raises(ValueError, match=r"1 images have a score 'score' that is NaN.*101"):
        candidates([1.0, float("nan")])


def test_no_scores_at_all():
    with pytest.raises(ValueError, match="none of the 2 images has a score 'score'"):
        candidates([None, None])
