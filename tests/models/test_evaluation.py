"""AP by pycocotools: exact on the ground truth itself, and of a trained network."""

import contextlib
import io
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from pycocotools.coco import COCO  # noqa: E402

from tfdp.models import evaluation  # noqa: E402


@pytest.fixture(scope="module")
def truth(toy):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(toy))


def ground_truth_as_results(truth):
    return [
        {key: a[key] for key in ("image_id", "category_id", "bbox", "segmentation")}
        | {"score": 1.0}
        for a in truth.dataset["annotations"]
    ]


@pytest.mark.parametrize("kind", evaluation.KINDS)
def test_the_ground_truth_itself_has_ap_1(truth, kind):
    scores = evaluation.summarize(
        evaluation._evaluate(truth, ground_truth_as_results(truth), kind),
        {1: "ellipse", 2: "triangle"},
    )
    assert scores.pop("per_class") == pytest.approx({"ellipse": 1, "triangle": 1})
    assert scores.pop("AP") == scores.pop("AP50") == scores.pop("AP75") == pytest.approx(1)
    assert np.isnan(scores["APL"])  # there is no large object


def test_half_of_one_class_gives_its_recall(truth):
    results = [
        r for r in ground_truth_as_results(truth) if r["category_id"] == 1 or r["image_id"] < 5
    ]
    scores = evaluation.summarize(
        evaluation._evaluate(truth, results, "segm"), {1: "ellipse", 2: "triangle"}
    )
    assert scores["per_class"]["triangle"] == pytest.approx(51 / 101)  # recalls 0, .01 ... .5
    assert scores["AP"] == pytest.approx((1 + 51 / 101) / 2)


def test_no_detection_gives_0(truth):
    assert evaluation.summarize(evaluation._evaluate(truth, [], "segm"))["AP"] == 0


def test_a_trained_checkpoint(toy, toy_log, tmp_path):
    document = json.loads(toy.read_bytes())
    document["images"].append({"id": 99, "file_name": "nowhere.png", "height": 64, "width": 64})
    path = tmp_path / "val.json"
    path.write_text(json.dumps(document))
    scores = evaluation.evaluate_checkpoint(
        toy_log / "checkpoint.pt",
        path,
        toy.parent,
        per_class=True,
        device="cpu",
        progress=lambda *_: None,
    )
    assert scores["unreadable"] == [99]
    for kind in evaluation.KINDS:
        assert 0 <= scores[kind]["AP"] <= scores[kind]["AP50"] <= 1
        assert set(scores[kind]["per_class"]) == {"ellipse", "triangle"}


def test_results_are_at_the_images_own_size():
    from tfdp.sources.records import ImageRecord

    record = ImageRecord(5, None, 100, 200, [], [], np.zeros((0, 4)), [])
    output = {
        "boxes": torch.tensor([[10.0, 10, 30, 40]] * 2),
        "labels": torch.tensor([1, 2]),
        "scores": torch.tensor([0.9, 0.8]),
        "masks": torch.ones(2, 1, 28, 28),
    }
    (result,) = evaluation._results(output, torch.zeros(3, 50, 100), record, [7, None])
    assert (result["image_id"], result["category_id"], result["bbox"]) == (5, 7, [20, 20, 40, 60])
    area = int(evaluation.coco_mask.area(result["segmentation"]))
    assert area == pytest.approx(41 * 61, rel=0.05)  # torchvision pastes inclusive corners
