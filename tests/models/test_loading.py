"""Processes that load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

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
