"""Tables as CSV or Parquet files, by the ending of the name."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from pyarrow import csv, parquet

if TYPE_CHECKING:
    from ..columns import Columns

ENDINGS = (".csv", ".parquet")


def check_ending(path: Path) -> None:
    """Refuses a name that does not say which format it is to be."""
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path} must end in {' or '.join(ENDINGS)}")


def _with_plain_ids(columns: Columns) -> Columns:
    """Ids of mixed types, integers beside strings, as strings: a column has one type."""
    mixed = {
        field.name: np.array([str(i) for i in columns[field.name]], object)
        for field in fields(columns)
        if columns[field.name].dtype == object and len(set(map(type, columns[field.name]))) > 1
    }
    return replace(columns, **mixed)


def write_table(columns: Columns, path: Path, file: IO[bytes]) -> None:
    """Writes one row an entry to an open file, in the format that ``path`` ends in.

    A score that is missing is null in Parquet and an empty cell in CSV.
    """
    table = _with_plain_ids(columns).to_arrow()
    if path.suffix.lower() == ".parquet":
        parquet.write_table(table, file)
        return
    file.write((",".join(table.column_names) + "\n").encode())
    csv.write_csv(table, file, csv.WriteOptions(include_header=False))
