"""How a network is trained: what follows from its options for every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .options import TrainingOptions

WARM_UP = 1000  # steps, at most one epoch
DECAY_AT = (2 / 3, 11 / 12)  # of the training, by 10 each: epochs 8 and 11 of the usual 12


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


def make_recipe(options: TrainingOptions, reference_batch: int, weight_decay: float) -> Recipe:
    """The recipe of a training that is asked for."""
    return Recipe(
        options.epochs,
        options.batch_size,
        options.learning_rate,
        reference_batch,
        weight_decay,
        seed=options.seed,
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
