"""Class totals as a JSON file, with the rasterizer that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ..scores.balance import ClassTotals
from .json_text import parse_json
from .regular_files import read_regular_file

if TYPE_CHECKING:
    from pathlib import Path


MAX_BYTES = 2**26  # of half a million classes


class _Row(Struct):
    category: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | str
    si_scs: Annotated[float, Meta(ge=0)]
    num_instances: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    scs: Annotated[float, Meta(ge=0)] | None = None  # older files lack it


class _Document(Struct):
    rasterizer: str
    class_totals: list[_Row]


def dump_totals(totals: ClassTotals, rasterizer: str) -> dict[str, Any]:
    """The document of `read_totals`."""
    return {"rasterizer": rasterizer, "class_totals": totals.to_list()}


def read_totals(path: Path, rasterizer: str) -> ClassTotals:
    """Reads the class totals of data scored before.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no class totals, or those of another rasterizer.
    """
    wrong = f"{path} holds no class totals of tfdp score --save-totals"
    try:
        saved = parse_json(read_regular_file(path, MAX_BYTES), _Document)
    except ValueError as error:
        raise ValueError(f"{wrong}: {error}") from None
    rows = [msgspec.structs.asdict(row) for row in saved.class_totals]
    if len({row["category"] for row in rows}) < len(rows):
        raise ValueError(f"{wrong}: a category is in it twice")
    found = saved.rasterizer
    if found != rasterizer:
        raise ValueError(
            f"the totals in {path} are of the rasterizer {found[:20]!r}; score with the same one"
        )
    return ClassTotals.from_list(rows)
