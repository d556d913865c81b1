"""Runs as version 0.1.0 stores them: they lie in users' databases, and must load for ever.

Nothing here may be changed; what a later version stores is added.
"""

import json

import fiftyone.core.odm as foo
import pytest
from bson import ObjectId

from tfdp.views import runs
from tfdp.views.label_scores import recorded_aggregation
from tfdp.views.pruning_plan import PruningParameters

STORED_CLASSES = [
    "tfdp.views.runs.ModelScoring",
    "tfdp.views.runs.ModelScoringConfig",
    "tfdp.views.runs.ModelScoringResults",
    "tfdp.views.runs.Pruning",
    "tfdp.views.runs.PruningConfig",
    "tfdp.views.runs.PruningResults",
    "tfdp.views.runs.ShapeScoring",
    "tfdp.views.runs.ShapeScoringConfig",
    "tfdp.views.runs.ShapeScoringResults",
]

SHAPE_SCORES = {
    "cls": "tfdp.views.runs.ShapeScoringConfig",
    "type": "pruning",
    "method": "shape_scores",
    "fields": ["scs", "si_scs", "cb_scs", "gt.detections.scs", "gt.detections.si_scs"],
    "tfdp_version": "0.1.0",
    "label_field": "gt",
    "field_prefix": "",
    "rasterizer": "coco",
    "aggregation": "sum",
    "totals_from": None,
}
SHAPE_RECORD = {
    "counts": {"samples": 3, "scored_samples": 2, "instances": 3, "degenerate": 0, "skipped": 1},
    "skipped": {"no_mask": ["6b01ee21cbba4dd029e213aa"]},
    "degenerate": [],
    "seconds": {"scoring": 1.3038229470002989},
    "class_totals": [
        {"category": "cat", "si_scs": 2.4313191988366323, "num_instances": 2},
        {"category": "dog", "si_scs": 1.1283791670955126, "num_instances": 1},
    ],
}
PRUNED_VIEW = {
    "cls": "tfdp.views.runs.PruningConfig",
    "type": "pruning",
    "method": "pruned_view",
    "fields": ["in_pruned_50"],
    "tfdp_version": "0.1.0",
    "keep_field": "in_pruned_50",
    "saved_view": "pruned_50",
    "saved_stages": [
        '{"_cls": "fiftyone.core.stages.Match", "kwargs": [["filter", {"in_pruned_50": true}]]}'
    ],
    "saved_at": "2026-11-21T19:16:49.672",
    "parameters": {
        "pruning_rate": 0.5,
        "keep": None,
        "threshold": None,
        "policy": "top",
        "min_per_class": 0,
        "unannotated": "prune",
        "pinned": [],
        "excluded": [],
        "beta": 0.0,
        "seed": 0,
        "scorer": "cb_scs",
        "aggregation": "sum",
        "higher_first": None,
        "label_field": "gt",
        "pinned_tags": [],
        "excluded_tags": [],
    },
}
PRUNING_RECORD = {
    "scorer": "cb_scs",
    "criteria": {
        "pruning_rate": 0.5,
        "keep": None,
        "threshold": None,
        "policy": "top",
        "min_per_class": 0,
        "unannotated": "prune",
        "pinned": [],
        "excluded": [],
        "beta": 0.0,
        "seed": 0,
    },
    "images_by_reason": {"no_score": 1, "pruned": 1, "selected": 1},
    "before": {
        "images": 3,
        "instances": 3,
        "instances_per_class": {"cat": 2, "dog": 1},
        "instances_per_size": {},
    },
    "after": {
        "images": 1,
        "instances": 2,
        "instances_per_class": {"cat": 1, "dog": 1},
        "instances_per_size": {},
    },
}
CCS_VIEW = {
    **PRUNED_VIEW,
    "fields": ["in_ccs"],
    "keep_field": "in_ccs",
    "saved_view": "ccs",
    "parameters": {
        **PRUNED_VIEW["parameters"],
        "preset": "ccs",
        "scorer": "aum",
        "policy": "stratified",
        "beta": 0.1,
        "aggregation": "mean",
    },
}
CCS_RECORD = {
    **PRUNING_RECORD,
    "scorer": "aum",
    "aggregation": "mean",
    "table": None,
    "criteria": {
        **PRUNING_RECORD["criteria"],
        "preset": "ccs",
        "policy": "stratified",
        "beta": 0.1,
    },
}
MODEL_SCORES = {
    "cls": "tfdp.views.runs.ModelScoringConfig",
    "type": "pruning",
    "method": "model_scores",
    "fields": ["entropy", "loss", "gt.detections.entropy", "gt.detections.loss"],
    "tfdp_version": "0.1.0",
    "label_field": "gt",
    "field_prefix": "",
    "log_folder": "/data/tfdp/shapes/model_scores",
    "parameters": {
        "model": "maskrcnn_resnet18_fpn",
        "weights": "none",
        "epochs": 2,
        "batch_size": 2,
        "image_size": 64,
        "learning_rate": 0.02,
        "seed": 0,
        "device": "cpu",
        "workers": None,
        "scores": ["entropy", "loss"],
        "window": None,
        "region": "roi",
        "aggregation": "sum",
    },
}
MODEL_RECORD = {
    "counts": {"samples": 3, "scored_samples": 2, "instances": 3, "skipped": 0},
    "skipped": {},
    "seconds": {"training": 18.128720340002474, "scoring": 1.6880150279976078},
    "training": {
        "kind": "instance segmentation",
        "model": "maskrcnn_resnet18_fpn",
        "weights": "none",
        "epochs": 2,
        "batch_size": 2,
        "image_size": 64,
        "learning_rate": 0.02,
        "seed": 0,
        "classes": ["cat", "dog"],
        "data": "ba34e14f0a8f9164",
        "window": 2,
        "region": "roi",
        "aggregation": "sum",
    },
}
STORED_RUNS = {
    "shape_scores": (SHAPE_SCORES, SHAPE_RECORD),
    "pruned_50": (PRUNED_VIEW, PRUNING_RECORD),
    "ccs": (CCS_VIEW, CCS_RECORD),
    "model_scores": (MODEL_SCORES, MODEL_RECORD),
}


@pytest.fixture
def stored(shapes):
    """A dataset with these runs, as they come out of a database."""
    for key, (config, record) in STORED_RUNS.items():
        run = foo.RunDocument(
            id=ObjectId(), dataset_id=shapes._doc.id, key=key, version="1.22.1", config=config
        )
        results = {"cls": config["cls"].replace("Config", "Results"), "record": record}
        run.results.put(json.dumps(results).encode(), content_type="application/json")
        run.save(upsert=True)
        shapes._doc.brain_methods[key] = run
    shapes.save()
    shapes.reload()
    return shapes


def test_the_names_of_stored_classes_stay():
    found = [
        f"{cls.__module__}.{name}"
        for name, cls in vars(runs).items()
        if isinstance(cls, type) and cls.__module__ == runs.__name__
    ]
    assert sorted(found) == STORED_CLASSES


@pytest.mark.parametrize("key", STORED_RUNS)
def test_a_stored_run_loads_as_it_was(stored, key):
    config, record = STORED_RUNS[key]
    loaded = stored.get_brain_info(key).config
    assert loaded.serialize() == config
    results = stored.load_brain_results(key)
    assert type(results) is getattr(runs, config["cls"].rpartition(".")[2][:-6] + "Results")
    assert type(loaded.build()) is getattr(runs, config["cls"].rpartition(".")[2][:-6])
    assert results.record == record


def test_what_stored_results_tell(stored):
    shapes, pruned, _, models = map(stored.load_brain_results, STORED_RUNS)
    assert shapes.counts["instances"] == 3
    assert shapes.skipped == {"no_mask": ["6b01ee21cbba4dd029e213aa"]}
    assert shapes.class_totals.num_instances == {"cat": 2, "dog": 1}
    assert pruned.counts == {
        "images": 3,
        "kept_images": 1,
        "instances": 3,
        "kept_instances": 2,
    }
    assert models.seconds["training"] == 18.128720340002474
    assert models.log_folder == "/data/tfdp/shapes/model_scores"
    assert recorded_aggregation(stored, "entropy") == recorded_aggregation(stored, "scs") == "sum"


def test_a_stored_selection_can_be_made_again(stored):
    parameters = PruningParameters(**stored.get_brain_info("pruned_50").config.parameters)
    assert (parameters.pruning_rate, parameters.scorer) == (0.5, "cb_scs")
    ccs = PruningParameters.given(**stored.get_brain_info("ccs").config.parameters)
    assert (ccs.policy, ccs.beta, ccs.aggregation) == ("stratified", 0.1, "mean")


@pytest.mark.parametrize("key", STORED_RUNS)
def test_a_stored_run_is_deleted(stored, key):
    stored.delete_brain_run(key)
    assert key not in stored.list_brain_runs()
