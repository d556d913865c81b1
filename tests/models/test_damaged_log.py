"""A log that was damaged, is in use, or is of someone else: what is said, and what still helps."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models.checkpoints import Checkpoint, read_checkpoint  # noqa: E402
from tfdp.models.log_start import LOCK  # noqa: E402
from tfdp.models.recipe import Recipe  # noqa: E402
from tfdp.models.score_log import score_log  # noqa: E402
from tfdp.models.training import find_device, train_logged  # noqa: E402
from tfdp.models.training_log import LogRows, epoch_path, pack_rows  # noqa: E402
from tfdp.skipped import Skipped  # noqa: E402

ROOT = Path(__file__).parents[2]
EPOCHS = 4
ROWS = LogRows(
    [1, 2], ["a", "b"], np.array([0, 1]), ["cat", "dog"], np.array([True, True]), Skipped()
)


class OneNumber:
    """w fitted to 1 by (w - 1)², scored by its distance: a training of no time."""

    device = torch.device("cpu")
    checkpoint = Checkpoint("one", ["a"], 64, {})
    examples = range(4)
    rows, pixels = 2, 1

    def __init__(self):
        self.network = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.constant_(self.network.weight, 0.25)

    def batches(self, order, epoch):
        return iter(order)

    def losses(self, batch):
        return {"loss": (self.network.weight.sum() - 1) ** 2}

    def score(self):
        w = self.network.weight.item()
        yield pack_rows(np.full((2, 2, 4), w), np.ones((2, 1), bool), np.full((2, 1), abs(w) / 2))


def train(folder, epochs=EPOCHS, seed=0, told=lambda fraction, message: None):
    recipe = Recipe(epochs, 4, 0.1, 4, 0, seed=seed)
    run = {"kind": "classification", "epochs": epochs, "model": "one", "seed": seed}
    targets = np.full((2, 1), 128, np.uint8)
    train_logged(
        lambda rows: OneNumber(), recipe, folder, run, 2, lambda report: (ROWS, targets), told
    )


def scores(folder):
    return {name: s.tolist() for name, s in score_log(folder).instance_scores.items()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    train(folder)
    return folder


@pytest.fixture
def log(finished, tmp_path):
    """A finished log to damage."""
    return shutil.copytree(finished, tmp_path / "log")


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def garble(path):
    path.write_bytes(b"\xff\xfe[")


def list_instead(path):
    path.write_bytes(b"[1, 2]")


def other_array(path):
    np.save(path.open("wb"), np.zeros((3, 5)))


def pickled_array(path):
    np.save(path.open("wb"), np.array([{}, 1], object))


def odd_rows(path):
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"image_index": [0, 7]}))


def fewer_rows(path):
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"labels": ["cat"]}))


def strings(path):
    path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_bytes()), "a")))


def other_order(path):
    rows = json.loads(path.read_bytes())
    path.write_text(json.dumps(rows | {"image_index": rows["image_index"][::-1]}))


def odd_skipped(path):
    rows = json.loads(path.read_bytes())
    path.write_text(json.dumps(rows | {"skipped": [[{}, [], "x", {}]]}))


def huge_ids(path):
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"image_ids": [2**64 - 1, 2]}))


JSON = [cut, empty, garble, list_instead, strings]
ROWS_ONLY = [odd_rows, fewer_rows, other_order, odd_skipped, huge_ids]
ARRAY = [cut, empty, garble, other_array, pickled_array]


@pytest.mark.parametrize("damage", JSON, ids=lambda d: d.__name__)
def test_a_damaged_run_names_the_file_and_the_remedy(log, damage):
    damage(log / "run.json")
    for work in (train, score_log):
        with pytest.raises(ValueError, match=r"run\.json .* damaged: choose another folder"):
            work(log)


@pytest.mark.parametrize(
    "name, damage",
    [("rows.json", d) for d in [*JSON, *ROWS_ONLY, remove]]
    + [("targets.npy", d) for d in [*ARRAY, remove]],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_can_be_made_anew_is(log, finished, name, damage):
    damage(log / name)
    with pytest.raises(ValueError, match=rf"{name} .* start the same training again, and it makes"):
        score_log(log)
    train(log)
    assert scores(log) == scores(finished)


@pytest.mark.parametrize("name", ["targets.npy", "rows.json", "epoch_0002.npy", "epoch_0004.npy"])
def test_a_folder_in_the_place_of_a_file_is_said(log, name):
    (log / name).unlink()
    (log / name).mkdir()
    for work in (train, score_log):
        with pytest.raises((ValueError, OSError), match=r"a folder|not a file|Is a directory") as e:
            work(log)
        assert name in str(e.value)
    assert (log / name).is_dir()


@pytest.mark.parametrize("damage", [*JSON], ids=lambda d: d.__name__)
def test_damaged_wall_times_can_be_deleted(log, finished, damage):
    damage(log / "seconds.json")
    for work in (train, score_log):
        with pytest.raises(ValueError, match=r"seconds\.json .* damaged: delete it"):
            work(log)
    (log / "seconds.json").unlink()
    train(log)
    assert scores(log) == scores(finished)


@pytest.mark.parametrize("damage", [*ARRAY, remove], ids=lambda d: d.__name__)
def test_the_last_epoch_is_scored_again(log, finished, damage):
    damage(epoch_path(log, EPOCHS))
    with pytest.raises(
        ValueError, match=r"found 3; epoch_0004\.npy .* start the same training again"
    ):
        score_log(log)
    train(log)
    assert scores(log) == scores(finished)


@pytest.mark.parametrize("damage", [*ARRAY, remove], ids=lambda d: d.__name__)
def test_an_epoch_in_the_middle_is_lost_and_that_is_said(log, damage):
    damage(epoch_path(log, 2))
    for work in (train, score_log):
        with pytest.raises(ValueError, match=r"epoch_0002\.npy .* only a new training can give it"):
            work(log)


def other_checkpoint(path):
    torch.save(vars(read_checkpoint(path)) | {"model": "two"}, path)


def later_checkpoint(path):
    torch.save(vars(read_checkpoint(path)) | {"epoch": EPOCHS + 1}, path)


def odd_optimizer(path):
    torch.save(vars(read_checkpoint(path)) | {"optimizer": {"state": 3}}, path)


@pytest.mark.parametrize(
    "damage",
    [cut, empty, garble, other_checkpoint, later_checkpoint, odd_optimizer],
    ids=lambda d: d.__name__,
)
def test_without_a_damaged_checkpoint_the_training_starts_from_its_first_epoch(
    log, finished, damage
):
    damage(log / "checkpoint.pt")
    with pytest.raises(ValueError, match=r"checkpoint\.pt.*Delete the file, and the same training"):
        train(log)
    (log / "checkpoint.pt").unlink()
    told = []
    train(log, told=lambda fraction, message: told.append(message))
    assert told[0].startswith("epoch 1/4")
    assert scores(log) == scores(finished)


@pytest.mark.parametrize("name", ["checkpoint.pt", "epoch_0007.npy", "rows.json", "targets.npy"])
def test_a_file_that_is_of_no_log_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ValueError, match=rf"found {name} in .*: choose another folder"):
        train(tmp_path)
    assert (tmp_path / name).read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {name, LOCK}


def test_another_runs_log_is_left_alone(log):
    with pytest.raises(ValueError, match="seed 0, not 1: choose another folder"):
        train(log, seed=1)


def test_a_second_training_in_one_folder_is_told_at_once(tmp_path):
    def try_another(fraction, message):
        with pytest.raises(ValueError, match=r"another training is writing its log to .*: wait"):
            train(tmp_path)
        told.append(message)

    told = []
    train(tmp_path, told=try_another)
    assert told


def test_a_file_that_is_no_lock_is_left_alone(tmp_path):
    (tmp_path / LOCK).write_text("mine")
    with pytest.raises(ValueError, match=rf"{LOCK}.* no lock of a training: rename it"):
        train(tmp_path)
    assert (tmp_path / LOCK).read_text() == "mine"
    (tmp_path / LOCK).unlink()
    (tmp_path / LOCK).symlink_to("theirs")
    with pytest.raises(ValueError, match=rf"{LOCK}.* no lock of a training: rename it"):
        train(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {LOCK}


@pytest.mark.parametrize("name", ["meta", "foo"])
def test_a_device_that_cannot_compute_is_refused(name):
    with pytest.raises(ValueError, match=rf"expected a .*{name}"):
        find_device(name)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.models import test_damaged_log as this

class Task(this.OneNumber):
    def score(self):  # as load_batches starts processes that outlive their parent for a while
        if os.fork():
            os.kill(os.getpid(), signal.SIGKILL)
        print("child", flush=True)
        sys.stdin.read()
        os._exit(0)

this.OneNumber = Task
this.train(Path(sys.argv[1]))
"""


def test_a_killed_training_blocks_nothing_and_leaves_nothing(tmp_path, finished):
    run = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(
        run, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "child\n"
        assert process.wait() == -signal.SIGKILL
        assert [path for path in tmp_path.iterdir() if path.name.startswith(".epoch_0001")]
        seen = []
        train(tmp_path, told=lambda fraction, message: seen.append({*tmp_path.glob(".*")}))
        process.stdin.close()
    assert seen[0] == set()
    assert scores(tmp_path) == scores(finished)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in finished.iterdir()}
    assert not [name for name in names if name.startswith(".")]
