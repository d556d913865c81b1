"""Top-1 of a classifier against its network, image by image."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.digits import write_digits  # noqa: E402
from tfdp.models.checkpoints import Checkpoint, write_checkpoint  # noqa: E402
from tfdp.models.class_evaluation import evaluate_classifier  # noqa: E402
from tfdp.models.class_views import Views  # noqa: E402
from tfdp.models.classification_task import blank_classifier  # noqa: E402
from tfdp.sources.class_records import ClassRecord, read_class_records  # noqa: E402

CLASSES = ["cat", "ant", "dog"]
SILENT = {"device": "cpu", "progress": lambda *_: None}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The path of a checkpoint, and its network."""
    torch.manual_seed(0)
    network = blank_classifier("resnet18", len(CLASSES))
    network.train()
    for _ in range(3):  # batch norms of their own
        network(torch.randn(8, 3, 32, 32) * 3)
    path = tmp_path_factory.mktemp("trained") / "checkpoint.pt"
    write_checkpoint(path, Checkpoint("resnet18", CLASSES, 32, network.state_dict()))
    return path, network.eval()


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = write_digits(tmp_path_factory.mktemp("digits"), 0, 12)
    return [record.path for record in read_class_records(folder)[0]]


def predict(network, paths):
    with torch.inference_mode():
        views = [Views(32).to_score(path)[None] for path in paths]
        return [CLASSES[network(view).argmax().item()] for view in views]


def test_top_1_is_the_share_of_images_whose_class_is_said(trained, images, tmp_path):
    path, network = trained
    said = predict(network, images)
    labels = [name if k % 3 else "newt" for k, name in enumerate(said)]
    labels[1] = next(name for name in CLASSES if name != said[1])
    records = [ClassRecord(k, *pair) for k, pair in enumerate(zip(images, labels, strict=True))]
    records.insert(2, ClassRecord("none", tmp_path / "none.png", "cat"))
    records.append(ClassRecord("no class", images[0], None))
    found = evaluate_classifier(path, records, batch_size=5, **SILENT)
    assert (found.top1, found.images) == (7 / 12, 12)  # 4 newts, which it does not know, and 1
    right = np.array(said) == labels
    expected = {name: right[np.array(labels) == name].mean() for name in set(labels)}
    assert found.per_class == pytest.approx(expected)
    assert found.per_class["newt"] == 0
    reasons = [(item.id, item.reason) for item in found.skipped]
    assert reasons == [("none", "missing_file"), ("no class", "no_class")]


def test_crops_are_tested_on_the_central_square(trained, tmp_path):
    path, _ = trained
    pixels = np.random.default_rng(0).integers(0, 255, (32, 160, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    Image.fromarray(pixels[:, 64:96]).save(tmp_path / "middle.png")
    views = [
        Views(32, crops=True).to_score(tmp_path / f"{name}.png") for name in ("wide", "middle")
    ]
    torch.testing.assert_close(*views)
    said = predict(trained[1], [tmp_path / "middle.png"])
    for label, top1 in ((said[0], 1), ("newt", 0)):
        records = [ClassRecord(1, tmp_path / "wide.png", label)]
        assert evaluate_classifier(path, records, crops=True, **SILENT).top1 == top1


def test_what_cannot_be_tested_is_refused(trained, images, tmp_path):
    with pytest.raises(ValueError, match="expected test images, found none to use: 1 no_class"):
        evaluate_classifier(trained[0], [ClassRecord(1, images[0], None)], **SILENT)
    torch.save(trained[1].state_dict(), tmp_path / "plain.pt")
    with pytest.raises(ValueError, match="expected a checkpoint of ours, with its model and class"):
        evaluate_classifier(tmp_path / "plain.pt", [ClassRecord(1, images[0], "cat")], **SILENT)
