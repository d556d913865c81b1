"""What the training loop trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from .checkpoints import Checkpoint


class Task(Protocol):
    """A network, its batches, its losses, its scoring pass."""

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

    def score(self, part: range) -> Iterator[NDArray[np.void]]:
        """Rows of the log of a part of the examples, one after another, by the network as it is.

        They are `parallel.own_rows`: blank where no example is.
        """


class TaskLosses(torch.nn.Module):
    """A task's losses as a module, for Fabric to run in some precision and several processes."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.network, self.losses = task.network, task.losses

    def forward(self, batch: Any) -> dict[str, torch.Tensor]:
        return self.losses(batch)
