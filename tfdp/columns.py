"""Parallel columns under one roof: a frozen dataclass that is a mapping of names to arrays, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Columns(Mapping[str, NDArray[Any]]):
    """Base of the tables: every dataclass field is a column, all of one length.

    A column is an attribute (``table.si_scs``) and an item (``table["si_scs"]``); ``dict(table)``
    goes into ``pandas.DataFrame``, :meth:`to_arrow` into Parquet and CSV.
    """

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.names():
            expected = ", ".join(self.names())
            raise KeyError(f"no column {name!r}; the columns are {expected}")
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        """Number of columns, as a mapping has it; :attr:`num_rows` is the number of rows."""
        return len(self.names())

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(f.name for f in fields(cls))  # type: ignore[arg-type]

    @property
    def num_rows(self) -> int:
        return len(self[self.names()[0]])

    def to_arrow(self) -> pa.Table:
        """An arrow table; NaN, which stands for "no score", becomes null."""
        return pa.table({name: _nullable(column) for name, column in self.items()})


def object_array(values: list[Any]) -> NDArray[Any]:
    """A column of Python objects."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _nullable(column: NDArray[Any]) -> pa.Array[Any]:
    return pa.array(column, from_pandas=np.issubdtype(column.dtype, np.floating))
