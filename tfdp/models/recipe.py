"""How a network is trained: what can be asked for, and what follows from it for every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..values import LARGEST, check_number, check_whole
from .log_reading import MOST_EPOCHS

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANGES = {  # of the whole numbers that can be asked for
    "epochs": (0, MOST_EPOCHS),
    "batch_size": (1, LARGEST),
    "image_size": (32, 8192),  # px; the networks' coarsest cells have 32
    "seed": (0, LARGEST),
    "workers": (0, 512),
    "window": (2, MOST_EPOCHS),
}
WARM_UP = 1000  # steps, at most one epoch
DECAY_AT = (2 / 3, 11 / 12)  # of the training, by 10 each: epochs 8 and 11 of the usual 12


def check_settings(**settings: float | None) -> None:
    """Raise ValueError for a number that no training can take: before its log is begun.

    Args:
        settings: those of `RANGES`, and `learning_rate`; None stands for a default.
    """
    for name, value in settings.items():
        if name == "learning_rate":
            if not check_number(name, value) > 0:
                raise ValueError(f"expected a positive learning_rate, got {value}")
        elif value is not None:
            check_whole(name, value, *RANGES[name])


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: SGD, linear warm-up, step decay.

    Attributes:
        epochs: E.
        batch_size: images.
        learning_rate: for `reference_batch` images; scaled linearly to the batch.
        reference_batch: images.
        weight_decay, momentum: SGD's.
        seed: of everything random.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    reference_batch: int
    weight_decay: float
    momentum: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        check_settings(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=self.seed,
        )


def learning_rate_at(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Learning rate of a step (0 is the first): linear warm-up, then a tenth at each decay."""
    full = recipe.learning_rate * recipe.batch_size / recipe.reference_batch
    warm_up = min((step + 1) / min(WARM_UP, steps_per_epoch), 1.0)
    done = step / (steps_per_epoch * recipe.epochs)
    return float(full * warm_up * 0.1 ** sum(done >= at for at in DECAY_AT))


def batch_order(recipe: Recipe, examples: int, epoch: int) -> list[NDArray[np.int64]]:
    """The epoch's batches of example numbers: shuffled, all of them, of nearly equal sizes."""
    order = np.random.default_rng([recipe.seed, epoch]).permutation(examples)
    return np.array_split(order, math.ceil(examples / recipe.batch_size))
