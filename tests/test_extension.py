"""What CONTRIBUTING says of adding: one of each kind, from outside the package, in the places named.

A plain scorer and a policy, one function each, registered beside it; and a preset.
"""

import asyncio
import json

import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone.operators.executor import resolve_type

import tfdp
from tests.sources.conftest import make_document
from tests.views.datasets import detection, new_datasets, rectangle, sample
from tfdp.cli import main
from tfdp.options import Preset
from tfdp.scores.table import SCORERS, plain_scorer
from tfdp.selection.policies import POLICIES, policy
from tfdp.selection.presets import SELECTION_PRESETS

PLUGIN = "@tfdp/instance-pruning"


@pytest.fixture
def fewest():
    """A plain scorer: the images with the fewest instances first."""

    @plain_scorer("fewest", "Fewest instances", "fewest first", higher_first=False)
    def score_fewest(contents):
        held = contents.num_instances()
        return np.where(held > 0, held.astype(float), np.nan)

    yield "fewest"
    del SCORERS["fewest"]


@pytest.fixture
def bottom():
    """A policy: the lowest scores; with a parameter of another policy, which it shares."""

    @policy("bottom", "Bottom", "the worst scores")
    def choose_bottom(pool, beta):
        rest = pool.rows[: len(pool.rows) - int(beta * pool.num_scored)]
        return rest[len(rest) - pool.room :]

    yield "bottom"
    del POLICIES["bottom"]


@pytest.fixture
def crowded():
    """A preset: the images with the most instances."""
    SELECTION_PRESETS.add(Preset("crowded", "Crowded", "most instances", {"scorer": "count"}))
    yield "crowded"
    del SELECTION_PRESETS["crowded"]


@pytest.fixture
def annotations(tmp_path):
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(make_document()))
    return path


@pytest.fixture
def three():
    """Sample k holds k + 1 cats."""
    with new_datasets() as make:
        cat = detection("cat", rectangle(4, 4))
        yield make([sample(str(k), [cat.copy() for _ in range(k + 1)]) for k in range(3)])


def kept_by_the_command(annotations, *options):
    path = annotations.with_name("pruned.json")
    words = ["prune", annotations, "--keep", 1, "-o", path, "--overwrite", *options]
    assert main([str(word) for word in words]) == 0
    return [image["id"] for image in json.loads(path.read_text())["images"]]


def form(dataset, name, **params):
    request = {"dataset_name": dataset.name, "target": "inputs", "params": params}
    resolved = asyncio.run(resolve_type(foo.OperatorRegistry(), f"{PLUGIN}/{name}", request))
    return resolved.to_json()["type"]["properties"]


def choices(properties, name):
    return {choice["value"]: choice["label"] for choice in properties[name]["view"]["choices"]}


def choices_of_panel(dataset):
    params = {"panel_id": "panel", "__method__": "on_load", "panel_state": {}}
    context = {"dataset": dataset, "params": params}
    done = foo.execute_operator(f"{PLUGIN}/pruning_panel", context)
    shown = done.executor.to_json()["requests"][-1]["params"]["output"]
    return choices(shown["type"]["properties"], "scorer")


def test_a_scorer_is_added_in_one_place(annotations, fewest):
    held = tfdp.score_coco(annotations).images.num_instances
    assert held.tolist() == [1, 2, 0]
    assert tfdp.select(tfdp.score_coco(annotations), keep=1, scorer=fewest).keep_ids == [10]
    assert kept_by_the_command(annotations, "--scorer", fewest) == [10]
    assert main(["compare", str(annotations), "--reference", fewest]) == 0


def test_a_scorer_works_on_views_and_in_forms(three, fewest):
    view = tfdp.prune_view(three, keep=1, scorer=fewest, progress=False)
    assert view.values("filepath") == ["/images/0.png"]
    assert fewest in {row.scorer for row in tfdp.compare_scores(three).rows}
    assert choices(form(three, "create_pruned_view"), "scorer")[fewest] == "Fewest instances"
    assert fewest in choices(form(three, "compare_scores"), "scorers")
    assert fewest in choices_of_panel(three)


def test_a_policy_is_added_in_one_place_and_its_parameter(annotations, bottom):
    scores = tfdp.score_coco(annotations)
    worst, best = tfdp.select(scores, keep=1, policy=bottom), tfdp.select(scores, keep=1)
    assert worst.keep_ids != best.keep_ids
    assert kept_by_the_command(annotations, "--policy", bottom) == worst.keep_ids
    others = ["--policy", bottom, "--beta", 0.5]
    assert kept_by_the_command(annotations, *others) == best.keep_ids
    with pytest.raises(ValueError, match="beta is of the policy 'stratified' and 'bottom' only"):
        tfdp.select(scores, keep=1, beta=0.1)


def test_a_policy_works_on_views_and_in_forms(three, bottom):
    view = tfdp.prune_view(three, keep=1, scorer="count", policy=bottom, progress=False)
    assert view.values("filepath") == ["/images/0.png"]
    properties = form(three, "create_pruned_view", policy=bottom)
    assert choices(properties, "policy")[bottom] == "Bottom"
    assert "beta" in properties
    assert "seed" not in properties


def test_a_preset_is_added_in_one_place(annotations, crowded, fewest):
    selection = tfdp.select(tfdp.score_coco(annotations), keep=1, preset=crowded)
    assert (selection.scorer, selection.keep_ids) == ("count", [20])
    assert kept_by_the_command(annotations, "--preset", crowded) == [20]
    assert kept_by_the_command(annotations, "--preset", crowded, "--scorer", fewest) == [10]


def test_a_preset_works_on_views_and_in_forms(three, crowded):
    view = tfdp.prune_view(three, keep=1, preset=crowded, progress=False)
    assert view.values("filepath") == ["/images/2.png"]
    properties = form(three, "create_pruned_view", preset=crowded)
    assert choices(properties, "preset")[crowded] == "Crowded"
    assert properties["crowded_scorer"]["default"] == "count"


@pytest.mark.parametrize("name, parameters", [("count", "contents"), ("new", "contents, colour")])
def test_a_scorer_that_cannot_be_is_refused(name, parameters):
    with pytest.raises(ValueError, match=r"there is a scorer 'count' already|takes .*colour"):
        plain_scorer(name, "", "")(eval(f"lambda {parameters}: None"))
    assert "new" not in SCORERS


def test_what_was_added_is_gone():
    assert "fewest" not in SCORERS
    assert "bottom" not in POLICIES
    assert "crowded" not in SELECTION_PRESETS
