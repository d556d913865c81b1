"""The losses of a training as they are looked at: now and then, since each look is waited for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from .recipe import Recipe

EVERY = 20  # batches; between two looks a GPU computes while the next batches are made ready


class LossWatch:
    """Looks at the losses of an epoch: of the first batch, of each twentieth, and of the last.

    Args:
        fabric: of the processes, over which the losses are averaged.
        recipe: of the training.
        epoch: its number.
        batches: in it.
    """

    def __init__(self, fabric: Fabric, recipe: Recipe, epoch: int, batches: int) -> None:
        self._fabric, self._recipe = fabric, recipe
        self._epoch, self._batches = epoch, batches
        self._seen = 0
        self._waiting: list[torch.Tensor] = []
        self._shown = ""

    def see(self, losses: dict[str, torch.Tensor]) -> str:
        """Takes the losses of the next batch; where it is, with those that were last looked at.

        Raises:
            ValueError: they are not finite.
        """
        self._waiting.append(torch.stack([loss.detach() for loss in losses.values()]))
        self._seen += 1
        if self._seen % EVERY == 1 or self._seen == self._batches:
            self._look(list(losses))
        return f"{self._where(self._seen)}: {self._shown}"

    def _where(self, batch: int) -> str:
        return f"epoch {self._epoch}/{self._recipe.epochs}, batch {batch}/{self._batches}"

    def _look(self, names: list[str]) -> None:
        rows: Any = self._fabric.all_reduce(torch.stack(self._waiting), reduce_op="mean")
        rows = rows.tolist()
        for batch, values in enumerate(rows, self._seen + 1 - len(rows)):
            if not all(map(math.isfinite, values)):
                self._refuse(dict(zip(names, values, strict=True)), self._where(batch))
        self._waiting.clear()
        self._shown = ", ".join(
            f"{name.removeprefix('loss_')} {value:.3f}"
            for name, value in zip(names, rows[-1], strict=True)
        )

    def _refuse(self, losses: dict[str, float], where: str) -> None:
        found = ", ".join(f"{name} {value}" for name, value in losses.items())
        raise ValueError(
            f"the training diverged: expected finite losses, found {found} in {where}. Try a lower"
            f" learning rate than {self._recipe.learning_rate:g}, a larger batch, or pretrained"
            " weights; the checkpoint of the epoch before is intact"
        )
