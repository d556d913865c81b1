"""Brain runs: kept, found in a fresh process, shared, deleted."""

import os
import subprocess
import sys

import numpy as np
import pytest

import tfdp
from demo.sandbox import ROOT
from tfdp.views.run_deleting import delete_run
from tfdp.views.run_fields import list_leftover_fields, own_configs
from tfdp.views.runs import ShapeScoring

SQUARE = 2 / np.sqrt(np.pi)
SCORES = ("scs", "si_scs", "cb_scs", "cb_only")
ALL_FIELDS = [f"{root}{name}" for root in ("", "gt.detections.") for name in SCORES]


def score(view, **kwargs):
    return tfdp.compute_shape_scores(view, "gt", progress=False, **kwargs)


def test_a_run_keeps_what_it_was_asked_and_what_it_did(shapes):
    score(shapes, rasterizer="opencv")
    assert shapes.list_brain_runs() == ["shape_scores"]
    shapes._brain_cache.clear()
    config = shapes.get_brain_info("shape_scores").config
    assert (config.label_field, config.rasterizer) == ("gt", "opencv")
    assert config.tfdp_version == tfdp.__version__
    assert config.fields == ALL_FIELDS
    results = shapes.load_brain_results("shape_scores")
    assert results.counts["instances"] == 3
    assert results.class_totals.num_instances == {"cat": 2, "dog": 1}
    assert results.class_totals.si_scs["dog"] == pytest.approx(SQUARE)


def test_deleting_a_run_takes_its_fields(shapes):
    schema, indexes = [*shapes.get_field_schema(flat=True)], shapes.list_indexes()
    score(shapes)
    shapes.delete_brain_run("shape_scores")
    assert [*shapes.get_field_schema(flat=True)] == schema
    assert shapes.list_indexes() == indexes
    assert shapes.app_config.sidebar_groups is None
    assert "scs" not in shapes._sample_collection.find_one()


def in_a_fresh_process(code, **kwargs):
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=kwargs.pop("cwd", ROOT),
        env={**os.environ, **kwargs},
    )


def test_a_run_loads_in_a_fresh_process(shapes):
    score(shapes)
    shapes.persistent = True
    code = f"""
import fiftyone as fo
dataset = fo.load_dataset({shapes.name!r})
results = dataset.load_brain_results("shape_scores")
print(type(results).__name__, results.counts["instances"], results.config.label_field)
dataset.delete_brain_run("shape_scores")
"""
    done = in_a_fresh_process(code)
    assert done.stdout.split()[-3:] == ["ShapeScoringResults", "3", "gt"], done.stderr
    shapes.reload()
    assert not shapes.has_field("scs")


def test_a_run_is_deleted_with_its_fields_where_its_class_is_not_found(shapes):
    score(shapes)
    document = shapes._doc.brain_methods["shape_scores"]
    document.config = {**document.config, "cls": "gone.ShapeScoringConfig"}
    document.save()
    assert list(own_configs(shapes)) == ["shape_scores"]
    assert sorted(delete_run(shapes, "shape_scores")) == sorted(ALL_FIELDS)
    assert shapes.list_brain_runs() == []
    assert not shapes.has_field("scs")


def test_fields_that_fiftyone_alone_left_behind_are_found(shapes):
    score(shapes)
    ShapeScoring.delete_run(shapes, "shape_scores", cleanup=False)
    assert sorted(list_leftover_fields(shapes)) == sorted(ALL_FIELDS)


def test_another_key_on_other_samples_loses_nothing(shapes):
    score(shapes[:1], brain_key="first")
    before = shapes.first().to_dict()
    score(shapes[1:], brain_key="second")
    after = shapes.first().to_dict()
    assert after["cb_scs"] == before["cb_scs"]
    assert after["gt"] == before["gt"]
    assert shapes.values("cb_scs") == [2, 1, None]


def test_another_key_on_the_same_samples_gets_fields_of_its_own(shapes):
    score(shapes, brain_key="first")
    before = shapes.values("cb_scs")
    score(shapes[1:], brain_key="second")
    assert shapes.values("cb_scs") == before
    assert shapes.values("second_cb_scs") == [None, 1, None]
    with pytest.raises(ValueError, match=r"holds scores of run 'first'.*'third_'"):
        score(shapes[:2], brain_key="third", field_prefix="")


def test_another_prefix_loses_nothing(shapes):
    score(shapes, brain_key="first")
    before = shapes.values("cb_scs")
    score(shapes[1:], brain_key="second", field_prefix="mine_")
    assert shapes.values("cb_scs") == before
    assert shapes.values("mine_cb_scs")[1] == 1


def test_the_same_key_on_other_samples_loses_nothing(shapes):
    score(shapes[:1])
    before = shapes.values("cb_scs")[0]
    score(shapes[1:])
    assert shapes.values("cb_scs")[:2] == [before, 1]
    shapes.delete_brain_run("shape_scores")
    assert not shapes.has_field("cb_scs")


def test_a_key_stays_with_its_label_field(shapes):
    score(shapes)
    shapes.clone_sample_field("gt", "other")
    with pytest.raises(ValueError, match="label_field"):
        tfdp.compute_shape_scores(shapes, "other")


def test_a_shared_field_outlives_one_of_its_runs(shapes):
    score(shapes[:1], brain_key="first")
    score(shapes[1:], brain_key="second")
    shapes.delete_brain_run("first")
    assert shapes.values("cb_scs") == [None, 1, None]
    assert shapes.values("gt.detections.cb_scs") == [[None, None], [1], []]
    shapes.delete_brain_run("second")
    assert not shapes.has_field("cb_scs")


def test_new_samples_are_scored_from_saved_totals(shapes):
    score(shapes, brain_key="whole", field_prefix="whole_")
    score(shapes[:1], brain_key="old")
    results = score(shapes[1:], brain_key="new", class_totals="old")
    assert shapes.values("cb_scs")[1] == pytest.approx(shapes.values("whole_cb_scs")[1])
    whole = shapes.load_brain_results("whole").class_totals
    assert results.class_totals.si_scs == pytest.approx(whole.si_scs)
    assert results.class_totals.num_instances == whole.num_instances
    old = shapes.load_brain_results("old").class_totals
    score(shapes[1:], brain_key="again", field_prefix="again_", class_totals=old)
    assert shapes.values("again_cb_scs")[1] == shapes.values("cb_scs")[1]


@pytest.mark.parametrize(
    "key, message", [("old", "scored by run 'old' already"), ("none", "no run")]
)
def test_totals_that_cannot_be_added_to(shapes, key, message):
    score(shapes[:1], brain_key="old")
    with pytest.raises(ValueError, match=message):
        score(shapes, brain_key="new", class_totals=key)


def test_importing_fiftyone_alone_lists_the_runs(shapes, tmp_path):
    """Where tfdp is not installed: FiftyOne falls back to its own classes."""
    score(shapes)
    shapes.persistent = True
    code = f"""
import sys
sys.modules["tfdp"] = None
import fiftyone as fo
dataset = fo.load_dataset({shapes.name!r})
print(dataset.list_brain_runs(), dataset.get_brain_info("shape_scores").config.fields[0])
"""
    done = in_a_fresh_process(code, cwd=tmp_path)
    assert "['shape_scores'] scs" in done.stdout, done.stderr
