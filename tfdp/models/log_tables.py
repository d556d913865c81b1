"""The arrays of a training log as Parquet files, each page of which has a checksum.

A file is written row group by row group, from parts of any length, and read so: neither takes more
memory than a few row groups.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from .files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Columns = dict[str, NDArray[Any]]

GROUP_BYTES, GROUP_ROWS = 2**18, 2**13  # of a row group, at most


class UnreadableTableError(Exception):
    """A file that is missing, damaged, or of something else."""


class LogTable(NamedTuple):
    """A file that was found to be right but for its pages, which are checked as they are read."""

    path: Path
    metadata: parquet.FileMetaData


def slice_groups(schema: pa.Schema, rows: int) -> list[slice]:
    """The rows of each row group."""
    size = _group_rows(schema)
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]


def _group_rows(schema: pa.Schema) -> int:
    width = sum(field.type.bit_width // 8 for field in schema)
    return max(1, min(GROUP_ROWS, GROUP_BYTES // width))


def make_schema(columns: dict[str, pa.DataType]) -> pa.Schema:
    """A schema whose columns have no null."""
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


def _as_column(values: NDArray[Any]) -> pa.Array[Any]:
    """(n,) numbers, or (n, B) bytes as one value a row."""
    if values.ndim == 1:
        return pa.array(values)
    rows, width = values.shape
    content = pa.py_buffer(values.tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), rows, [None, content])


def _as_array(column: pa.Array[Any]) -> NDArray[Any]:
    """What `_as_column` was given."""
    if not pa.types.is_fixed_size_binary(column.type):
        return column.to_numpy()
    width = column.type.byte_width
    content = memoryview(column.buffers()[1] or b"")
    return np.frombuffer(content, np.uint8).reshape(-1, width)[column.offset :][: len(column)]


def in_groups(parts: Iterable[NDArray[Any]], schema: pa.Schema) -> Iterator[NDArray[Any]]:
    """The rows of each row group, from parts of any length."""
    rows = _group_rows(schema)
    held: NDArray[Any] | None = None
    for part in parts:
        held = part if held is None else np.concatenate([held, part])
        while len(held) >= rows:
            yield held[:rows]
            held = held[rows:]
    if held is not None and len(held):
        yield held


def write_table(path: Path, schema: pa.Schema, groups: Iterable[Columns]) -> None:
    """Write a file of row groups, whole or not at all.

    Raises:
        OSError: it could not be written.
    """
    with (
        write_atomically(path) as file,
        parquet.ParquetWriter(
            file,
            schema,
            compression="zstd",
            use_dictionary=False,
            use_byte_stream_split=[f.name for f in schema if pa.types.is_floating(f.type)],
            write_statistics=False,
            write_page_checksum=True,
        ) as writer,
    ):
        for group in groups:
            columns = [_as_column(group[name]) for name in schema.names]
            writer.write_batch(pa.record_batch(columns, schema=schema))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UnreadableTableError(path) from error


def open_table(path: Path, schema: pa.Schema, rows: int) -> LogTable:
    """A file with this schema and so many rows; its pages are not looked at yet.

    Raises:
        UnreadableTableError: there is none, or another.
    """
    if not path.is_file():  # a pipe would be waited for
        raise UnreadableTableError(path)
    with _reading(path), parquet.ParquetFile(path) as file:
        metadata, found = file.metadata, file.schema_arrow
    groups = [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)]
    expected = [part.stop - part.start for part in slice_groups(schema, rows)]
    if not found.equals(schema) or groups != expected:
        raise UnreadableTableError(path)
    return LogTable(path, metadata)


def read_group(table: LogTable, number: int, columns: Sequence[str]) -> Columns:
    """Columns of a row group.

    Raises:
        UnreadableTableError: the file is damaged there.
    """
    with (
        _reading(table.path),
        parquet.ParquetFile(
            table.path, metadata=table.metadata, page_checksum_verification=True
        ) as file,
    ):
        found = file.read_row_group(number, columns=[*columns], use_threads=False)
        return {name: _as_array(found[name].combine_chunks()) for name in columns}
