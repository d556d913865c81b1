"""The panel's events, as the App sends them, and as it would never send them."""

import fiftyone.operators as foo
import pytest

import tfdp

URI = "@tfdp/instance-pruning/pruning_panel"


@pytest.fixture
def scored(shapes):
    tfdp.compute_shape_scores(shapes, "gt", progress=False)
    return shapes


def send(dataset, event, state=(), **params):
    """The operators that the panel tells the App to run in answer to an event, with parameters."""
    params |= {"panel_id": "panel", "__method__": event, "panel_state": dict(state)}
    done = foo.execute_operator(URI, {"dataset": dataset, "params": params})
    requests = done.executor.to_json()["requests"]
    return {request["operator_uri"]: request["params"] for request in requests}


STATE = {"scorer": "cb_scs", "percent": 50, "edges": [0.0, 1.0, 2.0], "curves": {}}
WRONG = {
    "no scorer": ("change_scorer", {}, "unknown scorer None"),
    "a number for a scorer": ("change_scorer", {"value": 3}, "unknown scorer 3"),
    "no rate": ("change_rate", {}, "percent must be a finite number, but got None"),
    "a rate as text": ("change_rate", {"value": "50"}, "percent must be a finite number"),
    "all of the images": ("change_rate", {"value": 100}, "percent must be 0 to 95"),
    "no bar": ("show_scores", {}, "idx must be a whole number"),
    "a bar that is not there": ("show_scores", {"idx": 2}, "idx must be one of the 2 bars"),
    "no class": ("show_class", {}, "y must be a text"),
    "a list for a class": ("show_class", {"y": ["cat"]}, "y must be a text"),
}


@pytest.mark.parametrize("event, params, message", WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_said(scored, event, params, message):
    with pytest.raises(Exception, match=message):
        send(scored, event, STATE, **params)


def test_a_hostile_state_is_begun_anew(scored):
    state = {"scorer": {"a": 1}, "percent": "x", "curves": 3, "edges": None}
    told = send(scored, "on_load", state)
    assert "images are kept" in told["patch_panel_state"]["state"]["summary"]


def test_a_new_rate_and_a_new_scorer_are_drawn(scored):
    told = send(scored, "change_rate", STATE, value=25)
    assert "**2** of 3 images are kept" in told["patch_panel_state"]["state"]["summary"]
    told = send(scored, "change_scorer", STATE, value="count")
    assert told["show_panel_output"]["output"]["type"]["properties"]["scorer"]["default"] == "count"


def test_a_click_shows_the_samples_of_a_bar_and_of_a_class(scored):
    (bar,) = send(scored, "show_scores", STATE, idx=1)["set_view"]["view"]
    assert {"$gte": ["$cb_scs", 1.0]} in bar["kwargs"][0][1]["$expr"]["$and"]
    (of_class,) = send(scored, "show_class", STATE, y="cat")["set_view"]["view"]
    assert {"$eq": ["$$this.label", "cat"]} in dict(of_class["kwargs"]).values()
