"""A training log as it is read: every file is checked, for a disk or a hand may have damaged it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files.json_text import parse_json
from ..files.regular_files import read_regular_file
from ..skipped import Skipped, SkippedItem
from .log_tables import UnreadableTableError, open_table, read_group, slice_groups
from .training_log import (
    CHECKSUM,
    FORMAT,
    PIXELS,
    ROWS,
    RUN,
    SECONDS,
    STORED,
    TARGET,
    TARGETS,
    LogRows,
    packed_size,
    sum_up,
    targets_schema,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

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
        and run.get("format") == FORMAT
        and run.get("kind") in list(PIXELS)
        and run.get("stored") in STORED
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


def _is_of_another_version(run: Any) -> bool:
    if not isinstance(run, dict) or run.get("kind") not in list(PIXELS):
        return False
    found = run.get("format", 1)
    return type(found) is int and found != FORMAT


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


def damaged(path: Path, remedy: str) -> ValueError:
    """The error of a file that is missing or damaged, with what helps."""
    if path.is_dir():
        remedy = f"a folder is in its place; rename that, and then {remedy}"
    found = "that is damaged" if path.exists() else "that is missing"
    return ValueError(f"{path} is a file of a training log {found}: {remedy}")


def read_run(folder: Path) -> dict[str, Any]:
    """The parameters that a log was started with.

    Raises:
        ValueError: there is no log, it is of another version of tfdp, or its parameters are
            damaged.
    """
    path = folder / RUN
    if not path.exists():
        raise ValueError(f"expected a training log in {folder}, found no {RUN}")
    run = _read_json(path)
    if _is_of_another_version(run):
        raise ValueError(
            f"{folder} holds a training log of another version of tfdp: score it with that one, or"
            " choose another folder for a new training"
        )
    if not _is_run(run):
        raise damaged(path, "choose another folder, or delete this one")
    del run["format"]
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


def read_targets(folder: Path, rows: int, pixels: int) -> NDArray[np.uint8]:
    """Bits of the targets of the N rows, (N, ceil(P / 8)).

    Raises:
        ValueError: the file is missing or damaged.
    """
    width = packed_size(pixels)
    schema = targets_schema(width)
    try:
        table = open_table(folder / TARGETS, schema, rows)
        groups = range(len(slice_groups(schema, rows)))
        parts = [read_group(table, group, [TARGET])[TARGET] for group in groups]
    except UnreadableTableError as error:
        raise damaged(folder / TARGETS, MAKE_ANEW) from error
    return np.concatenate([np.zeros((0, width), np.uint8), *parts])
