"""The loop, on a network of one number: schedule, order, and what stops it."""

import contextlib
import errno
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models import training  # noqa: E402
from tfdp.models.checkpoints import Checkpoint, read_checkpoint  # noqa: E402
from tfdp.models.optimizers import make_optimizer, take_step  # noqa: E402
from tfdp.models.parallel import start_fabric  # noqa: E402
from tfdp.models.recipe import Recipe  # noqa: E402
from tfdp.models.training_log import blank_rows  # noqa: E402

ROOT = Path(__file__).parents[2]
RECIPE = Recipe(epochs=12, batch_size=4, learning_rate=0.02, reference_batch=16, weight_decay=0)


def test_seeding_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with training.seeded(1, 2):
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with training.seeded(1, 2):
        assert torch.equal(torch.rand(3), inside)


def train(task, recipe, folder, progress=lambda fraction, message: None):
    training.train(task, recipe, folder, start_fabric(task.device, "float32"), progress)


class OneNumber:
    """w fitted to 1 by (w - 1)², as the loop takes it."""

    def __init__(self, loss=lambda w: (w - 1) ** 2):
        self.network = torch.nn.Linear(1, 1, bias=False)
        self.device = torch.device("cpu")
        self.checkpoint = Checkpoint("one", ["a"], 64, {})
        self.examples, self.groups = range(4), np.zeros(4, int)
        self.rows = self.pixels = 1
        self.loss = loss

    def batches(self, order):
        return iter(order)

    def losses(self, batch):
        return {"loss": self.loss(self.network.weight.sum())}

    def score(self, part):
        yield blank_rows(1, 1)


def test_the_loop_learns_reports_and_checkpoints(tmp_path):
    task, told = OneNumber(), []
    recipe = Recipe(
        epochs=40, batch_size=4, learning_rate=0.4, reference_batch=4, weight_decay=0, momentum=0
    )
    train(task, recipe, tmp_path, lambda fraction, message: told.append((fraction, message)))
    assert task.network.weight.item() == pytest.approx(1, abs=1e-3)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert "epoch 1/40, batch 1/1: loss" in told[0][1]
    assert read_checkpoint(tmp_path / "checkpoint.pt").epoch == 40


PLAIN = replace(
    RECIPE, epochs=3, learning_rate=0.1, reference_batch=4, warm_up_epochs=0, decay_epochs=()
)


def test_steps_of_sgd_with_momentum_and_weight_decay(tmp_path):
    w, velocity = 0.25, 0.0
    for rate in (0.1, 0.1, 0.01):  # a tenth after the second of three
        velocity = 0.9 * velocity + 2 * (w - 1) + 0.5 * w
        w -= rate * velocity
    task = OneNumber()
    torch.nn.init.constant_(task.network.weight, 0.25)
    train(task, replace(PLAIN, weight_decay=0.5, decay_epochs=(2,)), tmp_path)
    assert task.network.weight.item() == pytest.approx(w)


def test_a_step_of_adamw_decays_weights_and_no_biases():
    layer = torch.nn.Linear(1, 1)
    for value in layer.parameters():
        torch.nn.init.constant_(value, 2.0)
    optimizer = make_optimizer(replace(RECIPE, optimizer="adamw", weight_decay=0.5), layer)
    (3 * layer.weight + 3 * layer.bias).sum().backward()
    take_step(optimizer, 0.1, None)  # the first step is as long as the rate
    assert layer.weight.item() == pytest.approx(2 - 0.1 * 0.5 * 2 - 0.1)
    assert layer.bias.item() == pytest.approx(2 - 0.1)
    take_step(optimizer, 0.1, None)  # the gradients are spent
    assert layer.bias.item() == pytest.approx(2 - 0.1)


@pytest.mark.parametrize("clip, moved", [(None, (3, 4)), (10, (3, 4)), (1, (0.6, 0.8))])
def test_gradients_are_cut_to_a_length(clip, moved):
    layer = torch.nn.Linear(1, 1)
    for value in layer.parameters():
        torch.nn.init.zeros_(value)
    optimizer = make_optimizer(replace(RECIPE, momentum=0), layer)
    (3 * layer.weight + 4 * layer.bias).sum().backward()
    take_step(optimizer, 1.0, clip)
    assert (-layer.weight.item(), -layer.bias.item()) == pytest.approx(moved)


def test_what_is_kept_as_it_is_is_not_decayed_either():
    layer = torch.nn.Linear(1, 1)
    layer.weight.requires_grad_(requires_grad=False)
    groups = make_optimizer(RECIPE, layer).param_groups
    assert [p for group in groups for p in group["params"]] == [layer.bias]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_stopped_and_gone_on_with_is_bit_equal_to_unbroken(tmp_path, optimizer):
    recipe = replace(PLAIN, epochs=4, optimizer=optimizer, weight_decay=0.1)

    def stop(fraction, message):
        if message.startswith("epoch 3/4"):
            raise KeyboardInterrupt

    for name, progress in (("broken", stop), ("broken", None), ("whole", None)):
        task = OneNumber()
        torch.nn.init.constant_(task.network.weight, 0.25)
        (tmp_path / name).mkdir(exist_ok=True)
        with contextlib.suppress(KeyboardInterrupt):
            train(task, recipe, tmp_path / name, progress or (lambda *_: None))
    weights = [
        read_checkpoint(tmp_path / name / "checkpoint.pt").weights["weight"]
        for name in ("broken", "whole")
    ]
    assert torch.equal(*weights)


def test_losses_that_are_not_finite_stop_it_and_say_what_to_try(tmp_path):
    task = OneNumber(lambda w: w * float("nan"))
    with pytest.raises(
        ValueError,
        match=r"found loss nan in epoch 1/12, batch 1/1. Try a lower learning rate than 0.02",
    ):
        train(task, RECIPE, tmp_path)


@pytest.mark.parametrize("batch, looked", [(25, 41), (50, 50)], ids=["between", "the last"])
def test_a_loss_that_is_not_finite_is_found_at_the_next_look(tmp_path, batch, looked):
    seen = []

    def loss(w):
        seen.append(w)
        return w * (float("inf") if len(seen) == batch else 1)

    task = OneNumber(loss)
    task.examples, task.groups = range(100), np.zeros(100, int)
    recipe = replace(RECIPE, epochs=1, batch_size=2)
    with pytest.raises(ValueError, match=rf"found loss -?(inf|nan) in epoch 1/1, batch {batch}/50"):
        train(task, recipe, tmp_path)
    assert len(seen) == looked
    assert not (tmp_path / "checkpoint.pt").exists()


def raise_of_the_gpu(_):
    raise torch.cuda.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize("loss", [raise_of_the_gpu, lambda w: w * torch.empty(10**15)])
def test_too_little_memory_names_batch_and_size(tmp_path, loss):
    with pytest.raises(ValueError, match="batches of 4 images of 64 px: take a smaller batch"):
        train(OneNumber(loss), RECIPE, tmp_path)


@pytest.mark.parametrize("name", ["nonsense", "cuda"])
def test_devices_that_are_not_there(name):
    if name == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(ValueError, match="expected a"):
        training.find_device(name)


FULL_DISK = """
import resource, signal, sys, torch
from pathlib import Path
from tfdp.models.checkpoints import Checkpoint, write_checkpoint
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # as if no more were left
for size in (10, 100_000):
    write_checkpoint(Path(sys.argv[1]), Checkpoint("one", ["a"], 64, {"w": torch.zeros(size)}))
"""


def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path):
    run = [sys.executable, "-c", FULL_DISK, str(tmp_path / "checkpoint.pt")]
    found = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    message = found.stderr.splitlines()[-1]
    assert message.startswith(f"OSError: [Errno {errno.EFBIG}] could not write checkpoint.pt")
    assert "make room on the disk and start the same command again" in message
    assert read_checkpoint(tmp_path / "checkpoint.pt").weights["w"].shape == (10,)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]
