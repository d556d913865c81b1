"""Several processes, started by torchrun: what is one's, and that all of them end together."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from hypothesis import given, strategies  # noqa: E402

from tests.models import line  # noqa: E402
from tfdp.models.checkpoints import read_checkpoint  # noqa: E402
from tfdp.models.epoch_files import EpochLayout, epoch_path, read_epoch  # noqa: E402
from tfdp.models.parallel import own_examples, own_part, own_rows  # noqa: E402

ROOT = Path(__file__).parents[2]
NUMBERS = strategies.integers(1, 9)


@given(size=NUMBERS, world=NUMBERS)
def test_the_parts_of_a_batch_make_its_mean(size, world):
    batch = np.random.default_rng(size).permutation(20)[:size]
    parts = [own_part(batch, rank, world) for rank in range(world)]
    assert min(len(part) for part, _ in parts) >= 1
    seen = np.concatenate([part for part, weight in parts if weight])
    assert sorted(seen) == sorted(batch)
    mean = np.mean([weight * part.mean() for part, weight in parts])
    assert mean == pytest.approx(batch.mean())


@given(gaps=strategies.lists(strategies.integers(1, 3), min_size=1, max_size=9), world=NUMBERS)
def test_all_rows_are_scored_once_and_in_order(gaps, world):
    first_rows = np.cumsum(gaps).tolist()
    rows = first_rows[-1] + 2
    parts = [own_examples(len(first_rows), rank, world) for rank in range(world)]
    assert [number for part in parts for number in part] == list(range(len(first_rows)))
    owned = [own_rows(part, first_rows, rows) for part in parts]
    assert [row for own in owned for row in own] == list(range(rows))
    for part, own in zip(parts, owned, strict=True):
        assert all(first_rows[number] in own for number in part)


def torchrun(*words):
    run = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", *map(str, words)]
    return subprocess.run(
        run,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def read_log(folder):
    layout = EpochLayout(line.ROWS, 1, "means")
    epochs = [
        np.concatenate(list(read_epoch(epoch_path(folder, epoch), layout)))
        for epoch in range(1, line.RECIPE.epochs + 1)
    ]
    return np.stack(epochs)["means"]


def test_two_processes_take_the_steps_of_one_and_write_one_log(tmp_path):
    done = torchrun(line.__file__, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    line.train(tmp_path / "one")
    one, two = (read_checkpoint(tmp_path / name / "checkpoint.pt") for name in ("one", "two"))
    for name in ("weight", "bias"):
        torch.testing.assert_close(two.weights[name], one.weights[name])
    expected, found = read_log(tmp_path / "one"), read_log(tmp_path / "two")
    np.testing.assert_allclose(found, expected, atol=1e-6)
    scored = np.isfinite(found).all(axis=(0, 2, 3))
    assert scored.tolist() == [bool(row % 2) for row in range(line.ROWS)]
    files = [{path.name for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0] == files[1]


def test_what_ends_one_process_ends_all(tmp_path):
    done = torchrun(line.__file__, tmp_path / "log", "broken")
    assert done.returncode != 0
    assert done.stderr.count("OSError: point 1 cannot be read") == 1


def test_an_error_of_all_processes_is_told_once(tmp_path):
    done = torchrun(
        *("-m", "--", "tfdp.cli", "train-score", tmp_path, "--images", tmp_path / "nowhere"),
        *("--log", tmp_path / "log", "-o", tmp_path / "scores.csv"),
    )
    assert done.returncode != 0
    assert done.stderr.count("tfdp: error: --images must be the folder") == 1
