"""A log that is in use, or is of someone else; and what a killed training leaves."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.one_number import (  # noqa: E402
    scores,
    train,
)
from tfdp.models.log_start import LOCK  # noqa: E402
from tfdp.models.training import find_device  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name", ["checkpoint.pt", "epoch_0007.parquet", "rows.json", "targets.parquet"]
)
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
from tests.models import one_number as this

class Task(this.OneNumber):
    def score(self, part):  # as load_batches starts processes that outlive their parent for a while
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
