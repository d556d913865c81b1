"""What a training has reached is saved after every epoch, and taken up after a kill."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .checkpoints import load_weights, read_checkpoint, write_checkpoint
from .epoch_files import epoch_path, find_bad_epochs
from .log_reading import LOST, damaged
from .training_log import CHECKPOINT

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from .epoch_files import EpochLayout
    from .recipe import Recipe
    from .task import Task


def save_state(task: Task, optimizer: torch.optim.Optimizer, epoch: int, folder: Path) -> None:
    """Writes the checkpoint of a log after an epoch.

    Raises:
        OSError: it could not be written.
    """
    state = {"weights": task.network.state_dict(), "optimizer": optimizer.state_dict()}
    write_checkpoint(folder / CHECKPOINT, replace(task.checkpoint, epoch=epoch, **state))


def _load(task: Task, optimizer: torch.optim.Optimizer, recipe: Recipe, path: Path) -> int:
    """Loads a checkpoint of this training; returns its epoch."""
    saved, own = read_checkpoint(path), task.checkpoint
    other = ValueError(f"{path}: expected a checkpoint of this training, found another's")
    made_with = (saved.model, saved.classes, saved.image_size)
    if made_with != (own.model, own.classes, own.image_size) or saved.epoch > recipe.epochs:
        raise other
    load_weights(task.network, saved.weights, f"{path}")
    try:
        optimizer.load_state_dict(saved.optimizer)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise other from error
    return saved.epoch


def resume(
    task: Task,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    folder: Path,
    layout: EpochLayout,
) -> int:
    """Goes on from a log's checkpoint, if there is one; returns the number of finished epochs.

    Raises:
        ValueError: it is damaged, or an epoch before its own is.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return 0
    try:
        done = _load(task, optimizer, recipe, path)
    except ValueError as error:
        raise ValueError(
            f"{error}. Delete the file, and the same training starts from its first epoch"
        ) from error
    bad = find_bad_epochs(folder, range(1, done), layout)
    if bad:
        raise damaged(epoch_path(folder, bad[0]), LOST)
    return done
