"""Processes that load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

import numpy as np  # noqa: E402

from tfdp.models.loading import load_batches  # noqa: E402

ROOT = Path(__file__).parents[2]

KILLED = """
import os, signal, sys
import numpy as np
from tfdp.models.loading import load_batches

def load(item, number):
    print("loading", flush=True)
    open(item).read()  # of a pipe that nobody writes to

if __name__ == "__main__":
    next(load_batches(load, sys.argv[1:], [np.array([0])], 1))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's prctl")
def test_a_process_that_loads_ends_with_its_parent(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    run = [sys.executable, "-c", KILLED, str(tmp_path / "pipe")]
    with subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "loading\n"
        process.kill()
        # the end of the output is that of the last process that could write to it
        assert process.communicate(timeout=60)[0] == ""


def read(path, number):
    return path.read_text()


def end(path, number):
    os._exit(1)


@pytest.mark.parametrize("workers", [0, 1])
def test_what_cannot_be_loaded_is_named(tmp_path, workers):
    (tmp_path / "a").write_text("a")
    batches = load_batches(
        read, [tmp_path / "a", tmp_path / "b"], [np.array([0]), np.array([1])], workers
    )
    assert next(batches) == ["a"]
    with pytest.raises(FileNotFoundError) as caught:
        next(batches)
    assert caught.value.filename == str(tmp_path / "b")


def test_a_process_that_ends_is_an_error_that_says_what_to_try(tmp_path):
    with pytest.raises(OSError, match=r"a process that loads images failed.* fewer workers"):
        next(load_batches(end, [tmp_path], [np.array([0])], 1))
