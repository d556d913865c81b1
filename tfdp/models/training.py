"""The training loop: the same for masks and for classification, and the same after a kill.

All randomness (order, flips, sampled boxes, dropout) is drawn from the seed and the number of the
epoch or of the image's draw, and the learning rate from the step's: a run that goes on from a
checkpoint takes the very steps that an unbroken one takes.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from ..progress import Progress, part_of, shown
from .epoch_files import EpochLayout, epoch_path, find_bad_epochs, write_epoch
from .log_reading import read_run, read_seconds
from .log_start import lock_log, open_log
from .optimizers import make_optimizer, take_step
from .recipe import count_steps, epoch_batches, learning_rate_at
from .resuming import resume, save_state
from .training_log import PROBABILITY, write_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .checkpoints import Checkpoint
    from .recipe import Recipe
    from .training_log import LogRows

READING_SHARE = 0.02  # of the whole time, for the progress bar
TRAINING_SHARE = 0.85  # of an epoch's time, the rest is scoring
CPU_MEMORY = "DefaultCPUAllocator"  # in the error of torch where memory is short


class Task(Protocol):
    """What the loop trains: a network, its batches, its losses, its scoring pass."""

    @property
    def network(self) -> Any: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def checkpoint(self) -> Checkpoint:
        """What stays the same in all of its checkpoints: model, classes, image size."""

    @property
    def examples(self) -> Sequence[Any]:
        """What it is trained on."""

    @property
    def rows(self) -> int:
        """Rows of the log."""

    @property
    def pixels(self) -> int:
        """Pixels of a row."""

    @property
    def groups(self) -> NDArray[np.int64]:
        """(N,) examples of one group share their batches, as `recipe.epoch_batches` has it."""

    def batches(self, order: Iterable[NDArray[np.int64]]) -> Iterator[Any]:
        """Batches, each of the given draws of examples, as `recipe.epoch_batches` numbers them."""

    def losses(self, batch: Any) -> dict[str, torch.Tensor]:
        """The batch's losses, to be added up."""

    def score(self) -> Iterator[NDArray[np.void]]:
        """All rows of the log, part by part, by the network as it is now."""


@contextmanager
def seeded(seed: int, epoch: int) -> Iterator[None]:
    """Torch's random numbers drawn from a seed and an epoch; the caller's go on as they were."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))
        yield


def find_device(name: str | None = None) -> torch.device:
    """The named device, or the best there is: CUDA, MPS, CPU.

    Raises:
        ValueError: there is no such device.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    found["meta"] = False  # it holds no values
    if name is None:
        name = next((kind for kind, there in found.items() if there), "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"expected a device such as cuda, mps or cpu, got {name!r}") from error
    if not found.get(device.type, True):
        raise ValueError(f"expected a {device.type} device, found none: choose cpu")
    return device


def _train_epoch(
    task: Task,
    recipe: Recipe,
    optimizer: torch.optim.Optimizer,
    batches: Iterator[Any],
    epoch: int,
    report: Progress,
) -> float:
    started = time.perf_counter()
    kind = task.device.type
    steps = count_steps(recipe, len(task.examples))
    before = steps * (epoch - 1) // recipe.epochs
    here = steps * epoch // recipe.epochs - before
    task.network.train()
    for step, batch in enumerate(islice(batches, here)):
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            losses = task.losses(batch)
        total = sum(losses.values(), torch.zeros((), device=task.device))
        where = f"epoch {epoch}/{recipe.epochs}, batch {step + 1}/{here}"
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        _check_finite(values, where, recipe)
        torch.autograd.backward(total)
        take_step(optimizer, learning_rate_at(recipe, before + step, steps), recipe.gradient_clip)
        shown = ", ".join(
            f"{name.removeprefix('loss_')} {value:.3f}" for name, value in values.items()
        )
        report((step + 1) / here, f"{where}: {shown}")
    return time.perf_counter() - started


def _score(task: Task, layout: EpochLayout, folder: Path, epoch: int, report: Progress) -> float:
    started = time.perf_counter()

    def parts() -> Iterator[NDArray[np.void]]:
        done = 0
        for part in task.score():
            yield part
            done += len(part)
            report(done / task.rows, f"scoring after epoch {epoch}")

    task.network.eval()
    with torch.inference_mode():
        write_epoch(epoch_path(folder, epoch), layout, parts())
    return time.perf_counter() - started


def _check_finite(losses: dict[str, float], where: str, recipe: Recipe) -> None:
    if all(map(math.isfinite, losses.values())):
        return
    found = ", ".join(f"{name} {value}" for name, value in losses.items())
    raise ValueError(
        f"the training diverged: expected finite losses, found {found} in {where}. Try a lower"
        f" learning rate than {recipe.learning_rate:g}, a larger batch, or pretrained weights;"
        " the checkpoint of the epoch before is intact"
    )


@contextmanager
def _explain_memory(task: Task, recipe: Recipe) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.cuda.OutOfMemoryError) and CPU_MEMORY not in str(error):
            raise
        raise ValueError(
            f"the {task.device.type}'s memory is too small for batches of {recipe.batch_size}"
            f" images of {task.checkpoint.image_size} px: take a smaller batch or image size."
            f" ({error})"
        ) from error


def train(
    task: Task, recipe: Recipe, folder: Path, progress: Progress, stored: str = PROBABILITY
) -> None:
    """Train, score and checkpoint, epoch by epoch; go on from `folder`'s checkpoint if it has one.

    Without epochs, the network is scored once as it is.

    Args:
        task: what to train.
        recipe: how.
        folder: a started training log.
        progress: told the fraction and, with the losses, where the training is.
        stored: what the log holds of each epoch.

    Raises:
        ValueError: the losses are not finite, the device's memory is too small, or the log is
            damaged.
        OSError: the log or the checkpoint could not be written.
    """
    optimizer = make_optimizer(recipe, task.network)
    seconds = read_seconds(folder)
    layout = EpochLayout(task.rows, task.pixels, stored)
    done = resume(task, optimizer, recipe, folder, layout)
    with _explain_memory(task, recipe):
        if recipe.epochs == 0 or (done and find_bad_epochs(folder, [done], layout)):
            seconds["scoring"] += _score(task, layout, folder, done, progress)
        epochs = range(done + 1, recipe.epochs + 1)
        batches = task.batches(
            batch for epoch in epochs for batch in epoch_batches(recipe, task.groups, epoch)
        )
        for epoch in epochs:
            whole = part_of(progress, (epoch - 1) / recipe.epochs, 1 / recipe.epochs)
            learning = part_of(whole, 0, TRAINING_SHARE)
            scoring = part_of(whole, TRAINING_SHARE, 1 - TRAINING_SHARE)
            with seeded(recipe.seed, epoch):
                seconds["training"] += _train_epoch(
                    task, recipe, optimizer, batches, epoch, learning
                )
            seconds["scoring"] += _score(task, layout, folder, epoch, scoring)
            write_seconds(folder, seconds)
            save_state(task, optimizer, epoch, folder)
    write_seconds(folder, seconds)


def train_logged(
    task_of: Callable[[LogRows], Task],
    recipe: Recipe,
    folder: Path,
    run: dict[str, Any],
    count: int,
    prepare: Callable[[Progress], tuple[LogRows, NDArray[np.uint8]]],
    progress: Progress | None,
) -> None:
    """Train with a log, which is begun or gone on with; no other training writes to it meanwhile.

    Args:
        task_of: gives what to train from the log's rows.
        recipe: how.
        folder: the log's.
        run: the parameters, as `open_log` has them.
        count: N, the number of rows.
        prepare: as `open_log` has it, but for a progress of its own.
        progress: as `train` has it; a progress bar if None.

    Raises:
        ValueError, OSError: as `lock_log`, `open_log` and `train` say.
    """
    with shown(progress or True) as show, lock_log(folder):
        reading = part_of(show, 0, READING_SHARE)
        rows = open_log(folder, run, count, lambda: prepare(reading))
        learning = part_of(show, READING_SHARE, 1 - READING_SHARE)
        train(task_of(rows), recipe, folder, learning, read_run(folder)["stored"])
