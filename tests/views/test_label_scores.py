"""Fields of samples that were made of their labels' scores: which way, and another one."""

import fiftyone as fo
import numpy as np
import pytest

import tfdp
from tests.views.datasets import detection, rectangle, sample
from tfdp.models.packages import find_missing_packages
from tfdp.views.candidates import score_candidates
from tfdp.views.contents import read_contents
from tfdp.views.model_plan import plan_model_scoring


@pytest.fixture
def few_and_many(make_dataset):
    """Sample 0 holds one cat of 3x7, sample 1 three of 9x9, sample 2 nothing; all scored."""
    small = [detection("cat", rectangle(3, 7))]
    large = [detection("cat", rectangle(9, 9)) for _ in range(3)]
    dataset = make_dataset([sample("0", small), sample("1", large), sample("2", [])])
    tfdp.compute_shape_scores(dataset, "gt", progress=False)
    return dataset


def candidates(dataset, scorer, **asked):
    return score_candidates(dataset, read_contents(dataset, "gt"), scorer, **asked)


def prune(dataset, **asked):
    view = tfdp.prune_view(dataset, keep=1, overwrite=True, progress=False, **asked)
    record = dataset.load_brain_results("pruned").record
    return view.values("filepath"), record["aggregation"]


SMALL, LARGE = 16 / 12, 32 / 64  # perimeter / area, through pixel centers


@pytest.mark.parametrize(
    "aggregation, expected, way",
    [
        (None, [SMALL, 3 * LARGE], "sum"),
        ("sum", [SMALL, 3 * LARGE], "sum"),
        ("mean", [SMALL, LARGE], "mean"),
        ("max", [SMALL, LARGE], "max"),
    ],
)
def test_a_field_is_taken_as_it_is_or_made_again(few_and_many, aggregation, expected, way):
    found = candidates(few_and_many, "scs", aggregation=aggregation)
    assert found.scores[:2] == pytest.approx(expected)
    assert (found.scored.tolist(), found.aggregation) == ([True, True, False], way)
    assert few_and_many.values("scs")[1] == pytest.approx(3 * LARGE)  # as it was


def test_what_is_kept_goes_by_it_and_the_run_says_so(few_and_many):
    assert prune(few_and_many, scorer="scs") == (["/images/1.png"], "sum")
    assert prune(few_and_many, scorer="scs", aggregation="mean") == (["/images/0.png"], "mean")
    assert prune(few_and_many, scorer="count") == (["/images/1.png"], None)
    assert prune(few_and_many, scorer="inverse_frequency")[1] == "sum"


def test_a_view_and_a_prefix_are_no_obstacle(few_and_many):
    tfdp.compute_shape_scores(
        few_and_many, "gt", brain_key="b", field_prefix="b_", aggregation="mean", progress=False
    )
    found = candidates(few_and_many, "b_scs")
    assert (found.aggregation, found.scores[1]) == ("mean", pytest.approx(LARGE))
    turned = candidates(few_and_many[1:], "b_scs", aggregation="sum")
    assert turned.scores[:1] == pytest.approx([3 * LARGE])


def test_fields_of_one_way_cannot_be_turned(few_and_many):
    few_and_many.set_values("own", [1.0, 2.0, 3.0])
    assert candidates(few_and_many, "own").aggregation is None
    for scorer in ("own", "count"):
        with pytest.raises(ValueError, match=f"'{scorer}' scores images.*no 'mean'"):
            candidates(few_and_many, scorer, aggregation="mean")


def test_ccs_on_a_view_averages_aums_that_were_summed(few_and_many):
    """As version 0.1.0 left them: of a run that summed, margins of learnt instances."""
    run = few_and_many.get_brain_info("shape_scores").config
    assert run.aggregation == "sum"
    few_and_many.set_values("gt.detections.scs", [[2.0], [1.0, 1.0, 1.0], []])
    few_and_many.set_values("scs", [2.0, 3.0, None])
    asked = {"preset": "ccs", "scorer": "scs", "beta": 0.0, "higher_first": False}
    assert prune(few_and_many, **asked | {"policy": "top"}) == (["/images/1.png"], "mean")
    parameters = few_and_many.get_brain_info("pruned").config.parameters
    assert (parameters["preset"], parameters["aggregation"]) == ("ccs", "mean")
    again = tfdp.prune_view(few_and_many, **parameters, brain_key="again", progress=False)
    assert again.values("filepath") == ["/images/1.png"]


def test_ccs_leaves_out_the_lowest_aums(make_dataset):
    dataset = make_dataset([sample(str(k), [], aum=float(k)) for k in range(20)])
    view = tfdp.prune_view(dataset, keep=18, preset="ccs", progress=False)
    assert view.values("aum") == list(np.arange(2.0, 20.0))
    with pytest.raises(ValueError, match="unknown preset 'ccr'; choose one of ccs"):
        tfdp.prune_view(dataset, keep=1, preset="ccr", progress=False)


def test_a_comparison_takes_another_way(few_and_many):
    by_sum, by_mean = (
        {row.scorer: row for row in tfdp.compare_scores(few_and_many, aggregation=way).rows}
        for way in (None, "mean")
    )
    ways = [(by_sum[name].aggregation, by_mean[name].aggregation) for name in ("scs", "count")]
    assert ways == [("sum", "mean"), (None, None)]
    assert by_sum["scs"].kept[3].instances == 3 / 4
    assert by_mean["scs"].kept[3].instances == 1 / 4
    with pytest.raises(ValueError, match="unknown aggregation 'median'"):
        tfdp.compare_scores(few_and_many, aggregation="median")


def test_fields_say_what_they_are_of_an_image(few_and_many):
    described = few_and_many.get_field("cb_only").description
    assert described.endswith("Here: the sum over the sample's instances.")
    assert isinstance(few_and_many.get_field("cb_only"), fo.FloatField)


@pytest.mark.parametrize("asked, way", [(None, "mean"), ("max", "maximum")])
def test_fields_of_model_scores_say_it_too(shapes, require, asked, way):
    require(not find_missing_packages(), "the packages of the extra `models`")
    plan = plan_model_scoring(shapes, "gt", {"aggregation": asked, "scores": ["aum"]})
    (field,) = plan.on_samples
    assert field.description.endswith(f"Here: the {way} over the sample's instances.")


def test_matched_random_is_matched_to_cb_scs(few_and_many):
    """Each sample is the only one with as many instances: nothing is left to shuffle."""
    found = candidates(few_and_many, "instance_matched_random")
    assert found.scores[:2] == pytest.approx(few_and_many.values("cb_scs")[:2])


@pytest.mark.parametrize("aggregation, expected", [(None, [0.25, 0.75]), ("mean", [0.25, 0.25])])
def test_plain_scorers_of_instances_take_it_too(few_and_many, aggregation, expected):
    found = candidates(few_and_many, "inverse_frequency", aggregation=aggregation)
    assert found.scores[:2] == pytest.approx(expected)
