"""How a network is trained: what follows from its options for every step, by pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .options import TrainingOptions

WARM_UP = 1000  # batches, at most one epoch
DECAY_AT = (2 / 3, 11 / 12)  # of the training: epochs 8 and 11 of the usual 12


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        epochs: E, after each of which the network is scored.
        batch_size: images, of all processes together.
        learning_rate: for `reference_batch` images; scaled linearly to the batch.
        reference_batch: images.
        weight_decay, momentum: of the optimizer.
        iterations: batches in all; None for E passes over all examples.
        optimizer: "sgd" or "adamw".
        schedule: "step" or "cosine".
        decay_epochs: where "step" takes a tenth; None for `DECAY_AT`.
        warm_up_epochs: None for `WARM_UP`.
        gradient_clip: longest norm of all gradients together; None for no limit.
        seed: of everything random.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    reference_batch: int
    weight_decay: float
    momentum: float = 0.9
    iterations: int | None = None
    optimizer: str = "sgd"
    schedule: str = "step"
    decay_epochs: tuple[float, ...] | None = None
    warm_up_epochs: float | None = None
    gradient_clip: float | None = None
    seed: int = 0


def make_recipe(options: TrainingOptions, reference_batch: int) -> Recipe:
    """The recipe of a training that is asked for."""
    asked = vars(options)
    same = {f.name: asked[f.name] for f in fields(Recipe) if f.name in asked}
    return Recipe(reference_batch=reference_batch, **same)


def learning_rate_at(recipe: Recipe, step: int, steps: int) -> float:
    """Learning rate of a step: a linear warm-up times the schedule.

    Args:
        recipe: whose.
        step: 0 is the first.
        steps: of the whole training.
    """
    full = recipe.learning_rate * recipe.batch_size / recipe.reference_batch
    an_epoch = steps / recipe.epochs
    asked = recipe.warm_up_epochs
    warm_up = min(WARM_UP, an_epoch) if asked is None else asked * an_epoch
    rising = min((step + 1) / max(warm_up, 1), 1.0)
    return full * rising * _schedule(recipe, step, steps)


def _schedule(recipe: Recipe, step: int, steps: int) -> float:
    if recipe.schedule == "cosine":
        return (1 + math.cos(math.pi * step / steps)) / 2
    points = recipe.decay_epochs
    shares = DECAY_AT if points is None else [point / recipe.epochs for point in points]
    return float(0.1 ** sum(step >= round(share * steps) for share in shares))


def count_steps(recipe: Recipe, examples: int) -> int:
    """Batches of the whole training."""
    return recipe.iterations or recipe.epochs * _batches_a_pass(recipe, examples)


def _batches_a_pass(recipe: Recipe, examples: int) -> int:
    return math.ceil(examples / recipe.batch_size)


def _pass_batches(
    recipe: Recipe, groups: NDArray[np.int64], number: int
) -> list[NDArray[np.int64]]:
    rng = np.random.default_rng([recipe.seed, number])
    order = rng.permutation(len(groups))
    grouped = order[np.argsort(groups[order], kind="stable")]
    batches = np.array_split(grouped, _batches_a_pass(recipe, len(groups)))
    rng.shuffle(batches)
    return [batch + number * len(groups) for batch in batches]


def epoch_batches(recipe: Recipe, groups: NDArray[np.int64], epoch: int) -> list[NDArray[np.int64]]:
    """The batches of an epoch, by the numbers of their draws.

    Batches follow each other in passes over all N examples, each of which is shuffled by the seed
    and its number, and cut into batches of nearly equal sizes. The example i is draw p N + i in
    the pass p (0 is the first): what is random in it is drawn from that number.

    Args:
        recipe: of the training.
        groups: (N,) examples of one group share their batches, but where two groups meet.
        epoch: 1 is the first.
    """
    a_pass = _batches_a_pass(recipe, len(groups))
    steps = count_steps(recipe, len(groups))
    first, stop = (steps * e // recipe.epochs for e in (epoch - 1, epoch))
    passes = {
        number: _pass_batches(recipe, groups, number)
        for number in range(first // a_pass, (stop - 1) // a_pass + 1)
    }
    return [passes[step // a_pass][step % a_pass] for step in range(first, stop)]
