"""The training log: what every instance looked like to the model, epoch by epoch, on disk.

A log is a folder. It is written once an epoch, file by file, each complete or absent, so that a
killed run goes on from it, and can be scored again later with other windows or regions:

- `run.json`: the parameters of the run (`kind`, `epochs`, `model`, `seed`, ...).
- `rows.json`: `image_ids` (I); for the N rows, in the order of all arrays below: `instance_ids`,
  `image_index` (into `image_ids`), `labels`, `scorable`; and `skipped`, [kind, id, reason, detail]
  of all that is not scorable. Such an instance keeps its row.
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

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from ..skipped import Skipped, SkippedItem
from .files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from .records import Id

MEANS = ("entropy", "loss", "el2n", "margin")
PROBABILITY_STEPS = 65535


@dataclass(frozen=True)
class LogRows:
    """Whose values the log's arrays hold."""

    image_ids: list[Id]  # (I,)
    instance_ids: list[Id]  # (N,)
    image_index: NDArray[np.int64]  # (N,)
    labels: list[str | None]  # (N,)
    scorable: NDArray[np.bool_]  # (N,)
    skipped: Skipped


def epoch_dtype(pixels: int) -> np.dtype[np.void]:
    """One row of an epoch's file, for P pixels."""
    bits = -(-pixels // 8)
    return np.dtype([("means", "<f4", (2, 4)), ("correct", "u1", (bits,)), ("q", "<u2", (pixels,))])


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


def open_log(
    folder: Path, run: dict[str, Any], prepare: Callable[[], tuple[LogRows, NDArray[np.uint8]]]
) -> LogRows:
    """Start a log, or go on with the one that the same run has started.

    Args:
        folder: the log's; made where it is missing.
        run: the parameters.
        prepare: gives whose values will be logged, and the targets' (N, ceil(P / 8)) bits.

    Raises:
        ValueError: the folder holds the log of another run.
    """
    if (folder / "run.json").exists():
        _check_same_run(folder, run)
        return read_rows(folder)
    rows, targets = prepare()
    folder.mkdir(parents=True, exist_ok=True)
    with write_atomically(folder / "targets.npy") as file:
        np.save(file, targets)
    content = vars(rows) | {"skipped": [list(item) for item in rows.skipped]}
    _write_json(folder / "rows.json", content)
    _write_json(folder / "run.json", run)  # last: the sign that all is there
    return rows


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


def read_run(folder: Path) -> dict[str, Any]:
    """The parameters that a log was started with.

    Raises:
        ValueError: there is no log.
    """
    try:
        run: dict[str, Any] = orjson.loads((folder / "run.json").read_bytes())
    except FileNotFoundError as error:
        raise ValueError(f"expected a training log in {folder}, found no run.json") from error
    return run


def read_rows(folder: Path) -> LogRows:
    """Whose values a log holds."""
    content = orjson.loads((folder / "rows.json").read_bytes())
    content["image_index"] = np.array(content["image_index"], np.int64)
    content["scorable"] = np.array(content["scorable"], bool)
    content["skipped"] = Skipped([SkippedItem(*item) for item in content["skipped"]])
    return LogRows(**content)


def write_seconds(folder: Path, seconds: dict[str, float]) -> None:
    """Write the wall times."""
    _write_json(folder / "seconds.json", seconds)


def read_seconds(folder: Path) -> dict[str, float]:
    """The wall times so far, 0 at the start."""
    path = folder / "seconds.json"
    nothing = {"training": 0.0, "scoring": 0.0}
    return nothing | (orjson.loads(path.read_bytes()) if path.exists() else {})


def read_targets(folder: Path, rows: slice, pixels: int) -> NDArray[np.bool_]:
    """Targets of some rows, (n, P)."""
    packed = np.load(folder / "targets.npy", mmap_mode="r")[rows]
    return np.unpackbits(packed, axis=-1, count=pixels).astype(bool)


def open_epochs(folder: Path, epochs: int) -> list[NDArray[np.void]]:
    """The epochs' files, mapped, not read; that of the starting weights where there were 0 epochs.

    Raises:
        ValueError: one of them is missing.
    """
    paths = [epoch_path(folder, epoch) for epoch in (range(1, epochs + 1) if epochs else [0])]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise ValueError(
            f"expected {len(paths)} epochs in {folder}, found {len(paths) - len(missing)}:"
            " start the same training again, and it goes on from there"
        )
    return [np.load(path, mmap_mode="r") for path in paths]


def logged_correct(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Correctness of an epoch's rows, (n, P)."""
    pixels = rows.dtype["q"].shape[0]
    return np.unpackbits(rows["correct"], axis=-1, count=pixels).astype(bool)


def logged_probability(rows: NDArray[np.void]) -> NDArray[np.float32]:
    """Probability of the target of an epoch's rows, (n, P)."""
    return rows["q"].astype(np.float32) / np.float32(PROBABILITY_STEPS)


def _check_same_run(folder: Path, run: dict[str, Any]) -> None:
    started = read_run(folder)
    other = [
        f"{name} {started.get(name)!r}, not {run.get(name)!r}"
        for name in sorted(started | run)
        if started.get(name) != run.get(name)
    ]
    if other:
        raise ValueError(
            f"expected an empty folder or the log of the same run, found in {folder} a log of"
            f" {'; '.join(other)}: choose another folder"
        )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2
    with write_atomically(path) as file:
        file.write(orjson.dumps(content, option=options))
