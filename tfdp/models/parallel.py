"""The processes that train together, by Lightning Fabric: one, or those that torchrun started."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from .epoch_files import epoch_path, write_epoch
from .torchrun import find_started
from .training_log import epoch_dtype

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from ..progress import Progress
    from .epoch_files import EpochLayout

LONGEST_WAIT = timedelta(days=1)  # torchrun ends those that wait for one that has failed
ROWS_AT_ONCE = 4096
PART = ".part"  # and the process's number: the ending of its file
SCORED_AT_ONCE = 4  # times the batch in training, on a GPU: scoring keeps nothing for gradients


def start_fabric(device: torch.device, precision: str) -> Fabric:
    """What runs a network on a device, in each of the processes.

    Args:
        device: of `find_device`; each of several processes takes one of its kind.
        precision: of `PRECISIONS`.

    Raises:
        ValueError: one device is named for several processes.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # else it tells of each start
    started = find_started()
    if started.world == 1:
        fabric = Fabric(
            accelerator=device.type,
            devices=[device.index or 0] if device.type == "cuda" else 1,
            precision=_precision(device, precision),
        )
    elif device.index is not None:
        raise ValueError(
            f"expected the device {device.type}, of which each process takes its own, got {device}"
        )
    else:
        fabric = Fabric(
            accelerator=device.type,
            strategy=DDPStrategy(timeout=LONGEST_WAIT, static_graph=True),
            devices=started.local,
            num_nodes=started.world // started.local,
            precision=_precision(device, precision),
        )
    fabric.launch()
    return fabric


def _precision(device: torch.device, asked: str) -> Any:
    automatic = device.type == "cuda" and asked == "auto"
    return "bf16-mixed" if asked == "bfloat16" or automatic else "32-true"


def scoring_batch(fabric: Fabric, batch_size: int) -> int:
    """Images that a process scores at a time where `batch_size` are learned by all of them."""
    own = -(-batch_size // fabric.world_size)
    return own * SCORED_AT_ONCE if fabric.device.type == "cuda" else own


def own_part(batch: NDArray[np.int64], rank: int, world: int) -> tuple[NDArray[np.int64], float]:
    """A process's part of a batch, and its weight in the mean over all processes.

    The means of the parts, times the weights, are on average the mean of the batch. A process for
    which there is nothing takes the first of the batch, with no weight.
    """
    part = batch[rank::world]
    return (part, len(part) * world / len(batch)) if len(part) else (batch[:1], 0.0)


def own_examples(count: int, rank: int, world: int) -> range:
    """The examples that a process scores: consecutive ones, of nearly equal numbers."""
    return range(count * rank // world, count * (rank + 1) // world)


def own_rows(part: range, first_rows: Sequence[int], rows: int) -> range:
    """The log's rows of some consecutive examples, up to the first row of those that follow.

    Args:
        part: the numbers of the examples.
        first_rows: of all examples.
        rows: of the log.
    """
    edges = [0, *first_rows[1:], rows]
    return range(edges[part.start], edges[part.stop])


def who_is_told(fabric: Fabric, progress: Progress | None) -> Progress | bool:
    """The progress of the first process, or a bar if None; that of the others is not shown."""
    return (progress or True) if fabric.is_global_zero else False


def clear_parts(folder: Path) -> None:
    """Removes what processes that were killed had written for the first to join."""
    for path in folder.glob(f"epoch_*{PART}*"):
        path.unlink()


def write_together(
    fabric: Fabric,
    folder: Path,
    epoch: int,
    layout: EpochLayout,
    own: Iterator[NDArray[np.void]],
) -> None:
    """Write an epoch of the log from the parts of all processes, which see the same folder.

    Args:
        fabric: of the processes.
        folder: the log's.
        epoch: its number.
        layout: of the file.
        own: the rows of this process, one after another.

    Raises:
        OSError: they could not be written.
    """
    if fabric.is_global_zero:
        rows = _joined(fabric, folder, epoch, layout.pixels, own)
        write_epoch(epoch_path(folder, epoch), layout, rows)
    else:
        with _part(folder, epoch, fabric.global_rank).open("wb") as file:
            for part in own:
                file.write(part.tobytes())
        fabric.barrier()


def _part(folder: Path, epoch: int, rank: int) -> Path:
    return epoch_path(folder, epoch).with_suffix(f"{PART}{rank}")


def _joined(
    fabric: Fabric, folder: Path, epoch: int, pixels: int, own: Iterator[NDArray[np.void]]
) -> Iterator[NDArray[np.void]]:
    yield from own
    fabric.barrier()  # the other processes have written theirs
    for rank in range(1, fabric.world_size):
        path = _part(folder, epoch, rank)
        with path.open("rb") as file:
            while len(rows := np.fromfile(file, epoch_dtype(pixels), ROWS_AT_ONCE)):
                yield rows
        path.unlink()
