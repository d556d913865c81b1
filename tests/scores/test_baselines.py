import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tfdp.scores.baselines import (
    score_count,
    score_instance_matched_random,
    score_inverse_frequency,
    score_plain,
    score_random,
)
from tfdp.scores.contents import Contents


def contents(image_index, category_index, num_images):
    return Contents(
        num_images,
        np.array(image_index, np.int64),
        np.array(category_index, np.int64),
        np.array(["a", "b"], object),
    )


# Image 0 holds a, a, b; image 1 nothing; image 2 one b.
CONTENTS = contents([0, 0, 0, 2], [0, 0, 1, 1], 3)


def test_count_by_hand():
    np.testing.assert_array_equal(score_count(CONTENTS), [3, np.nan, 1])


def test_inverse_frequency_by_hand():
    np.testing.assert_allclose(score_inverse_frequency(CONTENTS), [0.5, 0.5, 0.5, 0.5])
    expected = {"sum": [1.5, np.nan, 0.5], "mean": [0.5, np.nan, 0.5]}
    for aggregation, images in expected.items():
        found = score_plain("inverse_frequency", CONTENTS, aggregation=aggregation)
        np.testing.assert_allclose(found, images)


def test_random_is_seeded_and_has_no_score_without_instances():
    draws = [score_random(CONTENTS, np.random.default_rng(s)) for s in (3, 3, 4)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert draws[0][0] != draws[2][0]
    assert np.isnan(draws[0]).tolist() == [False, True, False]


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(0, 2**32))
def test_matched_random_keeps_as_many_instances_at_every_budget(image_index, seed):
    rng = np.random.default_rng(seed)
    drawn = contents(image_index, [0] * len(image_index), 10)
    reference = np.where(drawn.num_instances() > 0, rng.random(10), np.nan)
    shuffled = score_instance_matched_random(drawn, reference, rng)
    held = drawn.num_instances()
    for budget in range(11):
        best = np.argsort(-np.nan_to_num(reference, nan=-1), kind="stable")[:budget]
        matched = np.argsort(-np.nan_to_num(shuffled, nan=-1), kind="stable")[:budget]
        assert sorted(held[best]) == sorted(held[matched])


def test_matched_random_does_choose_other_images():
    many = contents(np.arange(100), np.zeros(100), 100)
    reference = np.arange(100.0)
    shuffled = score_instance_matched_random(many, reference, np.random.default_rng(0))
    assert sorted(shuffled) == sorted(reference)
    assert np.abs(np.corrcoef(shuffled, reference)[0, 1]) < 0.4
