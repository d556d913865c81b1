"""A classifier's losses and its log, against the network itself."""

import copy
import math

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.digits import QUICK, write_digits  # noqa: E402
from tfdp.models.checkpoints import Checkpoint, read_checkpoint  # noqa: E402
from tfdp.models.class_evaluation import load_classifier  # noqa: E402
from tfdp.models.class_views import Views  # noqa: E402
from tfdp.models.classification import (  # noqa: E402
    _check_processes,
    train_and_score_classes,
)
from tfdp.models.classification_task import (  # noqa: E402
    PIXELS,
    ClassificationTask,
    Example,
    blank_classifier,
    score_logits,
)
from tfdp.models.epoch_files import EpochLayout, LoggedEpochs, decode_probability  # noqa: E402
from tfdp.models.options import ClassificationOptions  # noqa: E402
from tfdp.models.scoring_options import MODEL_SCORES  # noqa: E402
from tfdp.models.training_log import (  # noqa: E402
    PROBABILITY,
    blank_rows,
    unpack_bits,
)
from tfdp.sources.class_records import read_class_records  # noqa: E402

TOLERANCE = 2e-5  # of a probability in 16 bits, and of batches against single images
SILENT = {"progress": lambda *_: None}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return read_class_records(write_digits(tmp_path_factory.mktemp("digits"), 0, 40))[0]


def make_task(network, records, **changes):
    examples = [Example(record.path, int(record.label), row) for row, record in enumerate(records)]
    task = {
        "network": network,
        "checkpoint": Checkpoint("resnet18", [str(k) for k in range(10)], 32, {}),
        "examples": examples,
        "rows": len(records),
        "batch_size": 4,
        "device": torch.device("cpu"),
        "workers": 0,
        "views": Views(32),
    }
    return ClassificationTask(**task | changes)


def test_right_is_more_than_as_high_as_another():
    logits = torch.tensor([[2.0, 2.0, 0.0], [3.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    rows = score_logits(logits, torch.tensor([0, 0, 0]))
    assert unpack_bits(rows["correct"], PIXELS)[:, 0].tolist() == [False, True, False]
    np.testing.assert_allclose(rows["means"][:, 0, 3], [0, 2, -1])  # margins
    half = score_logits(logits.bfloat16(), torch.tensor([0, 0, 0]))
    np.testing.assert_allclose(half["means"], rows["means"])


class Fixed(torch.nn.Module):
    """Says the same of every image."""

    def forward(self, images):
        return torch.tensor([[math.log(6), math.log(3), 0.0]]).expand(len(images), -1)


def test_label_smoothing_by_hand(digits):
    zeros = [record._replace(label="0") for record in digits[:4]]
    for smoothing in (0.0, 0.3):
        task = make_task(Fixed(), zeros, label_smoothing=smoothing)
        (batch,) = task.batches([np.arange(4)])
        p = np.array([0.6, 0.3, 0.1])
        target = (1 - smoothing) * np.array([1, 0, 0]) + smoothing / 3
        assert task.losses(batch)["loss"].item() == pytest.approx(-(target * np.log(p)).sum())


def test_an_epoch_is_scored_in_eval_mode_as_one_image_after_another(digits, tmp_path):
    options = QUICK | SILENT | {"batch_size": 8}
    train_and_score_classes(digits, tmp_path, epochs=2, **options)
    network = load_classifier(read_checkpoint(tmp_path / "checkpoint.pt"), "the log")
    log = LoggedEpochs(tmp_path, 2, EpochLayout(len(digits), PIXELS))
    said = decode_probability(log.read(0, [PROBABILITY])[-1])[:, 0]
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    for row, record in enumerate(digits):
        image = Image.open(record.path).convert("RGB").resize((32, 32), Image.Resampling.BILINEAR)
        pixels = (np.array(image) / 255 - mean) / std
        with torch.inference_mode():
            logits = network(torch.tensor(pixels.transpose(2, 0, 1)[None], dtype=torch.float32))
        expected = logits.softmax(dim=1)[0, int(record.label)].item()
        assert said[row] == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("model, has_batch_norms", [("resnet18", True), ("swin_t", False)])
def test_what_is_logged_while_training_is_what_the_released_code_logs(
    digits, model, has_batch_norms
):
    """By the code itself: main_and_produce.py, train_one_epoch, around `eval_outputs`."""
    torch.manual_seed(0)
    network = blank_classifier(model, 10).train()
    other = copy.deepcopy(network)
    log = blank_rows(len(digits), PIXELS)
    task = make_task(network, digits, learned=log, views=Views(32, flips=True, crops=True))
    order = np.array([5, 3, 8, 1])
    (batch,) = task.batches([order])
    torch.manual_seed(1)
    loss = task.losses(batch)["loss"]

    labels = torch.tensor([int(digits[k].label) for k in order])
    torch.manual_seed(1)
    outputs = other(torch.stack([task.views.to_learn(digits[k].path, k) for k in order]))
    if has_batch_norms:
        other.eval()
    with torch.no_grad():
        eval_outputs = other(torch.stack([task.views.to_score(digits[k].path) for k in order]))
    expected = eval_outputs.softmax(dim=1).gather(1, labels[:, None])[:, 0]
    np.testing.assert_allclose(log["q"][order, 0] / 65535, expected, atol=TOLERANCE)
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(outputs, labels))
    assert np.isnan(np.delete(log["means"], order, axis=0)).all()
    assert network.training
    torch.testing.assert_close(network.state_dict(), other.state_dict())  # and batch norms' means


PUBLISHED = QUICK | {
    "crops": True,
    "auto_augment": True,
    "label_smoothing": 0.1,
    "log_while_training": True,
    "window": 2,
    "windows": "released",
}


def test_logged_while_training_stopped_and_resumed_gives_the_unbroken_runs_scores(digits, tmp_path):
    records = [digits[0]._replace(label=None), *digits[1:]]

    def stop(_, message):
        if message.startswith("epoch 2/3, batch 2/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_and_score_classes(records, tmp_path / "a", epochs=3, progress=stop, **PUBLISHED)
    resumed = train_and_score_classes(records, tmp_path / "a", epochs=3, **PUBLISHED | SILENT)
    unbroken = train_and_score_classes(records, tmp_path / "b", epochs=3, **PUBLISHED | SILENT)
    for name in MODEL_SCORES:
        np.testing.assert_array_equal(resumed.image_scores[name], unbroken.image_scores[name])
        assert np.isnan(resumed.image_scores[name]).tolist() == [True] + [False] * 39
    (tmp_path / "a" / "epoch_0003.parquet").unlink()
    with pytest.raises(ValueError, match="said when it learned an epoch is lost: only a new train"):
        train_and_score_classes(records, tmp_path / "a", epochs=3, **PUBLISHED | SILENT)


def test_an_epoch_that_learned_only_a_part_has_no_log(digits):
    task = make_task(
        blank_classifier("resnet18", 10).train(), digits, learned=blank_rows(len(digits), PIXELS)
    )
    whole, part = task.batches([np.arange(len(digits)), np.arange(4)])
    task.losses(whole)
    assert [np.isfinite(rows["means"]).all() for rows in task.score(range(40))] == [True]
    task.losses(part)
    with pytest.raises(ValueError, match="is lost"):
        list(task.score(range(40)))


@pytest.mark.parametrize("changes", [{"epochs": 0}, {"iterations": 100}])
def test_logging_while_training_needs_whole_epochs(changes):
    with pytest.raises(ValueError, match="log_while_training needs whole epochs"):
        ClassificationOptions(log_while_training=True, **changes)


def test_several_processes_log_nothing_while_training():
    asked = ClassificationOptions(log_while_training=True)
    _check_processes(asked, 1)
    with pytest.raises(ValueError, match="of one process, but there are 2: start it without torch"):
        _check_processes(asked, 2)
