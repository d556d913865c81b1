"""The training log: what every instance looked like to the model, epoch by epoch, on disk.

A log is a folder. It is written once an epoch, file by file, each complete or absent, so that a
killed run goes on from it, and can be scored again later with other windows or regions:

- `training.lock`: locked by the process that trains, and by none once that has ended.
- `run.json`: the parameters of the run (`kind`, `epochs`, `model`, `seed`, ...), the `format` of
  the log, and what is `stored` of each epoch. It is the first file, and the sign that the others
  are of a log.
- `rows.json`: `image_ids` (I); for the N rows, in the order of all arrays below: `instance_ids`,
  `image_index` (into `image_ids`), `labels`, `scorable`; and `skipped`, [kind, id, reason, detail]
  of all that is not scorable. Such an instance keeps its row. `sha256` is the checksum of the rest.
- `targets.parquet`: a column `target` of the target's P pixels as bits (`numpy.packbits`).
  P is 28 x 28 = 784, row by row in the box; 1 for classification, where a row is an image.
- `epoch_0001.parquet` ... `epoch_000E.parquet`, after each epoch; or `epoch_0000.parquet` alone,
  for weights that were scored without training. The columns of the N rows:
  - `entropy_roi`, `loss_roi`, `el2n_roi`, `margin_roi`, float32: averaged over the box's pixels;
    `entropy_mask` and so on: over the target's. NaN where there is no value. Times the number of
    pixels: the sums. All that entropy, loss, el2n and aum need: where no more is asked for, no more
    is stored.
  - `correct`: the correctness bits, where forgetting is asked for, but not dyn_unc and dual.
  - `target_probability`: q, where dyn_unc or dual are asked for: which of 64 equal steps of [0, 1]
    it is in, correct pixels in the upper half (`epoch_files.py` says how they are written); of an
    image's class, where `correct` stands beside it, which of 65536.
- `seconds.json`: wall times of `training` and `scoring`, those before a kill included.
- `checkpoint.pt`: the model after the last finished epoch (`checkpoints.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..files.json_text import dump_json, format_json
from .files import write_atomically
from .log_tables import in_groups, make_schema, write_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..skipped import Skipped
    from ..sources.source import Id

MEANS = ("entropy", "loss", "el2n", "margin")
LEVELS = 65536  # of q in memory: equal steps of [0, 1], whose middles stand for them
FORMAT = 2  # of the log
CORRECT, PROBABILITY, TARGET = "correct", "target_probability", "target"
STORED = ("means", CORRECT, PROBABILITY)  # a log holds one of these, and those before it
PIXELS = {"instance segmentation": 28 * 28, "classification": 1}  # P, by the kind of a run
RUN, ROWS, TARGETS, SECONDS = "run.json", "rows.json", "targets.parquet", "seconds.json"
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
    """A row of the log in memory, for P pixels."""
    bits = ("correct", "u1", (packed_size(pixels),))
    return np.dtype([("means", "<f4", (2, 4)), bits, ("q", "<u2", (pixels,))])


def blank_rows(count: int, pixels: int) -> NDArray[np.void]:
    """Rows without a value."""
    rows = np.zeros(count, epoch_dtype(pixels))
    rows["means"] = np.nan
    return rows


def pack_rows(means: Any, correct: Any, target_probability: Any) -> NDArray[np.void]:
    """Rows of the log in memory from (n, 2, 4) means, (n, P) correctness and (n, P) q."""
    rows = blank_rows(*np.shape(target_probability))
    rows["means"] = means
    rows["correct"] = np.packbits(correct, axis=-1)
    rows["q"] = np.minimum(np.asarray(target_probability, np.float64) * LEVELS, LEVELS - 1)
    return rows


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Write the parameters of a run."""
    _write_json(folder / RUN, {"format": FORMAT, **run})


def write_rows(folder: Path, rows: LogRows, targets: NDArray[np.uint8]) -> None:
    """Write whose values will be logged, and their targets' (N, ceil(P / 8)) bits."""
    schema = targets_schema(targets.shape[1])
    write_table(folder / TARGETS, schema, ({TARGET: part} for part in in_groups([targets], schema)))
    content = vars(rows) | {"skipped": [list(item) for item in rows.skipped]}
    _write_json(folder / ROWS, content | {CHECKSUM: sum_up(content)})


def targets_schema(width: int) -> pa.Schema:
    """Of the file of the targets, whose rows have `width` bytes."""
    return make_schema({TARGET: pa.binary(width)})


def sum_up(rows: dict[str, Any]) -> str:
    """A checksum of what `rows.json` says."""
    return hashlib.sha256(dump_json(rows)).hexdigest()


def write_seconds(folder: Path, seconds: dict[str, float]) -> None:
    """Write the wall times."""
    _write_json(folder / SECONDS, seconds)


def unpack_bits(packed: NDArray[np.uint8], pixels: int) -> NDArray[np.bool_]:
    """(n, P) pixels from (n, ceil(P / 8)) bits."""
    return np.unpackbits(packed, axis=-1, count=pixels).astype(bool)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with write_atomically(path) as file:
        file.write(format_json(content))
