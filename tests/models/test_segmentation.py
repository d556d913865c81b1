"""Real trainings of the small network on drawn images."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra `models`")


from tfdp.models.checkpoints import load_weights, read_checkpoint  # noqa: E402
from tfdp.models.data import load_image  # noqa: E402
from tfdp.models.epoch_files import epoch_path  # noqa: E402
from tfdp.models.log_reading import read_targets  # noqa: E402
from tfdp.models.mask_rcnn import blank_mask_rcnn, mask_logits  # noqa: E402
from tfdp.models.score_log import score_log  # noqa: E402
from tfdp.models.scoring_options import MODEL_SCORES  # noqa: E402
from tfdp.models.segmentation import train_and_score  # noqa: E402
from tfdp.models.training_log import unpack_bits  # noqa: E402
from tfdp.sources.formats import open_sources  # noqa: E402
from tfdp.sources.records import ImageRecord, read_records  # noqa: E402

CONFTEST = Path(__file__).with_name("conftest.py")
WRONG_IMAGE = 5
QUICK = {
    "model": "maskrcnn_resnet18_fpn",
    "weights": "none",
    "image_size": 64,
    "device": "cpu",
    "progress": lambda *_: None,
}


def test_the_image_with_wrong_masks_has_the_lowest_aum_and_the_highest_loss(toy_log):
    scores = score_log(toy_log)
    assert np.argmin(scores.image_scores["aum"]) == WRONG_IMAGE
    assert np.argmax(scores.image_scores["loss"]) == WRONG_IMAGE
    assert set(scores.image_scores) == set(MODEL_SCORES)
    assert all(np.isfinite(values).all() for values in scores.image_scores.values())
    assert min(scores.seconds.values()) > 0


def test_the_last_epochs_loss_is_the_checkpoints_binary_cross_entropy(toy, toy_log):
    """A second implementation, image by image, by torch's own loss on the saved weights."""
    checkpoint = read_checkpoint(toy_log / "checkpoint.pt")
    network = blank_mask_rcnn(checkpoint.model, 2)
    load_weights(network, checkpoint.weights, "checkpoint")
    records, _ = read_records(open_sources(toy), toy.parent)
    targets = read_targets(toy_log, 20, 784)[:2]
    target = torch.from_numpy(unpack_bits(targets, 784)).float()
    image, boxes = load_image(records[0], [0, 1], 64)
    with torch.inference_mode():
        labels = torch.tensor([checkpoint.classes.index(label) + 1 for label in records[0].labels])
        z = mask_logits(network, [image / 255], [boxes], labels).flatten(1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, target, reduction="none").mean(1)
    np.testing.assert_allclose(
        score_log(toy_log, scores=("loss",)).instance_scores["loss"][:2], loss, rtol=1e-4
    )


def test_killed_in_the_middle_of_an_epoch_and_resumed_gives_the_unbroken_runs_scores(
    toy, toy_log, tmp_path
):
    run = [sys.executable, str(CONFTEST), str(toy), str(tmp_path)]
    with subprocess.Popen(
        run, stdout=subprocess.PIPE, text=True, cwd=CONFTEST.parents[2], env=_environment()
    ) as process:
        for line in process.stdout:
            if line.startswith("epoch 3/4, batch 2/5"):
                process.kill()
                break
    assert process.returncode == -9
    assert read_checkpoint(tmp_path / "checkpoint.pt").epoch == 2
    assert not epoch_path(tmp_path, 3).exists()
    subprocess.run(
        run, check=True, cwd=CONFTEST.parents[2], env=_environment(), capture_output=True
    )
    unbroken, resumed = score_log(toy_log), score_log(tmp_path)
    for name in MODEL_SCORES:
        np.testing.assert_array_equal(
            resumed.instance_scores[name], unbroken.instance_scores[name], err_msg=name
        )


def _environment():
    import os

    return os.environ | {"PYTHONPATH": str(CONFTEST.parents[2])}


def test_a_finished_run_is_scored_again_without_training(toy, toy_log):
    records, _ = read_records(open_sources(toy), toy.parent)
    told = []
    settings = QUICK | {"progress": lambda _, message: told.append(message)}
    scores = train_and_score(
        records, toy_log, epochs=4, batch_size=2, region="mask", window=3, **settings
    )
    assert not [message for message in told if message.startswith("epoch")]
    assert scores.run["region"] == "mask"
    roi = score_log(toy_log, window=3).instance_scores
    assert (scores.instance_scores["dyn_unc"] != roi["dyn_unc"]).any()


def test_a_checkpoint_alone_gives_the_scores_of_one_model(toy, toy_log, tmp_path):
    records, _ = read_records(open_sources(toy), toy.parent)
    settings = QUICK | {"weights": str(toy_log / "checkpoint.pt")}
    scores = train_and_score(records, tmp_path, epochs=0, batch_size=2, **settings)
    trained = score_log(toy_log)
    assert set(scores.image_scores) == {"entropy", "loss", "el2n"}
    for name in ("entropy", "loss"):
        np.testing.assert_allclose(
            scores.instance_scores[name], trained.instance_scores[name], rtol=1e-3
        )


def test_labels_outside_the_checkpoints_classes_are_reported(toy, toy_log, tmp_path):
    records, _ = read_records(open_sources(toy), toy.parent)
    renamed = [
        dataclasses.replace(r, labels=["star" if x == "triangle" else x for x in r.labels])
        for r in records
    ]
    settings = QUICK | {"weights": str(toy_log / "checkpoint.pt")}
    scores = train_and_score(renamed, tmp_path, epochs=0, batch_size=2, **settings)
    assert scores.rows.skipped.counts() == {"class_unknown_to_model": 10}
    star = np.array(scores.rows.labels) == "star"
    assert (np.isnan(scores.instance_scores["loss"]) == star).all()
    assert np.isfinite(scores.image_scores["loss"]).all()


def test_bad_rows_are_reported_and_the_rest_is_scored(toy, tmp_path):
    records, _ = read_records(open_sources(toy), toy.parent)
    Image.new("RGB", (1, 1), "red").save(tmp_path / "pixel.png")
    Image.new("RGB", (20_000, 20), "red").save(tmp_path / "long.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "other.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    from tfdp.geometry.masks import mask_runs_from_bitmaps
    from tfdp.geometry.run_lengths import mask_runs_to_rle

    def record(image_id, file, height, width, *, label="ellipse", count=1):
        mask = mask_runs_to_rle(mask_runs_from_bitmaps([np.ones((height, width), bool)]))
        ids = [f"{image_id}-{k}" for k in range(count)]
        boxes = np.array([[0, 0, width, height]] * count, float).reshape(-1, 4)
        return ImageRecord(
            image_id, tmp_path / file, height, width, ids, [label] * count, boxes, mask * count
        )

    odd = [
        record("missing", "nowhere.png", 64, 64),
        record("broken", "broken.png", 64, 64, count=2),
        record("no instance", "other.png", 64, 64, count=0),
        record("one pixel", "pixel.png", 1, 1, label="only one of its class"),
        dataclasses.replace(
            records[0],
            image_id="no mask",
            instance_ids=["n-0", "n-1"],
            masks=[None, records[0].masks[1]],
        ),
        record("long", "long.png", 20, 20_000),
    ]
    scores = train_and_score(
        [odd[0], records[1], *odd[1:]],
        tmp_path / "log",
        epochs=1,
        batch_size=3,
        scores=["loss", "aum", "forgetting"],
        **QUICK,
    )
    found = dict(zip(scores.rows.image_ids, scores.image_scores["loss"].tolist(), strict=True))
    unscored = {image_id for image_id, value in found.items() if np.isnan(value)}
    assert unscored == {"missing", "broken", "no instance"}
    assert scores.rows.skipped.counts() == {"missing_file": 1, "unreadable_image": 1, "no_mask": 1}
    loss = dict(zip(scores.rows.instance_ids, scores.instance_scores["loss"].tolist(), strict=True))
    assert {i for i, value in loss.items() if np.isnan(value)} == {
        "missing-0",
        "broken-0",
        "broken-1",
        "n-0",
    }


def test_nothing_to_train_on_is_an_error(toy, tmp_path):
    records, _ = read_records(open_sources(toy), toy.parent)
    gone = [dataclasses.replace(records[0], path=tmp_path / "nowhere.png")]
    with pytest.raises(ValueError, match="found none in 1 images; skipped: 1 missing_file"):
        train_and_score(gone, tmp_path / "log", epochs=1, scores=["loss"], **QUICK)


def test_a_window_longer_than_the_training_is_an_error_before_it(toy, tmp_path):
    records, _ = read_records(open_sources(toy), toy.parent)
    with pytest.raises(ValueError, match="got 2 for a window of 3"):
        train_and_score(records, tmp_path / "log", epochs=2, window=3, **QUICK)
    assert not (tmp_path / "log").exists()
