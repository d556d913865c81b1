"""Tables as CSV or Parquet files, by the ending of the name."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from ..columns import object_array
from .outputs import check_ending
from .regular_files import check_regular_file

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray

    from ..columns import Columns
    from ..skipped import Skipped

ENDINGS = (".csv", ".parquet")

_FORMULA = r"^('*[=+\-@\t\r])"  # what a spreadsheet would run; and such a text once it is marked
_MARKED_FORMULA = r"^'('*[=+\-@\t\r])"


def check_table(path: Path) -> None:
    """Refuses a name that does not say which format it is to be."""
    check_ending(path, ENDINGS)


def as_one_type(column: NDArray[Any]) -> NDArray[Any]:
    """Ids of mixed types, integers beside strings, as strings: a column has one type."""
    found = set(map(type, column)) if column.dtype == object else set()
    if len(found - {type(None)}) < 2:
        return column
    return object_array([None if value is None else str(value) for value in column])


def write_table(columns: Columns, path: Path, file: IO[bytes]) -> None:
    """Writes one row an entry to an open file, in the format that ``path`` ends in.

    A score that is missing is null in Parquet and an empty cell in CSV.
    """
    plain = {name: as_one_type(column) for name, column in columns.items()}
    write_arrow(type(columns)(**plain).to_arrow(), path, file)


def write_skipped(skipped: Skipped, path: Path, file: IO[bytes]) -> None:
    """Writes all that was passed over: ``kind``, ``id``, ``reason``, ``detail``."""
    ids = as_one_type(object_array([_as_id(item.id) for item in skipped]))
    has_ids = any(item is not None for item in ids)
    table = {
        "kind": pa.array([item.kind for item in skipped], pa.string()),
        "id": pa.array(ids, None if has_ids else pa.string()),
        "reason": pa.array([item.reason for item in skipped], pa.string()),
        "detail": pa.array([item.detail for item in skipped], pa.string()),
    }
    write_arrow(pa.table(table), path, file)


def _as_id(value: object) -> int | str | None:
    """An id as it is; what cannot be one as text."""
    plain = value is None or (type(value) is int and abs(value) < 2**63) or type(value) is str
    return value if plain else str(value)  # type: ignore[return-value]


def write_arrow(table: pa.Table, path: Path, file: IO[bytes]) -> None:
    """Writes an arrow table to an open file, in the format that ``path`` ends in.

    In CSV a text that a spreadsheet would take for a formula begins with an apostrophe;
    `read_table` takes it away.
    """
    if path.suffix.lower() == ".parquet":
        parquet.write_table(table, file)
        return
    for i, name in enumerate(table.column_names):
        if pa.types.is_string(table[name].type):
            marked = pc.replace_substring_regex(table[name], _FORMULA, r"'\1")
            table = table.set_column(i, name, marked)
    file.write((",".join(table.column_names) + "\n").encode())
    csv.write_csv(table, file, csv.WriteOptions(include_header=False))


def _read_csv(path: Path, texts: Collection[str]) -> pa.Table:
    parse = csv.ParseOptions(newlines_in_values=True)
    convert = csv.ConvertOptions(column_types=dict.fromkeys(texts, pa.string()))
    try:
        table = csv.read_csv(path, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid as error:
        places = re.findall(r"Row #\d+|Expected \d+ columns, got \d+", str(error))
        found = ": ".join(places).lower() or "is empty, or no text in UTF-8"
        raise ValueError(f"{path} can't be read as a table: {found}") from None
    for i, name in enumerate(table.column_names):
        if name in texts:
            plain = pc.replace_substring_regex(table.column(i), _MARKED_FORMULA, r"\1")
            table = table.set_column(i, name, plain)
    return table


def _read_parquet(path: Path) -> pa.Table:
    try:
        return parquet.ParquetFile(path).read()
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} can't be read as a Parquet table") from error


def check_columns(table: pa.Table, id_column: str, name: object) -> None:
    """Raises ValueError where a table has no ``id_column``, or a column several times."""
    names = table.column_names
    if id_column not in names:
        raise ValueError(
            f"{name} must have a column {id_column}, but none of its {len(names)} columns is that"
        )
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise ValueError(f"{name} has several columns {twice[0]!r}; give each its own name")


def read_table(path: Path, id_column: str, *texts: str) -> pa.Table:
    """Reads a table of either format, as it was written; in CSV the ids are text.

    Args:
        path: the table.
        id_column: which it must have.
        *texts: other columns that are text in CSV, whatever they look like.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no table, has no ``id_column`` or a column several times. What stands in
            the file is not told.
    """
    check_table(path)
    check_regular_file(path)
    columns = {id_column, *texts}
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path, columns)
    check_columns(table, id_column, path)
    return table
