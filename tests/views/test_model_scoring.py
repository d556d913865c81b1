"""Scoring a view by a trained model: real small trainings on drawn data."""

import sys
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

import tfdp
from tests.views.datasets import cut_annotations, detection, import_coco, rectangle
from tfdp.models.log_reading import read_seconds
from tfdp.models.packages import find_missing_packages
from tfdp.models.scoring_options import MODEL_SCORES
from tfdp.sources.formats import open_sources
from tfdp.sources.records import read_records
from tfdp.views.labels import find_label_field
from tfdp.views.model_plan import find_log_folder
from tfdp.views.records import read_view_records

ROOT = Path(__file__).parents[2]
SMALL = {
    "model": "maskrcnn_resnet18_fpn",
    "weights": "none",
    "epochs": 2,
    "image_size": 64,
    "device": "cpu",
}
MISSING_IMAGE = 3  # number of the sample


def train(dataset, **kwargs):
    return tfdp.compute_model_scores(dataset, "ground_truth", progress=False, **{**SMALL, **kwargs})


@pytest.fixture(scope="module", autouse=True)
def needs_torch(require):
    require(not find_missing_packages(), "the packages of the extra `models`")


@pytest.fixture(scope="module")
def four_images(drawn, tmp_path_factory):
    return cut_annotations(
        drawn / "instances.json", tmp_path_factory.mktemp("four") / "four.json", 4
    )


def make_troubled(four_images, drawn):
    """Four drawn images: one is missing, and a label has no class, one no mask, one is a crowd."""
    dataset = import_coco(four_images, drawn / "images")
    rows = list(dataset)
    rows[MISSING_IMAGE].filepath = "/nowhere/missing.jpg"
    labels = rows[0].ground_truth.detections
    labels += [
        detection(None, rectangle(9, 9)),
        detection("tile", None),
        detection("tile", rectangle(9, 9), iscrowd=1),
    ]
    for row in rows:
        row.save()
    return dataset


@pytest.fixture(scope="module")
def trained(four_images, drawn):
    """(dataset, results) after a training."""
    dataset = make_troubled(four_images, drawn)
    yield dataset, train(dataset)
    dataset.delete()


def test_records_are_those_of_the_coco_file(four_images, drawn):
    expected, _ = read_records(open_sources(four_images), drawn / "images")
    dataset = import_coco(four_images, drawn / "images")
    told = []
    field = find_label_field(dataset, "ground_truth")
    found = read_view_records(dataset, field, lambda fraction, message: told.append(fraction))
    dataset.delete()
    assert told == [1]
    assert len(found.without) == len(found.skipped) == 0
    for mine, theirs in zip(found.records, expected, strict=True):
        assert (mine.path.name, mine.height, mine.width) == (
            theirs.path.name,
            theirs.height,
            theirs.width,
        )
        assert mine.labels == theirs.labels
        assert mine.masks == theirs.masks
        assert mine.boxes == pytest.approx(theirs.boxes, abs=1e-3)


def test_the_size_of_an_image_without_metadata_is_read_from_its_file(four_images, drawn):
    dataset = import_coco(four_images, drawn / "images")
    dataset.set_field("metadata", None).save()
    field = find_label_field(dataset, "ground_truth")
    sizes = {(r.height, r.width) for r in read_view_records(dataset, field).records}
    dataset.delete()
    assert sizes == {(240, 320)}


def test_every_score_is_written_on_labels_and_samples(trained):
    dataset, _ = trained
    for name in MODEL_SCORES:
        of_labels, of_samples = dataset.values([f"ground_truth.detections.{name}", name])
        combine = np.mean if name == "aum" else np.sum
        expected = [combine([v for v in of if v is not None]) for of in of_labels[:MISSING_IMAGE]]
        assert of_samples[:MISSING_IMAGE] == pytest.approx(expected), name
        assert of_samples[MISSING_IMAGE] is None
        assert np.std(of_samples[:MISSING_IMAGE]) > 0, name


def test_what_cannot_be_scored_is_none_and_listed_by_reason(trained):
    dataset, results = trained
    bad = [label.id for label in dataset.first().ground_truth.detections[-3:]]
    assert {reason: ids for reason, ids in results.skipped.items() if reason != "missing_file"} == {
        "no_label": [bad[0]],
        "no_mask": [bad[1]],
        "crowd": [bad[2]],
    }
    assert results.skipped["missing_file"] == [dataset.values("id")[MISSING_IMAGE]]
    scored = [
        v
        for values in dataset.values("ground_truth.detections.aum")
        for v in values
        if v is not None
    ]
    assert results.counts == {
        "samples": 4,
        "scored_samples": 3,
        "instances": len(scored),
        "skipped": 4,
    }
    assert dataset.values("ground_truth.detections.aum")[0][-3:] == [None] * 3


def test_the_run_remembers_how(trained):
    dataset, results = trained
    config = dataset.get_brain_info("model_scores").config
    assert set(MODEL_SCORES) < set(config.fields)
    assert {name: config.parameters[name] for name in SMALL} == SMALL
    assert config.parameters["batch_size"] == 2  # a default
    assert Path(config.log_folder) == find_log_folder(dataset, "model_scores")
    assert not Path(config.log_folder).is_relative_to(ROOT)
    assert (
        read_seconds(Path(config.log_folder)) == dataset.load_brain_results("model_scores").seconds
    )
    assert min(results.seconds.values()) > 0


def test_the_same_call_again_does_not_train_again(trained):
    dataset, results = trained
    before = dataset.values("aum")
    assert train(dataset).seconds == results.seconds
    assert dataset.values("aum") == before


def test_a_killed_run_goes_on_to_the_same_scores(trained, four_images, drawn):
    dataset = make_troubled(four_images, drawn)

    def kill(_fraction, message):
        if message.startswith("epoch 2/2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tfdp.compute_model_scores(dataset, "ground_truth", progress=kill, **SMALL)
    assert dataset.list_brain_runs() == []
    folder = find_log_folder(dataset, "model_scores")
    trained_before = read_seconds(folder)["training"]
    messages = []
    tfdp.compute_model_scores(
        dataset, "ground_truth", progress=lambda _, message: messages.append(message), **SMALL
    )
    assert not any(message.startswith("epoch 1/2") for message in messages)
    assert read_seconds(folder)["training"] > trained_before
    assert dataset.values("dyn_unc") == pytest.approx(trained[0].values("dyn_unc"))
    dataset.delete()


def test_a_checkpoint_alone_gives_the_scores_of_one_model(trained):
    dataset, results = trained
    copy = dataset.clone()
    weights = str(Path(results.log_folder) / "checkpoint.pt")
    snapshot = train(copy, epochs=0, weights=weights, brain_key="snapshot")
    assert snapshot.config.fields[:3] == ["snapshot_entropy", "snapshot_loss", "snapshot_el2n"]
    assert copy.get_field("snapshot_aum") is None
    for name in ("entropy", "loss"):  # of the last epoch, which the checkpoint is of
        found, expected = copy.limit(MISSING_IMAGE).values([f"snapshot_{name}", name])
        assert found == pytest.approx(expected, rel=1e-4)
    copy.delete()


def test_a_mask_without_a_pixel_is_listed_where_masks_are_asked_for(four_images, drawn):
    dataset = import_coco(four_images, drawn / "images")
    first = dataset.first()
    line = detection("tile", np.eye(120, dtype=bool), box=(0, 0, 1, 1))
    first.ground_truth.detections.append(line)
    first.save()
    results = train(dataset, epochs=0, region="mask")
    assert results.skipped == {"no_pixel_of_mask": [line.id]}
    of_labels = {label.id: label["loss"] for label in dataset.first().ground_truth.detections}
    assert of_labels.pop(line.id) is None
    assert dataset.first()["loss"] == pytest.approx(sum(of_labels.values()))
    dataset.delete()


def test_deleting_the_run_deletes_its_fields_and_leaves_the_log(trained):
    copy = trained[0].clone()
    copy.delete_brain_run("model_scores")
    assert copy.get_field("aum") is None
    assert copy.get_field("ground_truth.detections.aum") is None
    assert (Path(trained[1].log_folder) / "run.json").exists()
    copy.delete()


def test_views_are_pruned_by_aum_lowest_first(trained):
    copy = trained[0].clone()
    aum = dict(zip(*copy.values(["id", "aum"]), strict=True))
    scored = sorted((value, i) for i, value in aum.items() if value is not None)
    assert tfdp.prune_view(copy, keep=1, scorer="aum", progress=False).values("id") == [
        scored[0][1]
    ]
    ccs = tfdp.prune_view(
        copy, keep=2, scorer="aum", policy="stratified", beta=0.34, brain_key="ccs", progress=False
    )
    assert set(ccs.values("id")) == {scored[1][1], scored[2][1]}  # the hardest third is left out
    copy.delete()


def test_scorers_are_compared_with_the_seconds_of_their_runs(trained):
    copy = trained[0].clone()
    shape = tfdp.compute_shape_scores(copy, "ground_truth", progress=False)
    comparison = tfdp.compare_scores(copy)
    rows = {row.scorer: row for row in comparison.rows}
    assert comparison.reference == "cb_scs"
    assert {"scs", "si_scs", *MODEL_SCORES, "count", "random", "instance_matched_random"} < set(
        rows
    )
    assert rows["cb_scs"].seconds == shape.record["seconds"]["scoring"] > 0
    assert rows["aum"].seconds == pytest.approx(sum(trained[1].seconds.values()))
    assert rows["count"].seconds < rows["aum"].seconds
    copy.delete()


WRONG = {
    "no such field": ({"label_field": "nothing"}, "no field 'nothing'"),
    "polylines": ({"label_field": "lines"}, "Polyline.to_detection"),
    "a classifier for masks": ({"model": "resnet18"}, "expected a model of maskrcnn_resnet50_fpn"),
    "dynamics without epochs": ({"epochs": 0, "scores": ["aum"]}, "need a training"),
    "fewer epochs than the window": ({"window": 3}, "at least as many epochs"),
    "an image size of 0": ({"image_size": 0}, "image_size must be a whole number of 32 to 8192"),
    "a batch of none": ({"batch_size": 0}, "batch_size must be a whole number of 1 or more"),
    "a rate of NaN": ({"learning_rate": float("nan")}, "learning_rate must be a finite number"),
    "a negative number of processes": ({"workers": -1}, "workers must be a whole number of 0"),
    "no such region": ({"region": "box"}, "unknown region 'box'; choose one of roi, mask"),
    "no such device": ({"device": "abacus"}, "cuda, mps or cpu"),
    "a log inside the plugin": ({"log_folder": ROOT / "logs"}, "inside the plugin"),
    "no such checkpoint": ({"weights": "/nowhere/best.pt"}, "found no file '/nowhere/best.pt'"),
    "a key that is no name": ({"brain_key": "my run"}, "letters, digits and underscores"),
}


@pytest.mark.parametrize("given, message", WRONG.values(), ids=WRONG)
def test_refused(shapes, given, message):
    shapes.add_sample_field("lines", fo.EmbeddedDocumentField, embedded_doc_type=fo.Polylines)
    row = shapes.first()
    row["lines"] = fo.Polylines(
        polylines=[fo.Polyline(points=[[(0, 0), (1, 0), (1, 1)]], closed=True, filled=True)]
    )
    row.save()
    with pytest.raises(ValueError, match=message):
        tfdp.compute_model_scores(
            shapes, **{"label_field": "gt", "progress": False, **SMALL, **given}
        )
    assert shapes.list_brain_runs() == []
    assert shapes.get_field("aum") is None


def test_a_log_of_another_training_is_left_alone(trained):
    with pytest.raises(ValueError, match="with epochs 2, not 3"):
        train(trained[0], epochs=3)


def test_no_usable_image_is_an_error_with_reasons(shapes):
    with pytest.raises(ValueError, match="2 missing_file"):
        tfdp.compute_model_scores(shapes.limit(2), "gt", progress=False, **SMALL)


@pytest.mark.parametrize("package", ["torch", "torchvision"])
def test_a_missing_package_is_named(shapes, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=f"pip install {package} where"):
        tfdp.compute_model_scores(shapes, "gt", progress=False)


@pytest.fixture
def animals(make_dataset, drawn):
    """Six images of two classes, and one without a class."""
    images = sorted((drawn / "images").glob("*.jpg"))[:7]
    labels = ["cat", "dog"] * 3 + [None]
    return make_dataset(
        [
            fo.Sample(filepath=str(path), gt=label and fo.Classification(label=label))
            for path, label in zip(images, labels, strict=True)
        ]
    )


def test_classifications_are_scored(animals):
    results = tfdp.compute_model_scores(
        animals,
        "gt",
        model="resnet18",
        weights="none",
        epochs=2,
        batch_size=3,
        image_size=32,
        device="cpu",
        flips=False,
        progress=False,
    )
    assert results.skipped == {"no_class": [animals.last().id]}
    assert results.counts == {"samples": 7, "scored_samples": 6, "instances": 6, "skipped": 1}
    for name in MODEL_SCORES:
        assert animals.values(name) == animals.values(f"gt.{name}")
    assert animals.last().gt is None
    assert animals.count("dyn_unc") == 6
    assert results.config.parameters["flips"] is False
    comparison = tfdp.compare_scores(animals, scorers=["dyn_unc", "aum", "count"])
    assert comparison.reference == "dyn_unc"
    assert [kept.classes for kept in comparison.rows[2].kept] == [2, 2, 2, 2]
    kept = tfdp.prune_view(animals, keep=2, scorer="dyn_unc", min_per_class=1, progress=False)
    assert set(kept.values("gt.label")) == {"cat", "dog"}
    assert animals.load_brain_results("pruned").counts["instances"] == 6
    animals.delete_brain_run("model_scores")
    assert animals.get_field("gt.aum") is None
    assert animals.first().gt.label == "cat"
