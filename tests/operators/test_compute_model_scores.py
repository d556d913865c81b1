"""The operator compute_model_scores as FiftyOne runs it: its form, at once, delegated."""

import asyncio
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import resolve_type

from tests.views.datasets import cut_annotations, import_coco
from tfdp.models.scoring_options import MODEL_SCORES, SNAPSHOT_SCORES
from tfdp.views.model_plan import find_log_folder, find_missing_packages

URI = "@tfdp/instance-pruning/compute_model_scores"
SMALL = {"model": "maskrcnn_resnet18_fpn", "weights": "none", "image_size": 64, "device": "cpu"}


@pytest.fixture(scope="module", autouse=True)
def needs_torch(require):
    require(not find_missing_packages(), "torch and torchvision (the extra `models`)")


def form(dataset, **params):
    """The form as the App gets it: property name -> its JSON."""
    request = {"dataset_name": dataset.name, "target": "inputs", "params": params}
    resolved = asyncio.run(resolve_type(foo.OperatorRegistry(), URI, request))
    return resolved.to_json()["type"]["properties"]


def errors(properties):
    return [p["error_message"] for p in properties.values() if p["invalid"]]


def notices(properties):
    """The texts of the form's notices and warnings, by the name of their view."""
    kinds = [p["view"] for p in properties.values() if p["view"]]
    return [
        (view["name"], view["label"]) for view in kinds if view["name"] in ("Notice", "Warning")
    ]


@pytest.fixture(scope="module")
def three(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    path = cut_annotations(drawn / "instances.json", folder / "three.json", 3)
    dataset = import_coco(path, drawn / "images")
    dataset.persistent = True
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def delegated(three):
    """(result, progress that the database was told) of a delegated training of two epochs."""
    params = {"label_field": "ground_truth", "epochs": 2, **SMALL}
    ctx = {"dataset": three, "params": params}
    foo.execute_operator(URI, ctx, request_delegation=True)
    service = DelegatedOperationService()
    (done,) = service.execute_queued_operations(limit=1, log=False)
    assert done.error is None, done.error
    three.reload()
    (operation,) = service.list_operations(operator=URI, dataset_name=three.name)
    return done.result, operation.status


def test_it_is_delegated_unless_one_asks_otherwise():
    config = foo.get_operator(URI).config
    assert config.allow_delegated_execution
    assert config.allow_immediate_execution
    assert config.default_choice_to_delegated


def test_a_delegated_run_scores_and_compares(three, delegated):
    result, _ = delegated
    assert result["instances"] == three.count("ground_truth.detections.aum") > 0
    assert result["scored_samples"] == 3
    assert result["skipped_text"] == "nothing"
    assert result["log_folder"] == str(find_log_folder(three, "model_scores"))
    assert set(result["seconds"]) == {"training", "scoring"}
    compared = [row["scorer"] for row in result["comparison"]["rows"]]
    assert set(compared) == {*MODEL_SCORES, "count", "inverse_frequency", "random"}


def test_the_database_is_told_where_the_training_is(delegated):
    assert delegated[1].progress == 1
    assert delegated[1].label == "writing the scores"


def test_a_checkpoint_is_scored_at_once(three, delegated):
    copy = three.clone()
    weights = str(Path(delegated[0]["log_folder"]) / "checkpoint.pt")
    params = {
        **SMALL,
        "label_field": "ground_truth",
        "epochs": 0,
        "weights": weights,
        "brain_key": "now",
    }
    result = foo.execute_operator(URI, {"dataset": copy, "params": params}).result
    copy.reload()
    assert result["brain_key"] == "now"
    assert [copy.count(f"now_{name}") for name in SNAPSHOT_SCORES] == [3, 3, 3]
    assert copy.get_field("now_aum") is None
    copy.delete()


def test_the_form_has_the_librarys_defaults(three):
    properties = form(three, brain_key="new")
    assert errors(properties) == []
    defaults = {
        name: properties[name]["default"]
        for name in (
            "label_field",
            "model",
            "weights",
            "epochs",
            "batch_size",
            "image_size",
            "brain_key",
        )
    }
    assert defaults == {
        "label_field": "ground_truth",
        "model": "maskrcnn_resnet50_fpn",
        "weights": "imagenet",
        "epochs": 12,
        "batch_size": 2,
        "image_size": 800,
        "brain_key": "model_scores",
    }
    assert str(find_log_folder(three, "new")) in properties["log_folder"]["view"]["description"]


def test_a_preset_fills_the_form(three):
    plain = form(three, brain_key="new")
    assert [c["value"] for c in plain["preset"]["view"]["choices"]] == ["1x", "cityscapes", "voc"]
    left = {name: plain[name]["default"] for name in ("epochs", "batch_size", "image_size")}
    properties = form(three, brain_key="new", preset="voc", **left)  # as the App keeps them
    assert errors(properties) == []
    shown = {name: properties[f"voc_{name}"]["default"] for name in left}
    assert shown == {"epochs": 12, "batch_size": 16, "image_size": 600}
    assert properties["voc_decay_epochs"]["default"] == (9.0,)
    assert {"window", "aggregation", "pixels", "region", "seed"} <= set(properties)
    changed = form(three, brain_key="new", preset="voc", voc_epochs=4, **left)
    assert "decay_epochs must be points inside a training of 4 epochs" in errors(changed)[0]


def test_a_preset_of_masks_is_none_of_classes(make_dataset):
    dataset = make_dataset([fo.Sample(filepath="/images/a.png", gt=fo.Classification(label="cat"))])
    assert "unknown preset '1x'; choose one of dyn_unc" in errors(form(dataset, preset="1x"))[0]


def test_a_long_training_on_the_cpu_is_a_warning_with_an_estimate(three):
    def told(**params):
        return [n for n in notices(form(three, **params)) if "On the CPU" in n[1]]

    ((kind, text),) = told(epochs=1000, brain_key="new", device="cpu")
    assert (kind, "rough estimate" in text, "hours" in text) == ("Warning", True, True)
    ((kind, text),) = told(**SMALL | {"epochs": 2, "brain_key": "other"})
    assert (kind, "minutes" in text) == ("Notice", True)


def test_the_form_of_a_key_that_has_a_log_goes_on_with_it(three, delegated):
    properties = form(three)
    assert errors(properties) == []
    assert {
        name: properties[name]["default"] for name in ("model", "weights", "epochs", "image_size")
    } == {
        "model": SMALL["model"],
        "weights": "none",
        "epochs": 2,
        "image_size": 64,
    }
    texts = [text for _, text in notices(properties)]
    assert any("it goes on after the last finished epoch" in text for text in texts)
    assert any("Run model_scores exists" in text for text in texts)


def test_the_scores_of_a_checkpoint_are_offered_for_no_epochs(three):
    choices = form(three, epochs=0, **SMALL)["scores"]["view"]["choices"]
    assert [choice["value"] for choice in choices] == list(SNAPSHOT_SCORES)


def test_a_classifier_is_offered_for_classes(make_dataset):
    dataset = make_dataset([fo.Sample(filepath="/images/a.png", gt=fo.Classification(label="cat"))])
    properties = form(dataset)
    assert errors(properties) == []
    models = [choice["value"] for choice in properties["model"]["view"]["choices"]]
    assert {"resnet18", "swin_t", "convnext_tiny"} <= set(models)
    assert "flips" in properties
    assert "region" not in properties


WRONG = {
    "no such model": ({"model": "yolo"}, "expected a model of"),
    "no such field": ({"label_field": "nothing"}, "no field 'nothing'"),
    "fewer epochs than the window": ({"window": 3}, "at least as many epochs"),
    "no such backbone": ({"model": "maskrcnn:resnet1O1"}, "names like it: resnet101"),
    "no epochs for dynamics": ({"epochs": 0, "scores": ["aum"]}, "need a training"),
    "another training's log": ({"epochs": 3}, "a training with epochs 2, not 3"),
    "a log inside the plugin": ({"log_folder": str(Path(__file__).parent)}, "inside the plugin"),
}


@pytest.mark.parametrize("given, message", WRONG.values(), ids=WRONG)
def test_trouble_is_shown_in_the_form(three, delegated, given, message):
    assert message in " ".join(errors(form(three, **{**SMALL, **given})))


def test_a_dataset_without_masks_and_classes_is_refused(make_dataset):
    dataset = make_dataset([fo.Sample(filepath="/images/a.png")])
    assert "holds instance masks" in errors(form(dataset))[0]


def test_the_form_opens_without_torch_and_names_it(three, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (error,) = errors(form(three))
    assert "pip install torch" in error
