"""Tables of scores that were computed elsewhere, as files or as they are in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from ..selection.score_tables import IMAGE_ID, ScoreTable
from ..values import shown
from .tables import check_columns, read_table

TableLike: TypeAlias = "str | os.PathLike[str] | pa.Table | ScoreTable"


def _read(given: Any) -> ScoreTable:
    if isinstance(given, ScoreTable):
        return given
    if isinstance(given, pa.Table):
        name = "the table"
        check_columns(given, IMAGE_ID, name)
        return ScoreTable(name, given)
    if isinstance(given, str | os.PathLike):
        return ScoreTable(str(given), read_table(Path(given), IMAGE_ID))
    raise ValueError(f"tables must be paths or arrow tables, but got {shown(given)}")


def read_score_tables(tables: Any) -> list[ScoreTable]:
    """Reads tables of scores: one, or several.

    Args:
        tables: paths of .csv or .parquet files, as ``tfdp train-score`` writes them, or arrow
            tables; with the column ``image_id``.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is no table, or has no column ``image_id`` or of numbers.
    """
    several = isinstance(tables, list | tuple) and not isinstance(tables, ScoreTable)
    read = [_read(given) for given in (tables if several else [tables])]
    for table in read:
        if not table.list_scores():
            raise ValueError(f"{table.name} has no column of numbers beside {IMAGE_ID}")
    return read
