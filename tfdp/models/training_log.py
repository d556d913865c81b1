"""The training log: what every instance looked like to the model, epoch by epoch, on disk.

A log is a folder. It is written once an epoch, file by file, each complete or absent, so that a
killed run goes on from it, and can be scored again later with other windows or regions:

- `training.lock`: locked by the process that trains, and by none once that has ended.
- `run.json`: the parameters of the run (`kind`, `epochs`, `model`, `seed`, ...). It is the first
  file, and the sign that the others are of a log.
- `rows.json`: `image_ids` (I); for the N rows, in the order of all arrays below: `instance_ids`,
  `image_index` (into `image_ids`), `labels`, `scorable`; and `skipped`, [kind, id, reason, detail]
  of all that is not scorable. Such an instance keeps its row. `sha256` is the checksum of the rest.
- `targets.npy`: (N, ceil(P / 8)) uint8, the target's P pixels as bits (`numpy.packbits`).
  P is 28 x 28 = 784, row by row in the box; 1 for classification, where a row is an image.
- `epoch_0001.npy` ... `epoch_000E.npy`, after each epoch; or `epoch_0000.npy` alone, for weights
  that were scored without training. A structured array (N,) of
  - `means` (2, 4) float32: entropy, loss, el2n and margin, averaged over the box's pixels (0) and
    over the target's (1); NaN where there is no value. Times the number of pixels: the sums.
  - `correct` (ceil(P / 8),) uint8: the correctness bits.
  - `q` (P,) uint16: probability of the target x 65535, rounded; the error is at most 7.7e-6.

  1,698 bytes a row for instances: COCO train2017 (860,001) takes 1.5 GB an epoch.
- `seconds.json`: wall times of `training` and `scoring`, those before a kill included.
- `checkpoint.pt`: the model after the last finished epoch (`checkpoints.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files.json_text import dump_json, format_json
from .files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from ..skipped import Skipped
    from ..sources.source import Id

MEANS = ("entropy", "loss", "el2n", "margin")
PROBABILITY_STEPS = 65535
PIXELS = {"instance segmentation": 28 * 28, "classification": 1}  # P, by the kind of a run
RUN, ROWS, TARGETS, SECONDS = "run.json", "rows.json", "targets.npy", "seconds.json"
CHECKPOINT = "checkpoint.pt"
CHECKSUM = "sha256"  # of the rest of rows.json


@dataclass(frozen=True)
class LogRows:
    """Whose values the log's arrays hold."""

    image_ids: list[Id]  # (I,)
    instance_ids: list[Id]  # (N,)
    image_index: NDArray[np.int64]  # (N,)
    labels: list[str | None]  # (N,)
    scorable: NDArray[np.bool_]  # (N,)
    skipped: Skipped


def packed_size(pixels: int) -> int:
    """Bytes that the bits of P pixels take."""
    return -(-pixels // 8)


def epoch_dtype(pixels: int) -> np.dtype[np.void]:
    """One row of an epoch's file, for P pixels."""
    bits = ("correct", "u1", (packed_size(pixels),))
    return np.dtype([("means", "<f4", (2, 4)), bits, ("q", "<u2", (pixels,))])


def blank_rows(count: int, pixels: int) -> NDArray[np.void]:
    """Rows without a value."""
    rows = np.zeros(count, epoch_dtype(pixels))
    rows["means"] = np.nan
    return rows


def pack_rows(means: Any, correct: Any, target_probability: Any) -> NDArray[np.void]:
    """Rows of an epoch's file from (n, 2, 4) means, (n, P) correctness and (n, P) q."""
    rows = blank_rows(*np.shape(target_probability))
    rows["means"] = means
    rows["correct"] = np.packbits(correct, axis=-1)
    rows["q"] = np.rint(np.asarray(target_probability, np.float64) * PROBABILITY_STEPS)
    return rows


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Write the parameters of a run."""
    _write_json(folder / RUN, run)


def write_rows(folder: Path, rows: LogRows, targets: NDArray[np.uint8]) -> None:
    """Write whose values will be logged, and their targets' (N, ceil(P / 8)) bits."""
    with write_atomically(folder / TARGETS) as file:
        np.save(file, targets)
    content = vars(rows) | {"skipped": [list(item) for item in rows.skipped]}
    _write_json(folder / ROWS, content | {CHECKSUM: sum_up(content)})


def sum_up(rows: dict[str, Any]) -> str:
    """A checksum of what `rows.json` says."""
    return hashlib.sha256(dump_json(rows)).hexdigest()


def write_epoch(
    folder: Path, epoch: int, count: int, pixels: int, parts: Iterable[NDArray[np.void]]
) -> None:
    """Write an epoch's file from parts that come one after another; never half of it."""
    with write_atomically(epoch_path(folder, epoch)) as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(epoch_dtype(pixels)),
            "fortran_order": False,
            "shape": (count,),
        }
        np.lib.format.write_array_header_2_0(file, header)
        for part in parts:
            file.write(part.tobytes())


def epoch_path(folder: Path, epoch: int) -> Path:
    return folder / f"epoch_{epoch:04d}.npy"


def write_seconds(folder: Path, seconds: dict[str, float]) -> None:
    """Write the wall times."""
    _write_json(folder / SECONDS, seconds)


def unpack_bits(packed: NDArray[np.uint8], pixels: int) -> NDArray[np.bool_]:
    """(n, P) pixels from (n, ceil(P / 8)) bits."""
    return np.unpackbits(packed, axis=-1, count=pixels).astype(bool)


def logged_correct(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Correctness of an epoch's rows, (n, P)."""
    return unpack_bits(rows["correct"], rows.dtype["q"].shape[0])


def logged_probability(rows: NDArray[np.void]) -> NDArray[np.float32]:
    """Probability of the target of an epoch's rows, (n, P)."""
    return rows["q"].astype(np.float32) / np.float32(PROBABILITY_STEPS)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with write_atomically(path) as file:
        file.write(format_json(content))
