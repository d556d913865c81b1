"""Sources read whole: the one way from them to the entries that can be used."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from tqdm import tqdm

from ..geometry.masks import MaskRuns
from ..geometry.rasterize import Rasterizer
from ..skipped import SkippedItem
from ..values import check_choice
from .ahead import run_ahead
from .drawing import Drawn, draw
from .ids import as_id_array
from .joining import Entries, ReadSource, TakenBatch, join_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .joining import Columns
    from .source import Batch, Source

    Take = Callable[[Batch, Drawn], Columns]
    Progress = bool | Callable[[int], Any] | None

MAX_WORKERS = 8
_NO_MASKS = MaskRuns(np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty(0, np.int64))


def _take_batch(
    take: Take, rasterizer: Rasterizer, kind: str, read: Callable[[], Batch]
) -> TakenBatch:
    batch = read()
    nothing = Drawn(np.empty(0, np.int64), _NO_MASKS)
    parts = [(nothing.rows, *take(batch, nothing))]
    with closing(batch.pieces):
        parts += [(drawn.rows, *take(batch, drawn)) for drawn in draw(batch, rasterizer)]
    rows, *columns = map(np.concatenate, zip(*parts, strict=True))
    order = np.argsort(rows)
    order = order[~np.isin(rows[order], list(batch.problems))]
    used = rows[order]
    return TakenBatch(
        ids=as_id_array([batch.ids[row] for row in used.tolist()]),
        image_index=batch.image_index[used],
        categories=[batch.categories[row] for row in used.tolist()],
        columns=tuple(column[order] for column in columns),
        skipped=[
            SkippedItem(kind, batch.ids[row], *problem)
            for row, problem in sorted(batch.problems.items())
        ],
        all_ids=as_id_array([i for i in batch.ids if i is not None]),
        progress=batch.progress,
    )


@contextmanager
def _reporting(source: Source, progress: Progress) -> Iterator[Callable[[int], Any]]:
    """What is to be told of the progress: the function that was given, or a bar."""
    if callable(progress):
        yield progress
        return
    with tqdm(
        desc=Path(source.name).name,
        total=source.total,
        unit=f" {source.unit}",
        disable=None if progress is None else not progress,
    ) as bar:
        yield bar.update


def _read_source(
    take: Take, rasterizer: Rasterizer, progress: Progress, for_learning: bool, source: Source
) -> ReadSource:
    take_batch = partial(_take_batch, take, rasterizer, source.kind)
    workers = min(MAX_WORKERS, os.cpu_count() or 1)
    batches = []
    with _reporting(source, progress) as report:
        for batch in run_ahead(take_batch, source.batches(for_learning=for_learning), workers):
            batches.append(batch)
            report(batch.progress)
    return ReadSource(
        source.name,
        source.kind,
        source.ids_are_unique,
        source.images(),
        source.categories(),
        source.skipped(),
        batches,
    )


def read_sources(
    sources: Iterable[Source],
    take: Take,
    rasterizer: Rasterizer,
    progress: Progress,
    *,
    for_learning: bool,
) -> Entries:
    """Reads sources, one after another, and joins what can be used of them.

    Args:
        sources: one, or several that are disjoint.
        take: gives what is needed of some masks of a batch, (n,) columns.
        rasterizer: what draws polygons.
        progress: whether to show a bar on stderr, by default where that is a terminal; or a
            function that is called every now and then with how much was read since.
        for_learning: as `Source.batches` takes it.

    Raises:
        OSError: a source cannot be read.
        ValueError: a source is damaged as a whole, or sources do not fit together: they do not
            agree on a category, or an id repeats. The message names the source and what is wrong.
    """
    check_choice("rasterizer", rasterizer, get_args(Rasterizer))
    read = partial(_read_source, take, rasterizer, progress, for_learning)
    return join_sources(list(map(read, sources)))
