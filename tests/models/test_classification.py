"""Dyn-Unc and its siblings: by hand, and on scikit-learn's digits."""

import math

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models.class_scores import score_class_logits  # noqa: E402
from tfdp.models.classification import train_and_score_classes  # noqa: E402
from tfdp.models.classification_task import CLASSIFIERS, blank_classifier  # noqa: E402
from tfdp.models.score_log import score_log  # noqa: E402
from tfdp.models.scoring_options import MODEL_SCORES  # noqa: E402
from tfdp.sources.class_records import ClassRecord  # noqa: E402

WRONG = 10  # of the digits carry another digit's class
QUICK = {
    "weights": "none",
    "batch_size": 16,
    "image_size": 32,
    "flips": False,
    "device": "cpu",
    "progress": lambda *_: None,
}


def test_class_scores_by_hand():
    logits = torch.tensor([[math.log(2), 0.0, 0.0], [0.0, 0.0, 0.0]])  # p = .5 .25 .25, and thirds
    scores = score_class_logits(logits, torch.tensor([1, 2]))
    np.testing.assert_allclose(scores.target_probability, [0.25, 1 / 3], rtol=1e-6)
    np.testing.assert_allclose(scores.entropy, [1.5 * math.log(2), math.log(3)], rtol=1e-6)
    np.testing.assert_allclose(scores.loss, [2 * math.log(2), math.log(3)], rtol=1e-6)
    np.testing.assert_allclose(
        scores.el2n, [math.sqrt(0.25 + 0.5625 + 0.0625), math.sqrt(6) / 3], rtol=1e-6
    )
    np.testing.assert_allclose(scores.margin, [-math.log(2), 0], atol=1e-6)


@pytest.mark.parametrize("model", ["resnet50", "swin_t", "convnext_tiny"])
def test_the_families_of_the_paper(model):
    assert model in CLASSIFIERS
    with torch.device("meta"):
        assert sum(p.numel() for p in blank_classifier(model, 10).parameters()) > 10_000_000


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """300 digits, the first 10 with a wrong class, as files and records; and their log."""
    data, folder = load_digits(), tmp_path_factory.mktemp("digits")
    records = []
    for number in range(300):
        path = folder / f"{number}.png"
        Image.fromarray((data.images[number] * 15.9).astype(np.uint8)).save(path)
        label = (data.target[number] + (number < WRONG)) % 10
        records.append(ClassRecord(f"digit-{number}", path, str(label)))
    train_and_score_classes(records, folder / "log", epochs=6, **QUICK)
    return records, folder / "log"


def test_digits_of_a_wrong_class_are_found(digits):
    _, log = digits
    scores = score_log(log).image_scores
    assert set(scores) == set(MODEL_SCORES)
    for name, sign in (("aum", 1), ("loss", -1)):
        worst = np.argsort(sign * scores[name], kind="stable")[: 2 * WRONG]
        assert (worst < WRONG).sum() >= 0.7 * WRONG, name  # 0.7 by chance


def test_stopped_in_the_middle_of_an_epoch_and_resumed_gives_the_unbroken_runs_scores(
    digits, tmp_path
):
    records, _ = digits
    bad = [records[0]._replace(path=tmp_path / "nowhere.png"), records[1]._replace(label=None)]

    def stop(_, message):
        if message.startswith("epoch 2/3, batch 2/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_and_score_classes(
            [*bad, *records[2:42]], tmp_path / "a", epochs=3, **QUICK | {"progress": stop}
        )
    resumed = train_and_score_classes([*bad, *records[2:42]], tmp_path / "a", epochs=3, **QUICK)
    unbroken = train_and_score_classes([*bad, *records[2:42]], tmp_path / "b", epochs=3, **QUICK)
    for name in MODEL_SCORES:
        np.testing.assert_array_equal(resumed.image_scores[name], unbroken.image_scores[name])
        assert np.isnan(resumed.image_scores[name]).tolist() == [True, True] + [False] * 40
    assert resumed.rows.skipped.counts() == {"missing_file": 1, "no_class": 1}


def test_too_few_classes_and_wrong_weights_are_errors(digits, tmp_path):
    records, _ = digits
    one = [record._replace(label="1") for record in records]
    with pytest.raises(ValueError, match="expected images of two classes or more"):
        train_and_score_classes(one, tmp_path, epochs=3, **QUICK)
    with pytest.raises(ValueError, match="expected a model of convnext_base"):
        train_and_score_classes(records, tmp_path, model="vgg", epochs=3, **QUICK)
