"""Class totals as a JSON file, with the rasterizer that they are of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import orjson

from ..scores.balance import ClassTotals
from .regular_files import read_regular_file

if TYPE_CHECKING:
    from pathlib import Path


MAX_BYTES = 2**26  # of half a million classes


def dump_totals(totals: ClassTotals, rasterizer: str) -> dict[str, Any]:
    """The document of `read_totals`."""
    return {"rasterizer": rasterizer, "class_totals": totals.to_list()}


def _describe_fault(row: Any) -> str | None:
    """What is wrong with one class's totals; None where nothing is."""
    if not isinstance(row, dict):
        return "it is no object"
    if type(row.get("category")) not in {int, str}:
        return "its category must be an integer or a text"
    total: Any = row.get("si_scs")
    count: Any = row.get("num_instances")
    if type(total) not in {int, float} or not (math.isfinite(total) and total >= 0):
        return "its si_scs must be a finite number, 0 or more"
    if type(count) is not int or count < 0:
        return "its num_instances must be a whole number, 0 or more"
    return None


def read_totals(path: Path, rasterizer: str) -> ClassTotals:
    """Reads the class totals of data scored before.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no class totals, or those of another rasterizer.
    """
    wrong = f"{path} holds no class totals of tfdp score --save-totals"
    try:
        saved = orjson.loads(read_regular_file(path, MAX_BYTES))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{wrong}: it is no JSON (line {error.lineno})") from None
    match saved:
        case {"rasterizer": str(found), "class_totals": list(rows)}:
            pass
        case _:
            raise ValueError(f"{wrong}: it must have a rasterizer and a list class_totals")
    for number, row in enumerate(rows, 1):
        fault = _describe_fault(row)
        if fault is not None:
            raise ValueError(f"{wrong}: in entry {number} {fault}")
    if len({row["category"] for row in rows}) < len(rows):
        raise ValueError(f"{wrong}: a category is in it twice")
    if found != rasterizer:
        raise ValueError(
            f"the totals in {path} are of the rasterizer {found[:20]!r}; score with the same one"
        )
    return ClassTotals.from_list(rows)
