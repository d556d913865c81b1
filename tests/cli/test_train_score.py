"""`tfdp train-score` on files, as on a server; and what it loads."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.running import run, the_line
from tests.models.conftest import write_toy_dataset
from tests.sources.label_folders import CAT, save_image, write_labels
from tfdp.geometry.masks import mask_runs_from_bitmaps
from tfdp.geometry.run_lengths import mask_runs_to_rle

ROOT = Path(__file__).parents[2]


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_scores_go_into_two_tables(toy, tmp_path, capsys):
    pytest.importorskip("torch", reason="needs the extra `models`")
    status = run("train-score", toy, "--images", toy.parent, "--model", "maskrcnn_resnet18_fpn", "--weights", "none", "--epochs", 0,
        "--image-size", 64, "--device", "cpu", "--log", tmp_path / "log", "-o", tmp_path / "images.csv", "--instances", tmp_path / "instances.csv",
        "--skipped", tmp_path / "skipped.csv")  # fmt: skip
    assert status == 0
    images, instances = read(tmp_path / "images.csv"), read(tmp_path / "instances.csv")
    assert list(images[0]) == ["image_id", "entropy", "loss", "el2n"]
    assert list(instances[0]) == [
        "annotation_id",
        "image_id",
        "category",
        "entropy",
        "loss",
        "el2n",
    ]
    assert [row["image_id"] for row in images] == [str(j) for j in range(10)]
    of_first = [float(row["loss"]) for row in instances if row["image_id"] == "0"]
    assert float(images[0]["loss"]) == pytest.approx(sum(of_first))
    assert read(tmp_path / "skipped.csv") == []
    assert "skipped: nothing" in capsys.readouterr().err


def test_a_mask_between_the_pixels_is_reported_where_masks_are_asked_for(tmp_path, capsys):
    """A diagonal line: no pixel of 28 x 28 in its box is half covered."""
    pytest.importorskip("torch", reason="needs the extra `models`")
    toy = write_toy_dataset(tmp_path, images=2, side=128)
    document = json.loads(toy.read_text())
    line = mask_runs_to_rle(mask_runs_from_bitmaps([np.eye(128, dtype=bool)]))[0].decode()
    document["annotations"][0] |= {
        "segmentation": {"size": [128, 128], "counts": line},
        "bbox": [0, 0, 128, 128],
        "area": 128,
    }
    toy.write_text(json.dumps(document))

    def score(region):
        status = run("train-score", toy, "--images", tmp_path, "--model", "maskrcnn_resnet18_fpn", "--weights", "none", "--epochs", 0,
            "--image-size", 64, "--device", "cpu", "--log", tmp_path / "log", "-o", tmp_path / "images.csv", "--instances", tmp_path / "instances.csv",
            "--skipped", tmp_path / "skipped.csv", "--region", region, "--overwrite")  # fmt: skip
        assert status == 0
        said, skipped = capsys.readouterr().err, read(tmp_path / "skipped.csv")
        return said, skipped, read(tmp_path / "images.csv"), read(tmp_path / "instances.csv")

    said, skipped, images, instances = score("mask")
    (item,) = skipped
    assert (item["kind"], item["id"], item["reason"]) == ("annotation", "100", "no_pixel_of_mask")
    assert "the region roi scores it" in item["detail"]
    assert "skipped: 1 no_pixel_of_mask" in said
    assert "1 annotation: no_pixel_of_mask (id 100)" in said
    assert instances[0]["loss"] == ""
    assert float(images[0]["loss"]) == pytest.approx(float(instances[1]["loss"]))
    _, skipped, _, instances = score("roi")
    assert skipped == []
    assert float(instances[0]["loss"]) > 0


def test_a_folder_of_yolo_is_learned_and_scored(tmp_path):
    pytest.importorskip("torch", reason="needs the extra `models`")
    for name in "ab":
        save_image(tmp_path / "images" / f"{name}.png", (64, 64))
        write_labels(tmp_path / "labels" / f"{name}.txt", CAT, "0 .5 .5 .1 .1")
    (tmp_path / "data.yaml").write_text("names: [cat]")
    status = run("train-score", tmp_path, "--images", tmp_path, "--model", "maskrcnn_resnet18_fpn", "--weights", "none", "--epochs", 0,
        "--image-size", 64, "--device", "cpu", "--log", tmp_path / "log", "-o", tmp_path / "images.csv", "--instances", tmp_path / "instances.csv",
        "--skipped", tmp_path / "skipped.csv")  # fmt: skip
    assert status == 0
    assert [row["image_id"] for row in read(tmp_path / "images.csv")] == ["a", "b"]
    instances = read(tmp_path / "instances.csv")
    assert [(row["annotation_id"], row["category"]) for row in instances] == [
        ("a#0", "cat"),
        ("b#0", "cat"),
    ]
    assert [row["id"] for row in read(tmp_path / "skipped.csv")] == ["a#1", "b#1"]


def test_forms_and_help_load_no_torch():
    code = "import sys, tfdp.cli.train_score, tfdp.models.dynamics, tfdp.models.score_log; print('torch' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"


def test_that_test_can_fail():
    pytest.importorskip("torch", reason="needs the extra `models`")
    code = "import sys, tfdp.models.segmentation; print('torch' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "True"


def test_a_folder_of_images_that_is_none_is_named_before_the_work(toy, tmp_path, capsys):
    pytest.importorskip("torch", reason="needs the extra `models`")
    wrong, log = tmp_path / "wrong", tmp_path / "log"
    assert run("train-score", toy, "--images", wrong, "--log", log, "-o", tmp_path / "i.csv") == 2
    assert f"the folder of the images: {wrong} is none" in the_line(capsys)
    assert not log.exists()
