"""Loading in the background: any function of an item, batch by batch, in a given order."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch
    from numpy.typing import NDArray

MOST_WORKERS = 8
PR_SET_PDEATHSIG = 1  # of Linux's prctl


class _Failed(NamedTuple):
    """Stands for an item that could not be loaded."""

    error: Exception


@dataclass(frozen=True)
class _Loaded(Dataset[Any]):
    """What a DataLoader calls a dataset."""

    load: Callable[[Any, int], Any]
    items: Sequence[Any]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, number: int) -> Any:
        try:
            return self.load(self.items[number], number)
        except (OSError, SyntaxError, ValueError) as error:
            return _Failed(error)  # which torch would turn into the text of a traceback


def default_workers(device: torch.device) -> int:
    """Loading processes: none where the network itself needs the CPU."""
    return 0 if device.type == "cpu" else min(os.cpu_count() or 1, MOST_WORKERS)


def consecutive_batches(count: int, batch_size: int) -> list[NDArray[np.int64]]:
    """The numbers 0 to count - 1 in batches, in order."""
    return [
        np.arange(start, min(start + batch_size, count)) for start in range(0, count, batch_size)
    ]


def _end_with_parent(_worker: int) -> None:
    """A loading process ends when the one that started it does, killed or not.

    Where there is no such call, torch looks every five seconds, when no image is being loaded.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def load_batches(
    load: Callable[[Any, int], Any],
    items: Sequence[Any],
    order: Sequence[NDArray[np.int64]],
    workers: int,
) -> Iterator[list[Any]]:
    """Lists of load(item, number), one a batch.

    Args:
        load: a function that processes can be sent (of a module, or a partial of one).
        items: what it loads.
        order: the numbers of each batch's items.
        workers: processes; 0 loads in this one.

    Raises:
        OSError: a loading process ended, or has too little memory; or an item cannot be read.
    """
    loader: DataLoader[Any] = DataLoader(
        _Loaded(load, items),
        batch_sampler=[batch.tolist() for batch in order],
        collate_fn=list,
        num_workers=workers,
        worker_init_fn=_end_with_parent,
    )
    try:
        for batch in loader:
            for item in batch:
                if isinstance(item, _Failed):
                    raise item.error
            yield batch
    except RuntimeError as error:
        raise OSError(
            f"a process that loads images failed, as it does where there is too little memory; take"
            f" fewer workers or a smaller batch ({error})"
        ) from error
