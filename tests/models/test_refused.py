"""What `tfdp train-score` refuses, it refuses in one line and before a log is begun."""

import os
import pickle

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.conftest import write_toy_dataset  # noqa: E402
from tfdp.cli import main  # noqa: E402
from tfdp.models.mask_rcnn import blank_mask_rcnn  # noqa: E402


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A COCO file of two images beside their files."""
    return write_toy_dataset(tmp_path_factory.mktemp("small"), images=2)


@pytest.fixture
def refuse(small, tmp_path, capfd):
    """Runs the command with some changes; returns the one line that it says."""

    def run(**changes):
        options = {
            "images": small.parent,
            "model": "maskrcnn_resnet18_fpn",
            "weights": "none",
            "epochs": 2,
            "image-size": 32,
            "device": "cpu",
            "log": tmp_path / "log",
            "output": tmp_path / "scores.csv",
        } | {name.replace("_", "-"): value for name, value in changes.items()}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        try:
            status = main(["train-score", str(small), *words])
        except SystemExit as end:  # as argparse ends
            status = end.code
        said = capfd.readouterr().err
        assert status == 2
        assert "Traceback" not in said
        assert not list(tmp_path.glob("log/*.json"))
        assert not (tmp_path / "scores.csv").exists()
        return said.splitlines()[-1]

    return run


@pytest.mark.parametrize(
    "name, value",
    [
        ("image_size", 0),
        ("image_size", -800),
        ("image_size", 1),
        ("image_size", 10**9),
        ("batch_size", 0),
        ("batch_size", 2**63),
        ("epochs", -1),
        ("epochs", 10**9),
        ("learning_rate", 0),
        ("learning_rate", -1),
        ("learning_rate", "nan"),
        ("learning_rate", "inf"),
        ("seed", -1),
        ("seed", 2**63),
        ("workers", -1),
        ("workers", 10**6),
        ("window", 0),
        ("window", -1),
        ("window", 3),  # of two epochs
    ],
)
def test_a_number_that_no_training_can_take(refuse, name, value):
    said = refuse(**{name: value})
    assert name in said or name == "window"
    assert "expected" in said or "must be" in said


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model": "resnet"}, "expected a model of maskrcnn_resnet50_fpn"),
        ({"scores": "auc"}, "expected a score of entropy"),
        ({"region": "box"}, "invalid choice: 'box'"),
        ({"device": "abacus"}, "expected a device such as"),
        ({"weights": "coco"}, "there are no COCO weights of maskrcnn_resnet18_fpn"),
        ({"weights": "nowhere.pt"}, "found no file 'nowhere.pt'"),
        ({"images": "nowhere"}, "--images must be the folder of the images"),
        ({"log": __file__}, "expected a folder for the training log, found a file"),
    ],
)
def test_a_choice_that_there_is_not(refuse, changes, message):
    assert message in refuse(**changes)


class Code:
    """A pickle that would make a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_code_in_weights_is_not_run(refuse, tmp_path):
    for name, save in (("torch.pt", torch.save), ("pickle.pt", _pickle)):
        save({"model": Code(tmp_path / "made")}, tmp_path / name)
        assert "expected a torch checkpoint of weights only" in refuse(weights=tmp_path / name)
    assert not (tmp_path / "made").exists()


def _pickle(content, path):
    path.write_bytes(pickle.dumps(content))


ODD_WEIGHTS = {
    "a list": [1, 2],
    "a tensor": torch.zeros(3),
    "an empty dict": {},
    "a dict of numbers": {"a": 1},
    "keys that are no names": {1: torch.zeros(3)},
    "a model that is a number": {"model": 3},
    "a model that is a list": {"model": [torch.zeros(3)]},
    "nested": {"model": {"model": {"a": torch.zeros(3)}}},
    "another network's": {"a": torch.zeros(3)},
    "a checkpoint of odd values": {
        "model": 3,
        "classes": 5,
        "image_size": "x",
        "weights": [],
        "epoch": None,
        "optimizer": 7,
    },
    "a checkpoint of odd classes": {
        "model": "",
        "classes": [["a"]],
        "image_size": 64,
        "weights": {},
        "epoch": 1,
        "optimizer": {},
    },
    "sparse": {"a": torch.zeros(3).to_sparse()},
}


@pytest.mark.parametrize("content", ODD_WEIGHTS.values(), ids=ODD_WEIGHTS)
def test_weights_that_are_none(refuse, tmp_path, content):
    torch.save(content, tmp_path / "odd.pt")
    said = refuse(weights=tmp_path / "odd.pt")
    assert "odd.pt" in said
    assert "expected" in said


@pytest.mark.parametrize("change", ["nan", "infinite", "complex", "sparse", "shape"])
def test_weights_of_the_right_names_and_bad_values(refuse, tmp_path, change):
    weights = blank_mask_rcnn("maskrcnn_resnet18_fpn", 2).state_dict()
    name = "backbone.body.conv1.weight"
    value = weights[name]
    weights[name] = {
        "nan": value * float("nan"),
        "infinite": value / 0,
        "complex": value.to(torch.complex64),
        "sparse": value.to_sparse(),
        "shape": torch.zeros(1).expand(10**12),
    }[change]
    torch.save(weights, tmp_path / "bad.pt")
    said = refuse(weights=tmp_path / "bad.pt")
    assert f"{tmp_path}/bad.pt: expected" in said
    assert name in said


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "folder", "pipe", "device"])
def test_weights_that_are_no_checkpoint(refuse, tmp_path, kind):
    path = tmp_path / "weights.pt"
    if kind == "text":
        path.write_text("hello")
    elif kind == "empty":
        path.touch()
    elif kind == "cut":
        torch.save({"a": torch.zeros(1000)}, path)
        path.write_bytes(path.read_bytes()[:2000])
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = "/dev/zero"
    said = refuse(weights=path)
    assert str(path) in said
    assert len(said) < 400
