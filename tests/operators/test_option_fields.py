"""A field for each option: what it takes, and that the operator takes what the field gives."""

import asyncio

import fiftyone.operators as foo
from fiftyone.operators.executor import resolve_type

from tfdp.options import options_of
from tfdp.selection.criteria import BUDGETS, Criteria
from tfdp.selection.policies import POLICIES
from tfdp.views.model_plan import find_missing_packages

PLUGIN = "@tfdp/instance-pruning"


def form(dataset, name, **params):
    """The form as the App gets it: property name -> its JSON."""
    request = {"dataset_name": dataset.name, "target": "inputs", "params": params}
    resolved = asyncio.run(resolve_type(foo.OperatorRegistry(), f"{PLUGIN}/{name}", request))
    return resolved.to_json()["type"]["properties"]


def takes_several(field):
    return field["type"]["name"] == "List" and field["view"]["multiple"]


def errors(properties):
    return [p["error_message"] for p in properties.values() if p["invalid"]]


def test_several_tags_can_be_chosen(shapes):
    first = shapes.first()
    first.tags = ["sharp"]
    first.save()  # another is golden
    given = {"scorer": "count", "keep": 2, "pinned_tags": ["golden", "sharp"]}
    properties = form(shapes, "create_pruned_view", **given)
    assert takes_several(properties["pinned_tags"])
    assert takes_several(properties["excluded_tags"])
    assert errors(properties) == []
    foo.execute_operator(f"{PLUGIN}/create_pruned_view", {"dataset": shapes, "params": given})
    kept = shapes.load_brain_view("pruned").match({"in_pruned": True})
    assert kept.values("id") == shapes.match_tags(["golden", "sharp"]).values("id")


def test_several_scores_can_be_chosen(shapes, require):
    require(not find_missing_packages(), "torch and torchvision (the extra `models`)")
    properties = form(shapes, "compute_model_scores", label_field="gt", scores=["loss", "aum"])
    assert takes_several(properties["scores"])
    assert errors(properties) == []


def test_the_form_asks_for_every_option_of_a_selection(shapes):
    answers = [{"policy": name} for name in POLICIES] + [{"budget": name} for name in BUDGETS]
    asked = {name for answer in answers for name in form(shapes, "create_pruned_view", **answer)}
    by_tags_instead = {"pinned", "excluded"}
    assert set(options_of(Criteria)) - asked == by_tags_instead
