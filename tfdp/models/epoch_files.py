"""An epoch's file of a training log: which columns it has, and how its pixels are coded.

A pixel of a mask is a two-class decision, so that its correctness is the side of 1/2 that the
target's probability is on: one of 64 equal steps of [0, 1] tells both. What is written is how far
each pixel's step is from that of the pixel before the last: in its last layer the mask head makes
four pixels of one, two by two, each with weights of its own, so that every second is the nearest.
An image's class can be the likeliest of many with less than 1/2: there, correctness is a column of
its own, and the probability has 16 bits.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from .log_reading import LOST, START_AGAIN
from .log_tables import (
    UnreadableTableError,
    in_groups,
    make_schema,
    open_table,
    read_group,
    slice_groups,
    write_table,
)
from .regions import REGIONS
from .training_log import (
    CORRECT,
    LEVELS,
    MEANS,
    PROBABILITY,
    blank_rows,
    packed_size,
    unpack_bits,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .log_tables import LogTable

    Columns = dict[str, NDArray[Any]]

STEPS = 64  # of a pixel's target probability
OF_LEVELS = LEVELS // STEPS


class EpochLayout(NamedTuple):
    """What an epoch's file holds.

    Attributes:
        rows: N.
        pixels: P of a row; 1 for classification.
        stored: up to which of `STORED`.
    """

    rows: int
    pixels: int
    stored: str = PROBABILITY

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""
        columns: dict[str, pa.DataType] = {
            mean_column(name, region): pa.float32() for region in REGIONS for name in MEANS
        }
        if self.stored == CORRECT or (self.stored == PROBABILITY and self.pixels == 1):
            columns[CORRECT] = pa.binary(packed_size(self.pixels))
        if self.stored == PROBABILITY:
            columns[PROBABILITY] = pa.uint16() if self.pixels == 1 else pa.binary(self.pixels)
        return make_schema(columns)

    @property
    def groups(self) -> list[slice]:
        """The rows of each row group."""
        return slice_groups(self.schema, self.rows)


def epoch_path(folder: Path, epoch: int) -> Path:
    """Where a log has an epoch's values."""
    return folder / f"epoch_{epoch:04d}.parquet"


def mean_column(name: str, region: str) -> str:
    """The column of the means of one of `MEANS` over a region."""
    return f"{name}_{region}"


def _encode(rows: NDArray[np.void], layout: EpochLayout) -> Columns:
    columns = {
        mean_column(name, region): rows["means"][:, i, j]
        for i, region in enumerate(REGIONS)
        for j, name in enumerate(MEANS)
    }
    if layout.pixels == 1:
        return {**columns, CORRECT: rows["correct"], PROBABILITY: rows["q"][:, 0]}
    right = unpack_bits(rows["correct"], layout.pixels)
    step = rows["q"] // OF_LEVELS
    step = np.where(right, np.maximum(step, STEPS // 2), np.minimum(step, STEPS // 2 - 1))
    step[:, 2:] -= step[:, :-2].copy()
    return {**columns, CORRECT: rows["correct"], PROBABILITY: (step % STEPS).astype(np.uint8)}


def _read(table: LogTable, group: int, names: Sequence[str]) -> Columns:
    """Columns of a row group, whose steps are steps again."""
    columns = read_group(table, group, names)
    if PROBABILITY in columns and columns[PROBABILITY].ndim == 2:
        steps = columns[PROBABILITY].copy()
        distance = 2
        while distance < steps.shape[1]:  # sums up all before, in as few additions as may be
            steps[:, distance:] += steps[:, :-distance].copy()
            distance *= 2
        columns[PROBABILITY] = steps % np.uint8(STEPS)
    return columns


def decode_probability(columns: Columns) -> NDArray[np.float64]:
    """Probability of the target, (n, P): the middles of the steps, which sum up without error."""
    steps = columns[PROBABILITY]
    return (steps[:, None] + 0.5) / LEVELS if steps.ndim == 1 else (steps + 0.5) / STEPS


def decode_correct(columns: Columns, pixels: int) -> NDArray[np.bool_]:
    """Correctness, (n, P)."""
    if CORRECT in columns:
        return unpack_bits(columns[CORRECT], pixels)
    return columns[PROBABILITY] >= STEPS // 2


def write_epoch(path: Path, layout: EpochLayout, parts: Iterable[NDArray[np.void]]) -> None:
    """Write an epoch's file from rows, part by part; never half of it.

    Args:
        path: of the file.
        layout: what it holds.
        parts: rows as `pack_rows` makes them, N in all.

    Raises:
        OSError: it could not be written.
    """
    groups = in_groups(parts, layout.schema)
    write_table(path, layout.schema, (_encode(rows, layout) for rows in groups))


def _decode(columns: Columns, layout: EpochLayout) -> NDArray[np.void]:
    means = [[columns[mean_column(name, region)] for name in MEANS] for region in REGIONS]
    rows = blank_rows(len(means[0][0]), layout.pixels)
    rows["means"] = np.moveaxis(np.array(means), -1, 0)
    if layout.stored != "means":
        rows["correct"] = np.packbits(decode_correct(columns, layout.pixels), axis=-1)
    if layout.stored == PROBABILITY:
        rows["q"] = decode_probability(columns) * LEVELS
    return rows


def read_epoch(path: Path, layout: EpochLayout) -> Iterator[NDArray[np.void]]:
    """The rows of an epoch's file, part by part, as `write_epoch` takes them.

    Written again, they make the same file. What is not stored is 0.

    Raises:
        UnreadableTableError: the file is missing, damaged, or of something else.
    """
    table = open_table(path, layout.schema, layout.rows)
    for group in range(len(layout.groups)):
        yield _decode(_read(table, group, layout.schema.names), layout)


def find_bad_epochs(folder: Path, epochs: Iterable[int], layout: EpochLayout) -> list[int]:
    """Those of the epochs whose files are missing, damaged anywhere, or hold something else."""
    return [epoch for epoch in epochs if not _is_whole(epoch_path(folder, epoch), layout)]


def _is_whole(path: Path, layout: EpochLayout) -> bool:
    try:
        for _ in read_epoch(path, layout):
            pass
    except UnreadableTableError:
        return False
    return True


def _describe(path: Path) -> str:
    return "a folder, which must be renamed" if path.is_dir() else "missing or damaged"


class LoggedEpochs:
    """The epochs of a finished log, read together, row group by row group.

    Args:
        folder: the log's.
        epochs: E; where there were none, the one file is that of the starting weights.
        layout: what each file holds.

    Raises:
        ValueError: a file is missing or damaged; `read` finds what only its pages show.
    """

    def __init__(self, folder: Path, epochs: int, layout: EpochLayout) -> None:
        self.layout, self._folder = layout, folder
        self._numbers = range(1, epochs + 1) if epochs else range(1)
        with self._explained():
            self._tables = [
                open_table(epoch_path(folder, number), layout.schema, layout.rows)
                for number in self._numbers
            ]

    def read(self, group: int, columns: Sequence[str]) -> list[Columns]:
        """Columns of a row group, epoch by epoch."""
        with self._explained():
            return [_read(table, group, columns) for table in self._tables]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UnreadableTableError as error:
            raise self._error() from error

    def _error(self) -> ValueError:
        bad = find_bad_epochs(self._folder, self._numbers, self.layout)
        first = epoch_path(self._folder, bad[0])
        at_the_end = bad == list(self._numbers)[-len(bad) :]
        return ValueError(
            f"expected {len(self._numbers)} epochs in {self._folder}, found"
            f" {len(self._numbers) - len(bad)}; {first.name} is {_describe(first)}:"
            f" {START_AGAIN if at_the_end else LOST}"
        )
