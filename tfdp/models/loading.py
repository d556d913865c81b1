"""Loading in the background: any function of an item, batch by batch, in a given order."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from .torchrun import find_started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from ..progress import Progress

try:
    import resource
except ModuleNotFoundError:  # not on Windows
    resource = None  # type: ignore[assignment]

MOST_WORKERS = 8
OPEN_FILES = 4096
PR_SET_PDEATHSIG = 1  # of Linux's prctl


class _Failed(NamedTuple):
    """Stands for a batch with an item that could not be loaded."""

    error: Exception


@dataclass(frozen=True)
class _Loaded(Dataset[Any]):
    """What a DataLoader calls a dataset."""

    load: Callable[[Any, int], Any]
    items: Sequence[Any]
    join: Callable[[list[Any]], Any]

    def __getitems__(self, draws: list[int]) -> Any:
        count = len(self.items)
        try:
            return self.join([self.load(self.items[draw % count], draw) for draw in draws])
        except (OSError, SyntaxError, ValueError) as error:
            return _Failed(error)  # which torch would turn into the text of a traceback


def default_workers(device: torch.device) -> int:
    """Loading processes: none where the network itself needs the CPU."""
    share = (os.cpu_count() or 1) // find_started().local
    return 0 if device.type == "cpu" else min(max(share, 1), MOST_WORKERS)


def consecutive_batches(numbers: range, batch_size: int) -> list[NDArray[np.int64]]:
    """The numbers in batches, in order."""
    starts = range(0, len(numbers), batch_size)
    return [np.array(numbers[start : start + batch_size]) for start in starts]


def _end_with_parent(_worker: int) -> None:
    """A loading process ends when the one that started it does, killed or not.

    Where there is no such call, torch looks every five seconds, when no image is being loaded.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _raise_open_files() -> None:
    """As many open files as the system gives this process, up to what is ever needed.

    Each tensor that a process has loaded is an open file here until it is used.
    """
    if resource is None:
        return
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _same(batch: Any) -> Any:
    return batch


def load_batches(
    load: Callable[[Any, int], Any],
    items: Sequence[Any],
    order: Iterable[NDArray[np.int64]],
    workers: int,
    join: Callable[[list[Any]], Any] = list,
    *,
    pinned: bool = False,
) -> Iterator[Any]:
    """Batches of load(item, draw), one after another.

    Args:
        load: a function that processes can be sent (of a module, or a partial of one).
        items: what it loads.
        order: the draws of each batch: N + i, 2 N + i, ... are the item i, too, of N.
        workers: processes, which live as long as there are batches; 0 loads in this one.
        join: makes a batch of what was loaded, there; it should hold few tensors, since each of
            them takes an open file on its way here.
        pinned: put the batches' tensors into memory that a GPU can copy from meanwhile.

    Raises:
        OSError: a loading process ended, or has too little memory; or an item cannot be read.
    """
    if workers:
        _raise_open_files()
    loader: DataLoader[Any] = DataLoader(
        _Loaded(load, items, join),
        batch_sampler=(batch.tolist() for batch in order),
        collate_fn=_same,
        num_workers=workers,
        worker_init_fn=_end_with_parent,
        pin_memory=pinned,
        generator=torch.Generator(),  # torch draws a seed: not from the numbers of the training
    )
    try:
        for batch in loader:
            if isinstance(batch, _Failed):
                raise batch.error
            yield batch
    except RuntimeError as error:
        raise OSError(
            f"a process that loads images failed, as it does where there is too little memory; take"
            f" fewer workers or a smaller batch ({error})"
        ) from error


def _load_alone(load: Callable[[Any], Any], item: Any, _draw: int) -> Any:
    return load(item)


def load_each(
    load: Callable[[Any], Any], items: Sequence[Any], workers: int, progress: Progress
) -> Iterator[tuple[Any, Any]]:
    """Each item with load(item), in order; the progress is told of each as an image.

    Raises:
        OSError: as `load_batches`.
    """
    order = consecutive_batches(range(len(items)), 1)
    loaded = load_batches(partial(_load_alone, load), items, order, workers)
    for number, (item, (found,)) in enumerate(zip(items, loaded, strict=True), 1):
        yield item, found
        progress(number / len(items), f"reading image {number}/{len(items)}")
