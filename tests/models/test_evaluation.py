"""AP by pycocotools: exact on the ground truth itself, and of a trained network."""

import contextlib
import io
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from pycocotools import mask as coco_mask  # noqa: E402
from pycocotools.coco import COCO  # noqa: E402
from pycocotools.cocoeval import COCOeval  # noqa: E402

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


def test_ids_of_any_order_are_the_files(toy, toy_log, tmp_path):
    """Image and category ids that are neither in order nor from 0 on."""
    document = json.loads(toy.read_bytes())
    category = {1: 70, 2: 4}
    document["categories"] = [
        {"id": category[c["id"]], "name": c["name"]} for c in document["categories"]
    ]
    for image in document["images"]:
        image["id"] = 500 - 7 * image["id"]
    for annotation in document["annotations"]:
        annotation["image_id"] = 500 - 7 * annotation["image_id"]
        annotation["category_id"] = category[annotation["category_id"]]
    path = tmp_path / "val.json"
    path.write_text(json.dumps(document))
    expected, found = (
        evaluation.evaluate_checkpoint(
            toy_log / "checkpoint.pt",
            annotations,
            toy.parent,
            per_class=True,
            device="cpu",
            progress=lambda *_: None,
        )
        for annotations in (toy, path)
    )
    assert expected["bbox"]["AP"] > 0
    for kind in evaluation.KINDS:
        classes = found[kind].pop("per_class"), expected[kind].pop("per_class")
        assert classes[0] == pytest.approx(classes[1])
        assert found[kind] == pytest.approx(expected[kind], nan_ok=True)


SIDE = 400  # px


def write_boxes(path, per_image):
    """Rectangles of two classes and all sizes in three images; returns the truth."""
    rng = np.random.default_rng(0)
    annotations = []
    for image in (30, 10, 20):
        for _ in range(per_image):
            w, h = np.exp(rng.uniform(np.log(8), np.log(200), 2)).astype(int).tolist()
            x, y = (int(rng.integers(0, SIDE - length)) for length in (w, h))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(rng.choice([7, 3])),
                    "bbox": [x, y, w, h],
                    "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]],
                    "area": w * h,
                    "iscrowd": 0,
                }
            )
    images = [
        {"id": i, "file_name": f"{i}.png", "height": SIDE, "width": SIDE} for i in (30, 10, 20)
    ]
    categories = [{"id": 7, "name": "b"}, {"id": 3, "name": "a"}]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def jittered(truth):
    """Results somewhat beside the truth, some of another class, more or less sure."""
    rng = np.random.default_rng(1)
    results = []
    for a in truth.dataset["annotations"]:
        x, y, w, h = np.maximum(a["bbox"] + rng.normal(0, 3, 4), 1).tolist()
        polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
        (rle,) = coco_mask.frPyObjects([polygon], SIDE, SIDE)
        results.append(
            {
                "image_id": a["image_id"],
                "category_id": a["category_id"] if rng.random() < 0.9 else 7,
                "bbox": [x, y, w, h],
                "segmentation": rle,
                "score": float(rng.random()),
            }
        )
    return results


def pycocotools_stats(truth, results, kind, categories=None):
    """The six numbers that COCOeval itself prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        other = {"segm": "bbox", "bbox": "segmentation"}[kind]
        found = truth.loadRes([{k: v for k, v in r.items() if k != other} for r in results])
        own = COCOeval(truth, found, kind)
        own.params.catIds = categories or own.params.catIds
        own.evaluate()
        own.accumulate()
        own.summarize()
    return own.stats[:6].tolist()


@pytest.mark.parametrize("kind", evaluation.KINDS)
def test_the_numbers_are_those_that_pycocotools_prints(tmp_path, kind):
    truth = write_boxes(tmp_path / "truth.json", per_image=20)
    results = jittered(truth)
    scores = evaluation.summarize(evaluation._evaluate(truth, results, kind), {7: "b", 3: "a"})
    per_class = scores.pop("per_class")
    assert [*scores.values()] == pytest.approx(pycocotools_stats(truth, results, kind))
    assert len({round(value, 6) for value in scores.values()}) == 6
    for category, name in [(7, "b"), (3, "a")]:
        assert per_class[name] == pytest.approx(
            pycocotools_stats(truth, results, kind, [category])[0]
        )


def test_crowded_images_are_cut_at_cocos_100_unless_asked(tmp_path):
    truth = write_boxes(tmp_path / "truth.json", per_image=250)  # of two classes
    results = ground_truth_as_results(truth)
    cut, whole = (
        evaluation.summarize(evaluation._evaluate(truth, results, "bbox", limit))["AP"]
        for limit in (100, 250)
    )
    assert cut == pytest.approx(pycocotools_stats(truth, results, "bbox")[0])
    assert cut < 0.9
    assert whole == pytest.approx(1)


@pytest.mark.parametrize(
    "asked, limit, crowded", [({}, 100, [3]), ({"max_detections": None}, 122, [])]
)
def test_it_is_said_which_images_are_crowded(toy, toy_log, tmp_path, asked, limit, crowded):
    document = json.loads(toy.read_bytes())
    some = next(a for a in document["annotations"] if a["image_id"] == 3)
    document["annotations"] += [{**some, "id": 1000 + j} for j in range(120)]
    document["annotations"].append({**some, "id": 2000, "iscrowd": 1})
    path = tmp_path / "val.json"
    path.write_text(json.dumps(document))
    scores = evaluation.evaluate_checkpoint(
        toy_log / "checkpoint.pt",
        path,
        toy.parent,
        device="cpu",
        progress=lambda *_: None,
        **asked,
    )
    assert (scores["max_detections"], scores["crowded"]) == (limit, crowded)
