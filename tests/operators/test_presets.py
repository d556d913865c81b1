"""Presets in the form of a pruned view: they fill fields, which can be changed.

The App keeps what it showed first under a name, so that these fields have names of their own.
"""

import fiftyone as fo
import fiftyone.operators as foo
import pytest

import tfdp
from tests.operators.test_option_fields import PLUGIN, errors, form
from tests.views.datasets import detection, rectangle, sample

LEFT_BY_THE_APP = {"scorer": "up", "policy": "top", "budget": "keep", "keep": 8}


@pytest.fixture
def ten(make_dataset):
    """Sample k holds a cat; ``up`` and the score in ``run2_aum`` are k."""
    cat = detection("cat", rectangle(4, 4))
    dataset = make_dataset([sample(str(k), [cat.copy()], up=float(k)) for k in range(10)])
    dataset.add_sample_field("run2_aum", fo.FloatField, info={"tfdp": {"score": "aum"}})
    dataset.set_values("run2_aum", [float(k) for k in range(10)])
    return dataset


def asked_of(dataset, **params):
    params = {"brain_key": "pruned", **params}
    foo.execute_operator(f"{PLUGIN}/create_pruned_view", {"dataset": dataset, "params": params})
    parameters = dataset.get_brain_info("pruned").config.parameters
    return {name: parameters[name] for name in ("preset", "scorer", "policy", "beta")}


CCS = {"preset": "ccs", "scorer": "run2_aum", "policy": "stratified", "beta": 0.1}


def test_choosing_one_fills_the_fields(ten):
    properties = form(ten, "create_pruned_view", preset="ccs", **LEFT_BY_THE_APP)
    assert errors(properties) == []
    assert properties["ccs_scorer"]["default"] == "run2_aum"
    assert properties["ccs_policy"]["default"] == "stratified"
    assert properties["ccs_beta"]["default"] == 0.1
    assert not {"scorer", "policy", "beta"} & set(properties)


def test_what_is_changed_then_goes_before(ten):
    changed = {"ccs_scorer": "up", "ccs_policy": "stratified", "ccs_beta": 0.2}
    params = {"preset": "ccs", **LEFT_BY_THE_APP, **changed}
    properties = form(ten, "create_pruned_view", **params)
    assert properties["ccs_scorer"]["default"] == "up"
    assert asked_of(ten, **params) == {**CCS, "scorer": "up", "beta": 0.2}
    assert ten.load_saved_view("pruned").values("up") == [float(k) for k in range(8)]


def test_a_policy_without_its_parameters_can_be_chosen_instead(ten):
    params = {"preset": "ccs", **LEFT_BY_THE_APP, "ccs_policy": "top", "ccs_beta": 0.1}
    assert "ccs_beta" not in form(ten, "create_pruned_view", **params)
    assert asked_of(ten, **params) == {**CCS, "policy": "top", "beta": 0.0}


def test_it_runs_as_it_was_filled(ten):
    filled = {"ccs_scorer": "run2_aum", "ccs_policy": "stratified", "ccs_beta": 0.1}
    assert asked_of(ten, preset="ccs", **LEFT_BY_THE_APP, **filled) == CCS
    assert not ten.load_saved_view("pruned").match({"up": 0.0})


def test_from_python_plain_names_do(ten):
    assert asked_of(ten, preset="ccs", keep=5) == CCS
    chosen = asked_of(ten, preset="ccs", keep=5, scorer="up", overwrite=True)
    assert chosen == {**CCS, "scorer": "up"}


def test_an_unknown_one_is_refused(ten):
    (message,) = set(errors(form(ten, "create_pruned_view", preset="ccr")))
    assert "unknown preset 'ccr'; choose one of ccs" in message


def test_without_aums_it_says_what_is_missing(ten):
    ten.delete_sample_field("run2_aum")
    found = " ".join(errors(form(ten, "create_pruned_view", preset="ccs")))
    assert "'aum'" in found


def test_the_form_offers_another_aggregation_of_a_field_of_ours(shapes):
    tfdp.compute_shape_scores(shapes, "gt", progress=False)
    field = form(shapes, "create_pruned_view", scorer="scs")["aggregation"]
    assert [choice["value"] for choice in field["view"]["choices"]] == ["sum", "mean", "max"]
    assert field["view"]["description"] == "This field was filled by the sum"
    ccs = form(shapes, "create_pruned_view", preset="ccs", ccs_scorer="scs")
    assert ccs["ccs_aggregation"]["default"] == "mean"
    assert "aggregation" not in form(shapes, "create_pruned_view", scorer="count")
    foo.execute_operator(
        f"{PLUGIN}/create_pruned_view",
        {"dataset": shapes, "params": {"scorer": "scs", "aggregation": "max", "keep": 1}},
    )
    assert shapes.load_brain_results("pruned").record["aggregation"] == "max"
