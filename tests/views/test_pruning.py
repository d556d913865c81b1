"""Pruned views: what is kept, marked, saved and remembered; what is refused."""

import fiftyone as fo
import numpy as np
import pytest

import tfdp
from tests.views.datasets import detection, rectangle, sample


@pytest.fixture
def scored(make_dataset):
    """Ten samples, u = 0 to 9, with a cat each; the first has a dog, too; then one with nothing."""
    cat, dog = detection("cat", rectangle(4, 4)), detection("dog", rectangle(4, 4))
    samples = [sample(str(k), [cat.copy()], u=float(k), tags=["all"]) for k in range(10)]
    samples[0].gt.detections.append(dog)
    samples[0].tags.append("golden")
    samples[9].tags.append("blurred")
    return make_dataset([*samples, sample("empty", [])])


def prune(view, *args, **kwargs):
    return tfdp.prune_view(view, *args, **{"scorer": "u", "progress": False, **kwargs})


def kept(view):
    return [int(u) for u in view.values("u") if u is not None]


def test_the_best_are_kept_in_a_field_a_view_and_a_run(scored):
    view = prune(scored, 0.5)
    assert kept(view) == [5, 6, 7, 8, 9]
    assert scored.values("in_pruned") == [False] * 5 + [True] * 5 + [False]
    assert scored.load_saved_view("pruned").values("id") == view.values("id")
    results = scored.load_brain_results("pruned")
    assert results.counts == {"images": 11, "kept_images": 5, "instances": 11, "kept_instances": 5}
    assert results.record["images_by_reason"] == {"no_score": 1, "pruned": 5, "selected": 5}
    assert results.record["after"]["instances_per_class"] == {"cat": 5, "dog": 0}
    assert isinstance(scored.get_field("in_pruned"), fo.BooleanField)


def test_a_view_leaves_the_other_samples_unmarked(scored):
    prune(scored[:4], keep=2)
    assert scored.values("in_pruned") == [False, False, True, True] + [None] * 7


@pytest.mark.parametrize(
    "asked, expected",
    [
        ({"keep": 3}, [7, 8, 9]),
        ({"threshold": 7.5}, [8, 9]),
        ({"keep": 3, "higher_first": False}, [0, 1, 2]),
        ({"keep": 3, "pinned_tags": ["golden"]}, [0, 8, 9]),
        ({"keep": 3, "excluded_tags": ["blurred"]}, [6, 7, 8]),
        ({"keep": 3, "min_per_class": 1}, [0, 8, 9]),
        ({"keep": 2, "scorer": "count"}, [0, 1]),
        ({"keep": 1, "scorer": "inverse_frequency"}, [0]),
        ({"keep": 1, "scorer": "inverse_frequency", "aggregation": "max", "seed": 2}, [0]),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_what_is_asked_is_kept(scored, asked, expected):
    assert kept(prune(scored, **asked)) == expected


def test_random_is_seeded(scored):
    draws = [
        kept(prune(scored, keep=4, scorer="random", seed=s, brain_key=f"k{s}")) for s in (0, 1, 2)
    ]
    assert kept(prune(scored, keep=4, scorer="random", seed=1, brain_key="again")) == draws[1]
    assert draws[0] != draws[1] or draws[1] != draws[2]


def test_instance_matched_random_keeps_as_many_instances(scored):
    tfdp.compute_shape_scores(scored, "gt", progress=False)
    by_score = prune(scored, keep=1, scorer="cb_scs", brain_key="best")
    matched = prune(scored, keep=1, scorer="instance_matched_random", brain_key="matched")
    assert kept(by_score) == kept(matched) == [0]  # the only one with two


def test_the_stratified_policy_leaves_out_the_hardest(scored):
    view = prune(scored, keep=5, policy="stratified", beta=0.2)
    assert len(view) == 5
    assert not {8, 9} & set(kept(view))


def test_unannotated_samples_can_be_kept(scored):
    assert "/images/empty.png" in prune(scored, 0.5, unannotated="keep").values("filepath")


def test_a_score_of_ours_is_kept_from_its_right_end(scored):
    """aum is kept lowest first, whatever prefix its field has."""
    aum = {"tfdp": {"score": "aum"}}
    scored.add_sample_field("run2_aum", fo.FloatField, info=aum)
    scored.set_values("run2_aum", [*map(float, range(10)), None])
    assert kept(prune(scored, keep=2, scorer="run2_aum")) == [0, 1]


def test_a_run_can_be_rebuilt(scored):
    first = prune(scored[2:], 0.25, policy="random", seed=5, pinned_tags=["golden"])
    config = scored.get_brain_info("pruned").config
    view = scored.load_brain_view("pruned")
    again = tfdp.prune_view(view, **config.parameters, brain_key="rebuilt", progress=False)
    assert again.values("id") == first.values("id")


def test_deleting_a_run_takes_its_field_and_its_view(scored):
    prune(scored, 0.5)
    scored.delete_brain_run("pruned")
    assert scored.list_saved_views() == []
    assert not scored.has_field("in_pruned")


def test_overwriting_is_asked_for(scored):
    prune(scored, 0.5)
    with pytest.raises(ValueError, match="there is a pruned view 'pruned' already"):
        prune(scored, 0.1)
    assert len(scored.load_saved_view("pruned")) == 5
    prune(scored[5:], keep=1, overwrite=True)
    assert kept(scored.load_saved_view("pruned")) == [9]
    assert scored.values("in_pruned")[:5] == [None] * 5


def own_field(dataset):
    dataset.set_values("in_pruned", [1] * 11)


def own_view(dataset):
    dataset.save_view("pruned", dataset.limit(1))


def own_run(dataset):
    tfdp.compute_shape_scores(dataset, "gt", brain_key="pruned", progress=False)


@pytest.mark.parametrize("taken", [own_field, own_view, own_run])
def test_nothing_of_the_users_is_overwritten(scored, taken):
    taken(scored)
    with pytest.raises(ValueError, match="give another name"):
        prune(scored, 0.5, overwrite=True)


WRONG = {
    "rate of 1": ({"pruning_rate": 1.0}, "at least 0 and less than 1"),
    "negative rate": ({"pruning_rate": -0.1}, "at least 0 and less than 1"),
    "no budget": ({}, "give one of pruning_rate, keep and threshold"),
    "two budgets": ({"pruning_rate": 0.5, "keep": 2}, "give one of"),
    "keep too many": ({"keep": 11}, "keep must be 1 to 10"),
    "unknown scorer": ({"pruning_rate": 0.5, "scorer": "beauty"}, "no such field.*u, count"),
    "scorer no number": ({"pruning_rate": 0.5, "scorer": "filepath"}, "StringField"),
    "pinned and excluded": (
        {"pruning_rate": 0.5, "pinned_tags": ["golden"], "excluded_tags": ["golden"]},
        "pinned and excluded",
    ),
    "floor too high": (
        {"keep": 1, "min_per_class": 2, "pinned_tags": ["blurred"]},
        "min_per_class=1 or less|min_per_class=0 or less",
    ),
    "no name": ({"pruning_rate": 0.5, "brain_key": "50 %"}, "letters, digits and underscores"),
    "aggregation of a field": ({"keep": 1, "aggregation": "mean"}, "'u' scores images"),
    "other label field": ({"pruning_rate": 0.5, "label_field": "tags"}, "holds ListField"),
    "matched to nothing": (
        {"pruning_rate": 0.5, "scorer": "instance_matched_random"},
        "call compute_shape_scores first",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_met_is_refused(scored, case):
    asked, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        prune(scored, **asked)
    assert scored.list_brain_runs() == []
    assert scored.list_saved_views() == []


def test_nan_scores_are_refused(scored):
    scored.set_values("u", [np.nan, *scored.values("u")[1:]])
    with pytest.raises(
        ValueError, match=f"1 images have a score 'u' that is NaN.*{scored.first().id}"
    ):
        prune(scored, 0.5)


def test_a_slice_of_a_grouped_dataset_is_pruned(make_dataset):
    dataset = make_dataset([])
    dataset.add_group_field("g", default="l")
    for k in range(4):
        group = fo.Group()
        sides = {side: sample(f"{side}{k}", [], u=float(k), g=group.element(side)) for side in "lr"}
        dataset.add_samples(sides.values(), progress=False)
    view = prune(dataset.select_group_slices("r"), 0.5)
    assert view.values("filepath") == ["/images/r2.png", "/images/r3.png"]
    assert dataset.load_saved_view("pruned").values("filepath") == view.values("filepath")
