"""A training log as it is read: every file is checked, for a disk or a hand may have damaged it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files.json_text import parse_json
from ..files.regular_files import read_regular_file
from ..skipped import Skipped, SkippedItem
from .training_log import (
    CHECKSUM,
    PIXELS,
    ROWS,
    RUN,
    SECONDS,
    TARGETS,
    LogRows,
    epoch_dtype,
    epoch_path,
    packed_size,
    sum_up,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

MOST_EPOCHS = 100_000
TEXTS, WHOLE_NUMBERS = ("model", "weights", "data"), ("batch_size", "image_size", "seed")
IDS = ("image_ids", "instance_ids")
OF_ROWS = ("instance_ids", "image_index", "labels", "scorable")
START_AGAIN = "start the same training again, and it goes on from there"
MAKE_ANEW = "start the same training again, and it makes the file anew"
LOST = "only a new training can give it: delete the folder, or choose another"


def _read_json(path: Path) -> Any:
    """What is in a file; None where it is missing or no JSON."""
    try:
        return parse_json(read_regular_file(path))
    except (FileNotFoundError, ValueError):
        return None


def _are(values: Any, *types: type) -> bool:
    return isinstance(values, list) and set(map(type, values)) <= set(types)


def _is_run(run: Any) -> bool:
    return (
        isinstance(run, dict)
        and run.get("kind") in list(PIXELS)
        and type(run.get("epochs")) is int
        and 0 <= run["epochs"] <= MOST_EPOCHS
        and all(isinstance(run.get(name, ""), str) for name in TEXTS)
        and all(isinstance(run.get(name, 0), int) for name in WHOLE_NUMBERS)
        and isinstance(run.get("learning_rate", 0), int | float)
    )


def _is_rows(rows: Any) -> bool:
    names = {"image_ids", "skipped", *OF_ROWS}
    return (
        isinstance(rows, dict)
        and set(rows) == names
        and _are(rows["image_ids"], int, str)
        and _are(rows["instance_ids"], int, str)
        and _are(rows["image_index"], int)
        and _are(rows["labels"], str, type(None))
        and _are(rows["scorable"], bool)
        and len({len(rows[name]) for name in OF_ROWS}) == 1
        and all(0 <= index < len(rows["image_ids"]) for index in rows["image_index"])
        and _are(rows["skipped"], list)
        and all(_is_skipped_item(item) for item in rows["skipped"])
        and all(_is_id(value) for name in IDS for value in rows[name])
    )


def _is_id(value: Any) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _is_skipped_item(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) == len(SkippedItem._fields)
        and not isinstance(item[1], list | dict)
        and all(isinstance(value, str) for value in (item[0], *item[2:]))
    )


def _is_seconds(seconds: Any) -> bool:
    return (
        isinstance(seconds, dict)
        and _are(list(seconds.values()), int, float)
        and all(abs(value) <= sys.float_info.max for value in seconds.values())
        and set(seconds) == {"training", "scoring"}
    )


def _open_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """The array in a file, mapped, not read; None where there is another or none."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        array = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError, SyntaxError):
        return None
    return array if (array.dtype, array.shape) == (np.dtype(dtype), shape) else None


def damaged(path: Path, remedy: str) -> ValueError:
    """The error of a file that is missing or damaged, with what helps."""
    if path.is_dir():
        remedy = f"a folder is in its place; rename that, and then {remedy}"
    found = "that is damaged" if path.exists() else "that is missing"
    return ValueError(f"{path} is a file of a training log {found}: {remedy}")


def read_run(folder: Path) -> dict[str, Any]:
    """The parameters that a log was started with.

    Raises:
        ValueError: there is no log, or its parameters are damaged.
    """
    path = folder / RUN
    if not path.exists():
        raise ValueError(f"expected a training log in {folder}, found no {RUN}")
    run = _read_json(path)
    if not _is_run(run):
        raise damaged(path, "choose another folder, or delete this one")
    return run


def read_rows(folder: Path) -> LogRows:
    """Whose values a log holds.

    Raises:
        ValueError: the file is damaged.
    """
    content = _read_json(folder / ROWS)
    checksum = content.pop(CHECKSUM, None) if isinstance(content, dict) else None
    if not _is_rows(content) or checksum != sum_up(content):
        raise damaged(folder / ROWS, MAKE_ANEW)
    content["image_index"] = np.array(content["image_index"], np.int64)
    content["scorable"] = np.array(content["scorable"], bool)
    content["skipped"] = Skipped([SkippedItem(*item) for item in content["skipped"]])
    return LogRows(**content)


def read_seconds(folder: Path) -> dict[str, float]:
    """The wall times so far, 0 at the start.

    Raises:
        ValueError: the file is damaged.
    """
    if not (folder / SECONDS).exists():
        return {"training": 0.0, "scoring": 0.0}
    seconds = _read_json(folder / SECONDS)
    if not _is_seconds(seconds):
        raise damaged(folder / SECONDS, "delete it; only the wall times so far are lost")
    return seconds


def open_targets(folder: Path, count: int, pixels: int) -> NDArray[np.uint8]:
    """Bits of the targets of the N rows, (N, ceil(P / 8)), mapped, not read.

    Raises:
        ValueError: the file is damaged.
    """
    targets = _open_array(folder / TARGETS, np.uint8, (count, packed_size(pixels)))
    if targets is None:
        raise damaged(folder / TARGETS, MAKE_ANEW)
    return targets


def find_bad_epochs(folder: Path, epochs: Iterable[int], count: int, pixels: int) -> list[int]:
    """Those of the epochs whose files are missing, or do not hold N rows of P pixels."""
    dtype = epoch_dtype(pixels)
    return [e for e in epochs if _open_array(epoch_path(folder, e), dtype, (count,)) is None]


def _describe(path: Path) -> str:
    return "a folder, which must be renamed" if path.is_dir() else "missing or damaged"


def check_epochs(folder: Path, epochs: range, count: int, pixels: int) -> None:
    """Raise ValueError where one of the epochs' files is missing or damaged."""
    bad = find_bad_epochs(folder, epochs, count, pixels)
    if bad:
        at_the_end = bad == list(epochs)[-len(bad) :]
        raise ValueError(
            f"expected {len(epochs)} epochs in {folder}, found {len(epochs) - len(bad)};"
            f" {epoch_path(folder, bad[0]).name} is {_describe(epoch_path(folder, bad[0]))}:"
            f" {START_AGAIN if at_the_end else LOST}"
        )


def open_epochs(folder: Path, epochs: int, count: int, pixels: int) -> list[NDArray[np.void]]:
    """The epochs' files, mapped, not read; that of the starting weights where there were 0 epochs.

    Raises:
        ValueError: one of them is missing or damaged.
    """
    numbers = range(1, epochs + 1) if epochs else range(1)
    check_epochs(folder, numbers, count, pixels)
    return [np.load(epoch_path(folder, epoch), mmap_mode="r") for epoch in numbers]
