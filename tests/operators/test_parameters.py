"""What operators answer to values that no form would send: what was expected, and what was found."""

import asyncio
import os

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import resolve_type

import tfdp
from tests.views.datasets import detection, rectangle, sample
from tfdp.views.model_plan import find_missing_packages

PLUGIN = "@tfdp/instance-pruning"
PARAMETERS = {
    "compute_shape_scores": (
        "label_field",
        "brain_key",
        "field_prefix",
        "rasterizer",
        "aggregation",
        "totals_from",
        "show_sorted",
    ),
    "create_pruned_view": (
        "preset",
        "scorer",
        "aggregation",
        "higher_first",
        "direction",
        "label_field",
        "budget",
        "pruning_rate",
        "keep",
        "threshold",
        "policy",
        "beta",
        "seed",
        "min_per_class",
        "unannotated",
        "pinned_tags",
        "excluded_tags",
        "brain_key",
        "overwrite",
    ),
    "compare_scores": (
        "label_field",
        "scorers",
        "reference",
        "aggregation",
        "seed",
        "output_path",
        "overwrite",
    ),
    "export_pruned_view": (
        "annotations",
        "label_field",
        "path",
        "images",
        "image_dir",
        "overwrite",
    ),
    "manage_pruning_runs": ("action", "brain_key", "new_brain_key"),
    "compute_model_scores": (
        "label_field",
        "brain_key",
        "log_folder",
        "model",
        "weights",
        "epochs",
        "batch_size",
        "image_size",
        "learning_rate",
        "flips",
        "scores",
        "window",
        "region",
        "aggregation",
        "seed",
        "device",
        "workers",
    ),
}
OF_NO_TYPE = {"dict": {"a": 1}, "nested": [[3]], "nothing in a list": [None], "empty dict": {}}
LONG = "q" * 10_000

WRONG = {
    "a number for a field": ("compute_shape_scores", {"label_field": 3}, "label_field must be a"),
    "a long prefix": ("compute_shape_scores", {"field_prefix": "q" * 101}, "at most 100"),
    "a longer prefix": ("compute_shape_scores", {"field_prefix": LONG}, "field_prefix must be at"),
    "a long key": ("compute_shape_scores", {"brain_key": LONG}, "brain_key must be at most"),
    "a key with a dot": ("compute_shape_scores", {"brain_key": "a.b"}, "letters, digits and"),
    "a key with a dollar": ("compute_shape_scores", {"brain_key": "$a"}, "letters, digits and"),
    "a key with NUL": ("compute_shape_scores", {"brain_key": "a\0"}, "letters, digits and"),
    "half a character": ("compute_shape_scores", {"brain_key": "\ud800"}, "letters, digits and"),
    "no such totals": ("compute_shape_scores", {"totals_from": "x"}, "unknown totals_from 'x'"),
    "no such rasterizer": ("compute_shape_scores", {"rasterizer": "x"}, "choose one of coco"),
    "a rate as text": ("create_pruned_view", {"pruning_rate": "0.5"}, "pruning_rate must be a"),
    "a rate of nan": ("create_pruned_view", {"pruning_rate": float("nan")}, "but got nan"),
    "a flag for a rate": ("create_pruned_view", {"pruning_rate": True}, "but got True"),
    "half a sample": ("create_pruned_view", {"keep": 1.5}, "keep must be a whole number"),
    "tags as text": ("create_pruned_view", {"pinned_tags": "golden"}, "a list of texts"),
    "a path for a scorer": (
        "create_pruned_view",
        {"scorer": "gt.detections.scs"},
        "unknown scorer",
    ),
    "no such scorer": ("create_pruned_view", {"scorer": "beauty"}, "unknown scorer 'beauty'"),
    "a list field": ("create_pruned_view", {"scorer": "tags"}, "unknown scorer 'tags'"),
    "a seed below 0": ("create_pruned_view", {"seed": -1}, "seed must be a whole number of 0"),
    "a seed beyond all": ("create_pruned_view", {"seed": 10**30}, "(below 2**63)"),
    "yes": ("create_pruned_view", {"overwrite": "yes"}, "overwrite must be True or False"),
    "no such reference": ("compare_scores", {"reference": "x"}, "unknown reference 'x'"),
    "a text for scorers": ("compare_scores", {"scorers": "scs"}, "scorers must be a list"),
    "nobody's folder": ("compare_scores", {"output_path": "~nobody!/x.csv"}, "must be the path"),
    "a path with NUL": ("export_pruned_view", {"path": "/tmp/a\0b"}, "path must be the path"),
    "a long path": ("export_pruned_view", {"path": f"/tmp/{'q' * 300}"}, "name too long"),
    "no such action": ("manage_pruning_runs", {"action": "explode"}, "unknown action 'explode'"),
    "no new name": (
        "manage_pruning_runs",
        {"action": "rename", "brain_key": "pruned"},
        "new_brain_key",
    ),
    "an invalid new name": (
        "manage_pruning_runs",
        {"action": "rename", "brain_key": "pruned", "new_brain_key": "a b"},
        "new_brain_key must be at most 100 letters",
    ),
    "a taken new name": (
        "manage_pruning_runs",
        {"action": "rename", "brain_key": "pruned", "new_brain_key": "shape_scores"},
        "there is a run 'shape_scores' already",
    ),
}


def uri(name):
    return f"{PLUGIN}/{name}"


def resolve(dataset, name, target="inputs", **params):
    request = {"dataset_name": dataset.name, "target": target, "params": params, "results": None}
    return asyncio.run(resolve_type(foo.OperatorRegistry(), uri(name), request))


def errors(dataset, name, **params):
    properties = resolve(dataset, name, **params).to_json()["type"]["properties"]
    return [p["error_message"] for p in properties.values() if p["invalid"]]


def run(dataset, name, **params):
    return foo.execute_operator(uri(name), {"dataset": dataset, "params": params}).result


def state(dataset):
    dataset.reload()
    runs, views = dataset.list_brain_runs(), dataset.list_saved_views()
    return list(dataset.get_field_schema(flat=True)), runs, views


@pytest.fixture(scope="module")
def dataset():
    dataset = fo.Dataset()
    labels = [detection("cat", rectangle(3, 7)), detection("dog", rectangle(5, 5))]
    samples = [sample("a", labels), sample("b", labels[:1], tags=["golden"]), sample("c", [])]
    dataset.add_samples(samples, progress=False)
    tfdp.compute_shape_scores(dataset, "gt", progress=False)
    tfdp.prune_view(dataset, 0.5, progress=False)
    yield dataset
    dataset.delete()


@pytest.fixture(params=PARAMETERS)
def operator(request, require):
    if request.param == "compute_model_scores":
        require(not find_missing_packages(), "torch and torchvision (the extra `models`)")
    return request.param


@pytest.mark.parametrize("value", OF_NO_TYPE.values(), ids=OF_NO_TYPE)
def test_every_parameter_is_refused_by_its_name(dataset, operator, value):
    before = state(dataset)
    params = dict.fromkeys(PARAMETERS[operator], value)
    found = errors(dataset, operator, **params)
    for name in PARAMETERS[operator]:
        assert any(f"{name} must be" in e or f"unknown {name}" in e for e in found), name
    with pytest.raises(Exception, match=r"must be .* but got|choose one of"):
        run(dataset, operator, **params)
    assert state(dataset) == before


@pytest.mark.parametrize("name, params, message", WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_said_in_the_form_and_to_the_caller(dataset, name, params, message):
    before = state(dataset)
    params = {"brain_key": "new", "path": "/tmp/new.json"} | params
    with pytest.raises(Exception) as raised:
        run(dataset, name, **params)
    assert message in str(raised.value)
    assert len(str(raised.value)) < 1000
    if params.get("new_brain_key") or params.get("action") != "rename":  # the form waits for it
        assert message in " ".join(errors(dataset, name, **params))
    assert state(dataset) == before


def test_the_output_of_a_run_that_failed_is_resolved(dataset, operator):
    assert resolve(dataset, operator, target="outputs").to_json()["type"]["properties"]


SECRET = "root:x:0:0:hunter2"


@pytest.mark.parametrize(
    "content", [SECRET, f'{{"images": [{SECRET}', f'"{SECRET}"', f"[{SECRET}]"]
)
def test_a_form_shows_nothing_of_a_file_that_is_no_coco_file(dataset, tmp_path, content):
    (tmp_path / "passwd").write_text(content)
    found = " ".join(errors(dataset, "export_pruned_view", annotations=str(tmp_path / "passwd")))
    assert str(tmp_path / "passwd") in found
    assert "hunter2" not in found
    assert "root" not in found.replace(str(tmp_path), "")


@pytest.mark.parametrize(
    "operator, name",
    [
        ("export_pruned_view", "annotations"),
        ("export_pruned_view", "path"),
        ("export_pruned_view", "image_dir"),
        ("compare_scores", "output_path"),
        ("compute_model_scores", "weights"),
        ("compute_model_scores", "log_folder"),
    ],
)
@pytest.mark.parametrize("kind", ["device", "FIFO"])
def test_what_is_no_file_or_folder_is_refused_at_once(dataset, tmp_path, operator, name, kind):
    place = tmp_path / "endless.json"
    if kind == "FIFO":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero")
    params = {"brain_key": "new", name: str(place)}
    assert str(place) in " ".join(errors(dataset, operator, **params))
    with pytest.raises(Exception, match=r"endless\.json"):
        run(dataset, operator, overwrite=True, **params)
