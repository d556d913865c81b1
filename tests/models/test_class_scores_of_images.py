"""Digits and faces of which some have a wrong class: what the scores find, and what pruning costs."""

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.digits import QUICK, write_digits  # noqa: E402
from tfdp.models.class_evaluation import evaluate_classifier  # noqa: E402
from tfdp.models.classification import train_and_score_classes  # noqa: E402
from tfdp.scores.table import higher_first  # noqa: E402
from tfdp.sources.class_records import keep_records, read_class_records  # noqa: E402
from tfdp.sources.selecting_classes import select_class_images  # noqa: E402

SILENT = {"device": "cpu", "progress": lambda *_: None}
PATIENT = QUICK | SILENT | {"learning_rate": 0.03}  # a third: a high one forgets too much at first
HARD = ("aum", "loss", "el2n")


def find_wrong(scores, name, wrong):
    """AUC of a score for the images of a wrong class."""
    sign = 1 if higher_first(name) else -1
    return roc_auc_score(wrong, sign * scores.image_scores[name])


@pytest.mark.slow
def test_faces_of_a_wrong_class_are_found(tmp_path):
    """200 photos of 25 x 25 px that scikit-image ships: 100 faces, and 100 of other things."""
    from skimage.data import lfw_subset

    for number, pixels in enumerate(lfw_subset()):
        is_face = (number < 100) != (number % 20 == 0)  # 10 in the folder of the other class
        path = tmp_path / "photos" / ("face" if is_face else "other") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 255).astype(np.uint8)).save(path)
    records, _ = read_class_records(tmp_path / "photos")
    wrong = [int(record.path.stem) % 20 == 0 for record in records]
    scores = train_and_score_classes(records, tmp_path / "log", epochs=6, **PATIENT)
    assert find_wrong(scores, "aum", wrong) > 0.95


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """300 digits, the first 15 of a wrong class; others to test on; what was learned, and where."""
    folder = tmp_path_factory.mktemp("digits")
    records, _ = read_class_records(write_digits(folder / "train", 0, 300, wrong=15))
    test, _ = read_class_records(write_digits(folder / "test", 300, 800))
    scores = train_and_score_classes(records, folder / "all", epochs=6, **PATIENT)
    return records, test, scores, folder


@pytest.mark.slow
def test_digits_of_a_wrong_class_are_found(digits):
    records, _, scores, _ = digits
    wrong = [int(record.path.stem) < 15 for record in records]
    for name in HARD:
        assert find_wrong(scores, name, wrong) > 0.85, name


@pytest.mark.slow
def test_top_1_after_training_on_the_kept_half(digits):
    """Of few digits the uncertain half is too little: a random half teaches as much as all."""
    records, test, scores, folder = digits
    dyn_unc = scores.image_scores["dyn_unc"]
    table = pa.table({"image_id": scores.rows.image_ids, "dyn_unc": dyn_unc})
    top1 = {"all": evaluate_classifier(folder / "all" / "checkpoint.pt", test, **SILENT).top1}
    for scorer, tables in (("dyn_unc", [table]), ("random", [])):
        kept = select_class_images(records, 0.5, tables=tables, scorer=scorer).keep_ids
        part = keep_records(records, kept, scorer)
        assert len(part) == 150
        train_and_score_classes(part, folder / scorer, epochs=6, scores=("loss",), **PATIENT)
        top1[scorer] = evaluate_classifier(folder / scorer / "checkpoint.pt", test, **SILENT).top1
    assert min(top1["all"], top1["random"]) > max(0.5, top1["dyn_unc"])
    assert top1["dyn_unc"] > 0.2  # .1 by chance
