"""Tables as CSV or Parquet files, by the ending of the name."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import numpy as np
from pyarrow import csv, parquet

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from ..columns import Columns

ENDINGS = (".csv", ".parquet")


def check_ending(path: Path) -> None:
    """Refuses a name that does not say which format it is to be."""
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path} must end in {' or '.join(ENDINGS)}")


def _as_one_type(column: NDArray[Any]) -> NDArray[Any]:
    """Ids of mixed types, integers beside strings, as strings: a column has one type."""
    if column.dtype != object or len(set(map(type, column))) < 2:
        return column
    return np.array([str(value) for value in column], object)


def write_table(columns: Columns, path: Path, file: IO[bytes]) -> None:
    """Writes one row an entry to an open file, in the format that ``path`` ends in.

    A score that is missing is null in Parquet and an empty cell in CSV.
    """
    plain = {name: _as_one_type(column) for name, column in columns.items()}
    write_arrow(type(columns)(**plain).to_arrow(), path, file)


def write_arrow(table: pa.Table, path: Path, file: IO[bytes]) -> None:
    """Writes an arrow table to an open file, in the format that ``path`` ends in."""
    if path.suffix.lower() == ".parquet":
        parquet.write_table(table, file)
        return
    file.write((",".join(table.column_names) + "\n").encode())
    csv.write_csv(table, file, csv.WriteOptions(include_header=False))
