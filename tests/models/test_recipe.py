"""What a recipe says of every step: rates by hand, and the order of what is learned."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tfdp.models.options import SegmentationOptions
from tfdp.models.presets import SEGMENTATION_PRESETS
from tfdp.models.recipe import Recipe, count_steps, epoch_batches, learning_rate_at, make_recipe

RECIPE = Recipe(epochs=12, batch_size=4, learning_rate=0.02, reference_batch=16, weight_decay=0)
FULL = 0.005  # of batches of 4 where 0.02 is for 16


@pytest.mark.parametrize(
    "step, rate",
    [(0, FULL / 100), (49, FULL / 2), (98, FULL * 0.99), (99, FULL), (799, FULL), (800, FULL / 10), (1099, FULL / 10), (1100, FULL / 100), (1199, FULL / 100)],
    ids=["first step", "half of the warm-up", "its last but one", "its last", "end of epoch 8", "epoch 9", "end of epoch 11", "epoch 12", "last step"],
)  # fmt: skip
def test_the_usual_learning_rate(step, rate):
    assert learning_rate_at(RECIPE, step, steps=1200) == pytest.approx(rate)


@pytest.mark.parametrize(
    "changes, step, rate",
    [
        ({"warm_up_epochs": 0}, 0, FULL),
        ({"warm_up_epochs": 0.5}, 24, FULL / 2),
        ({"warm_up_epochs": 2}, 99, FULL / 2),
        ({"decay_epochs": (7.5,)}, 749, FULL),
        ({"decay_epochs": (7.5,)}, 750, FULL / 10),
        ({"decay_epochs": (7.5,)}, 1199, FULL / 10),
        ({"decay_epochs": ()}, 1199, FULL),
        ({"schedule": "cosine"}, 300, FULL * (1 + math.sqrt(0.5)) / 2),
        ({"schedule": "cosine"}, 600, FULL / 2),
        ({"schedule": "cosine", "decay_epochs": (1,)}, 600, FULL / 2),
        ({"schedule": "cosine"}, 1199, FULL * (math.pi / 1200) ** 2 / 4),  # 1 - cos x = x² / 2
        ({"batch_size": 32}, 500, 0.04),
    ],
)
def test_what_is_asked_of_the_learning_rate(changes, step, rate):
    found = learning_rate_at(replace(RECIPE, **changes), step, steps=1200)
    assert found == pytest.approx(rate, rel=1e-5)


def test_the_warm_up_is_of_a_thousand_batches_where_an_epoch_has_more():
    rates = [learning_rate_at(RECIPE, step, steps=12 * 5000) for step in (499, 998, 999, 5000)]
    assert rates == pytest.approx([FULL / 2, FULL * 0.999, FULL, FULL])


def order(epoch, n=13, groups=None, **changes):
    groups = np.zeros(n, np.int64) if groups is None else groups
    return epoch_batches(replace(RECIPE, **changes), groups, epoch)


def test_an_epoch_sees_every_example_once_in_batches_of_nearly_equal_size():
    for epoch in (1, 3):
        batches = order(epoch)
        assert sorted(np.concatenate(batches) - (epoch - 1) * 13) == list(range(13))
        assert sorted(map(len, batches)) == [3, 3, 3, 4]


def test_the_order_follows_seed_and_epoch():
    def examples(epoch, **changes):
        return (np.concatenate(order(epoch, 50, **changes)) % 50).tolist()

    assert examples(1) == examples(1)
    assert len({tuple(examples(epoch, seed=seed)) for epoch in (1, 2) for seed in (0, 1)}) == 4


def test_examples_of_a_group_share_their_batches_in_a_random_order():
    groups = np.arange(80) % 2
    batches = order(1, groups=groups)
    kinds = [set((groups[batch % 80]).tolist()) for batch in batches]
    assert sorted(np.concatenate(batches)) == list(range(80))
    assert [len(kind) for kind in kinds] == [1] * 20
    firsts = [kind.pop() for kind in kinds]
    assert firsts != sorted(firsts)
    assert firsts != sorted(firsts, reverse=True)


def test_iterations_go_through_all_examples_pass_by_pass():
    """13 examples are 4 batches a pass; 10 batches are two and a half of them, in 3 epochs."""
    asked = {"epochs": 3, "iterations": 10}
    epochs = [order(epoch, **asked) for epoch in (1, 2, 3)]
    assert [len(batches) for batches in epochs] == [3, 3, 4]
    stream = [batch for batches in epochs for batch in batches]
    passes = [np.concatenate(stream[start : start + 4]) for start in (0, 4)]
    assert [sorted(draws) for draws in passes] == [[*range(13)], [*range(13, 26)]]
    assert all(26 <= draw < 39 for batch in stream[8:] for draw in batch)
    assert np.array_equal(np.concatenate(order(1)), passes[0])  # as without iterations
    assert count_steps(replace(RECIPE, **asked), 13) == 10
    assert count_steps(RECIPE, 13) == 48


@pytest.mark.parametrize("name", SEGMENTATION_PRESETS)
def test_a_preset_is_a_training_that_can_be(name):
    recipe = make_recipe(SegmentationOptions.given(preset=name), 16)
    assert recipe.weight_decay == 1e-4
    assert recipe.momentum == 0.9


def test_presets_are_what_they_say():
    def rates(name, steps, *epochs, **given):
        recipe = make_recipe(SegmentationOptions.given(preset=name, **given), 16)
        at = [round(epoch / recipe.epochs * steps) for epoch in epochs]
        return [learning_rate_at(recipe, step, steps) for step in at]

    assert rates("1x", 1200, 7.99, 8, 11) == pytest.approx([0.02, 0.002, 0.0002])
    assert rates("1x", 300, 1.99, 2, 2.75, epochs=3) == pytest.approx([0.02, 0.002, 0.0002])
    assert rates("cityscapes", 800, 6.99, 7, 7.99) == pytest.approx([0.01, 0.001, 0.001])
    assert rates("voc", 1200, 8.99, 9, 11.99) == pytest.approx([0.01, 0.001, 0.001])
    assert SegmentationOptions.given(preset="cityscapes").weights == "coco"
    assert SegmentationOptions.given(preset="1x", batch_size=8).batch_size == 8


@pytest.mark.parametrize(
    "given, message",
    [
        ({"preset": "2x"}, "unknown preset '2x'; choose one of 1x, cityscapes, voc"),
        ({"epochs": 5, "iterations": 4}, "iterations must be at least the 5 epochs.* but got 4"),
        ({"decay_epochs": (8, 12)}, "decay_epochs must be points inside .* 12 epochs.* but got 12"),
        ({"decay_epochs": (0,)}, "decay_epochs must be points inside .* but got 0"),
        ({"preset": "cityscapes", "epochs": 4}, "but got 7: give decay_epochs that fit"),
        ({"warm_up_epochs": -1}, "warm_up_epochs must be at least 0"),
        ({"gradient_clip": 0}, "gradient_clip must be more than 0"),
        ({"optimizer": "adam"}, "unknown optimizer 'adam'; choose one of sgd, adamw"),
        ({"schedule": "linear"}, "unknown schedule 'linear'"),
        ({"precision": "float16"}, "unknown precision 'float16'"),
        ({"scales": (31,)}, "scales must be sizes of 32 to 8192 px, got 31"),
        ({"scales": ()}, "scales must be sizes of 32 to 8192 px, got none"),
    ],
)
def test_no_recipe_can_be_like_that(given, message):
    with pytest.raises(ValueError, match=message):
        SegmentationOptions.given(**given)
