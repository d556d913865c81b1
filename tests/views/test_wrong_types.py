"""Slips in calls of the library on FiftyOne datasets: said by name, and nothing is written."""

import pytest

import tfdp

SLIPS = {
    "field": (tfdp.compute_shape_scores, {"label_field": 3}, "label_field must be a text"),
    "no field": (tfdp.compute_shape_scores, {"label_field": None}, "label_field must be a text"),
    "key": (tfdp.compute_shape_scores, {"brain_key": 3}, "brain_key must be a text"),
    "long key": (tfdp.compute_shape_scores, {"brain_key": "q" * 101}, "at most 100 letters"),
    "prefix": (tfdp.compute_shape_scores, {"field_prefix": 3}, "field_prefix must be a text"),
    "long prefix": (tfdp.compute_shape_scores, {"field_prefix": "q" * 101}, "at most 100 char"),
    "scorer": (tfdp.prune_view, {"scorer": 3}, "scorer must be a text, but got 3"),
    "path": (tfdp.prune_view, {"scorer": "gt.detections.label"}, "scorer 'gt.detections.label' mu"),
    "rate": (tfdp.prune_view, {"pruning_rate": "0.5"}, "pruning_rate must be a finite number"),
    "whole": (tfdp.prune_view, {"pruning_rate": None, "keep": 1.5}, "keep must be a whole number"),
    "seed": (tfdp.prune_view, {"seed": -1}, "seed must be a whole number of 0 or more"),
    "prune key": (tfdp.prune_view, {"brain_key": 3}, "brain_key must be a text"),
    "long prune key": (tfdp.prune_view, {"brain_key": "q" * 101}, "at most 100 letters"),
    "tags": (tfdp.prune_view, {"pinned_tags": "golden"}, "pinned_tags must be a list of texts"),
    "direction": (tfdp.prune_view, {"higher_first": 3}, "higher_first must be True or False"),
    "totals": (tfdp.compute_shape_scores, {"class_totals": 3}, "class_totals must be"),
    "scorers": (tfdp.compare_scores, {"scorers": 3}, "scorers must be a list of texts"),
    "one scorer": (tfdp.compare_scores, {"scorers": "count"}, "scorers must be a list of texts"),
    "rates": (tfdp.compare_scores, {"rates": 0.5}, "rates must be a list of numbers"),
    "text seed": (tfdp.compare_scores, {"seed": "x"}, "seed must be a whole number"),
    "reference": (tfdp.compare_scores, {"reference": 3}, "scorer must be a text, but got 3"),
}
USUAL = {
    tfdp.compute_shape_scores: {"label_field": "gt"},
    tfdp.prune_view: {"pruning_rate": 0.5, "scorer": "count"},
    tfdp.compare_scores: {},
}


@pytest.mark.parametrize(
    "call", [tfdp.compute_shape_scores, tfdp.prune_view, tfdp.compare_scores, tfdp.export_coco]
)
@pytest.mark.parametrize("samples", ["gt", None, 5])
def test_no_dataset(call, samples):
    arguments = {tfdp.compute_shape_scores: ["gt"], tfdp.prune_view: [0.5]}.get(call, ["out.json"])
    with pytest.raises(ValueError, match="expected a FiftyOne dataset or view, but got"):
        call(samples, *arguments)


@pytest.mark.parametrize("call, given, message", SLIPS.values(), ids=SLIPS)
def test_a_slip_is_said(shapes, call, given, message):
    fields = list(shapes.get_field_schema(flat=True))
    with pytest.raises(ValueError, match=message):
        call(shapes, **USUAL[call] | given)
    shapes.reload()
    assert list(shapes.get_field_schema(flat=True)) == fields
    assert shapes.list_brain_runs() == shapes.list_saved_views() == []
