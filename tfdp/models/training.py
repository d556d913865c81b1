"""The training loop: the same for masks and for classification, and the same after a kill.

All randomness (order, flips, sampled boxes, dropout) is drawn from the seed and the number of the
epoch or of the image's draw, and the learning rate from the step's: a run that goes on from a
checkpoint takes the very steps that an unbroken one takes.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import tee
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..progress import Progress, part_of
from .epoch_files import EpochLayout, find_bad_epochs
from .log_reading import read_rows, read_run, read_seconds
from .log_start import lock_log, open_log
from .losses import LossWatch
from .optimizers import make_optimizer, take_step
from .parallel import clear_parts, own_examples, own_part, write_together
from .recipe import count_steps, epoch_batches, learning_rate_at
from .resuming import resume, save_state
from .task import TaskLosses
from .training_log import PROBABILITY, write_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lightning_fabric import Fabric
    from numpy.typing import NDArray

    from .recipe import Recipe
    from .task import Task
    from .training_log import LogRows

READING_SHARE = 0.02  # of the whole time, for the progress bar
TRAINING_SHARE = 0.85  # of an epoch's time, the rest is scoring
CPU_MEMORY = "DefaultCPUAllocator"  # in the error of torch where memory is short


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Torch's random numbers drawn from some numbers; the caller's go on as they were."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
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


@dataclass
class _Training:
    """A training that goes on."""

    task: Task
    recipe: Recipe
    folder: Path
    fabric: Fabric
    optimizer: torch.optim.Optimizer
    layout: EpochLayout

    def train(self, done: int, seconds: dict[str, float], progress: Progress) -> None:
        """All epochs after those that are done."""
        recipe, rank = self.recipe, self.fabric.global_rank
        epochs = range(done + 1, recipe.epochs + 1)
        losses = self.fabric.setup_module(TaskLosses(self.task)) if epochs else None
        batches = self._own_batches(epochs)
        for epoch in epochs:
            whole = part_of(progress, (epoch - 1) / recipe.epochs, 1 / recipe.epochs)
            learning = part_of(whole, 0, TRAINING_SHARE)
            scoring = part_of(whole, TRAINING_SHARE, 1 - TRAINING_SHARE)
            with seeded(recipe.seed, epoch, rank):
                seconds["training"] += self._train_epoch(losses, batches, epoch, learning)
            seconds["scoring"] += self.score(epoch, scoring)
            if rank == 0:
                write_seconds(self.folder, seconds)
                save_state(self.task, self.optimizer, epoch, self.folder)

    def _own_batches(self, epochs: range) -> Iterator[tuple[Any, float]]:
        """This process's part of each batch of all epochs, with its weight."""
        task, fabric = self.task, self.fabric
        parts, same = tee(
            own_part(batch, fabric.global_rank, fabric.world_size)
            for epoch in epochs
            for batch in epoch_batches(self.recipe, task.groups, epoch)
        )
        return zip(task.batches(draws for draws, _ in parts), (w for _, w in same), strict=True)

    def _train_epoch(
        self, losses_of: Any, batches: Iterator[tuple[Any, float]], epoch: int, report: Progress
    ) -> float:
        started = time.perf_counter()
        recipe = self.recipe
        steps = count_steps(recipe, len(self.task.examples))
        first, stop = (steps * e // recipe.epochs for e in (epoch - 1, epoch))
        watch = LossWatch(self.fabric, recipe, epoch, stop - first)
        self.task.network.train()
        for step in range(first, stop):
            batch, weight = next(batches)
            losses = {name: loss * weight for name, loss in losses_of(batch).items()}
            said = watch.see(losses)
            self.fabric.backward(sum(losses.values()))
            take_step(self.optimizer, learning_rate_at(recipe, step, steps), recipe.gradient_clip)
            report((step + 1 - first) / (stop - first), said)
        return time.perf_counter() - started

    def score(self, epoch: int, report: Progress) -> float:
        """Write what the network says of all examples; wall time in seconds."""
        started = time.perf_counter()
        task, fabric = self.task, self.fabric
        part = own_examples(len(task.examples), fabric.global_rank, fabric.world_size)

        def rows() -> Iterator[NDArray[np.void]]:
            done = 0
            for scored in task.score(part):
                yield scored
                done += len(scored) * fabric.world_size
                report(min(done / task.rows, 1.0), f"scoring after epoch {epoch}")

        task.network.eval()
        with torch.inference_mode(), fabric.autocast():
            write_together(fabric, self.folder, epoch, self.layout, rows())
        return time.perf_counter() - started


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
    task: Task,
    recipe: Recipe,
    folder: Path,
    fabric: Fabric,
    progress: Progress,
    stored: str = PROBABILITY,
) -> None:
    """Train, score and checkpoint, epoch by epoch; go on from `folder`'s checkpoint if it has one.

    Without epochs, the network is scored once as it is.

    Args:
        task: what to train.
        recipe: how.
        folder: a started training log.
        fabric: what runs the network, of `start_fabric`.
        progress: told the fraction and, with the losses, where the training is.
        stored: what the log holds of each epoch.

    Raises:
        ValueError: the losses are not finite, the device's memory is too small, or the log is
            damaged.
        OSError: the log or the checkpoint could not be written.
    """
    if task.device.type == "cuda":
        task.network.to(memory_format=torch.channels_last)  # as its tensor cores take it
    optimizer = make_optimizer(recipe, task.network)
    seconds = read_seconds(folder)
    layout = EpochLayout(task.rows, task.pixels, stored)
    done = resume(task, optimizer, recipe, folder, layout)
    training = _Training(task, recipe, folder, fabric, optimizer, layout)
    with _explain_memory(task, recipe):
        if recipe.epochs == 0 or (done and find_bad_epochs(folder, [done], layout)):
            seconds["scoring"] += training.score(done, progress)
        training.train(done, seconds, progress)
    if fabric.is_global_zero:
        write_seconds(folder, seconds)


def train_logged(
    task_of: Callable[[LogRows], Task],
    recipe: Recipe,
    folder: Path,
    run: dict[str, Any],
    count: int,
    prepare: Callable[[Progress], tuple[LogRows, NDArray[np.uint8]]],
    fabric: Fabric,
    progress: Progress,
) -> None:
    """Train with a log, which is begun or gone on with; no other training writes to it meanwhile.

    Of several processes, the first begins the log, saves what is reached, and tells of it.

    Args:
        task_of: gives what to train from the log's rows.
        recipe: how.
        folder: the log's.
        run: the parameters, as `open_log` has them.
        count: N, the number of rows.
        prepare: as `open_log` has it, but for a progress of its own.
        fabric: as `train` has it.
        progress: as `train` has it.

    Raises:
        ValueError, OSError: as `lock_log`, `open_log` and `train` say.
    """
    first = fabric.is_global_zero
    with lock_log(folder) if first else nullcontext():
        reading = part_of(progress, 0, READING_SHARE)
        if first:
            open_log(folder, run, count, lambda: prepare(reading))
            clear_parts(folder)
        fabric.barrier()
        task, stored = task_of(read_rows(folder)), read_run(folder)["stored"]
        learning = part_of(progress, READING_SHARE, 1 - READING_SHARE)
        train(task, recipe, folder, fabric, learning, stored)
        fabric.barrier()  # the log is whole
