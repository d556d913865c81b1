"""A comparison of scorers as a file: JSON, CSV or Parquet, by the ending of the name."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from .json_text import format_json
from .outputs import check_ending, check_output
from .staging import write_atomically
from .tables import write_arrow

if TYPE_CHECKING:
    from pathlib import Path

    from ..selection.comparison import Comparison

ENDINGS = (".json", ".csv", ".parquet")


def check_comparison_ending(path: Path) -> None:
    """Refuses a name that does not say which format it is to be."""
    check_ending(path, ENDINGS)


def check_comparison_output(path: Path, *, overwrite: bool) -> None:
    """Refuses a path before the work rather than after it.

    Raises:
        ValueError: its ending names no format.
        OSError: it cannot, or must not, be written; see `check_output`.
    """
    check_comparison_ending(path)
    check_output(path, overwrite=overwrite)


def _without_nan(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Null, an empty cell in CSV, for what has no value."""
    if pa.types.is_null(column.type):
        return column.cast(pa.float64())
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def write_comparison_to(file: IO[bytes], comparison: Comparison, path: Path) -> None:
    """Writes it to an open file, in the format that ``path`` ends in."""
    if path.suffix.lower() == ".json":
        file.write(format_json(comparison.to_dict()) + b"\n")
        return
    table = comparison.to_arrow()
    columns = {name: _without_nan(table[name]) for name in table.column_names}
    write_arrow(pa.table(columns), path, file)


def write_comparison(comparison: Comparison, path: Path, *, overwrite: bool = False) -> None:
    """Writes it whole, or not at all.

    JSON has one object a scorer, with what it keeps at each rate in a list; the tables have one row
    a scorer and rate.

    Raises:
        ValueError, OSError: see `check_comparison_output`.
    """
    check_comparison_output(path, overwrite=overwrite)
    with write_atomically(path, overwrite=overwrite) as file:
        write_comparison_to(file, comparison, path)
