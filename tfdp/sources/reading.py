"""Sources read whole: the one way from them to the entries that can be used."""

from __future__ import annotations

import os
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..geometry.masks import MaskRuns
from ..geometry.rasterize import RASTERIZERS
from ..progress import counted, shown
from ..skipped import SkippedItem
from ..values import check_choice
from .ahead import run_ahead
from .drawing import Drawn, draw
from .ids import as_id_array
from .joining import Entries, ReadSource, TakenBatch, join_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..geometry.rasterize import Rasterizer
    from ..progress import Progress
    from .joining import Columns
    from .source import Batch, Source

    Take = Callable[[Batch, Drawn], Columns]

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
    used = rows[order].tolist()
    return TakenBatch(
        ids=as_id_array([batch.ids[row] for row in used]),
        image_index=batch.image_index[used],
        categories=[batch.categories[row] for row in used],
        columns=tuple(column[order] for column in columns),
        skipped=[
            SkippedItem(kind, batch.ids[row], *problem)
            for row, problem in sorted(batch.problems.items())
        ],
        all_ids=as_id_array([i for i in batch.ids if i is not None]),
        progress=batch.progress,
    )


def _read_source(
    take: Take, rasterizer: Rasterizer, progress: Progress, for_learning: bool, source: Source
) -> ReadSource:
    take_batch = partial(_take_batch, take, rasterizer, source.kind)
    num_threads = min(source.max_threads, os.cpu_count() or 1)
    report = counted(progress, source.total, f"reading {Path(source.name).name}")
    batches = []
    for batch in run_ahead(take_batch, source.batches(for_learning=for_learning), num_threads):
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
    progress: bool | Progress | None,
    *,
    for_learning: bool,
) -> Entries:
    """Reads sources, one after another, and joins what can be used of them.

    Args:
        sources: one, or several that are disjoint.
        take: gives what is needed of some masks of a batch, (n,) columns.
        rasterizer: what draws polygons.
        progress: as `tfdp.progress.shown` takes it; told of one source after another.
        for_learning: as `Source.batches` takes it.

    Raises:
        OSError: a source cannot be read.
        ValueError: a source is damaged as a whole, or sources do not fit together: they do not
            agree on a category, or an id repeats. The message names the source and what is wrong.
    """
    check_choice("rasterizer", rasterizer, RASTERIZERS)
    with shown(progress) as show:
        read = partial(_read_source, take, rasterizer, show, for_learning)
        return join_sources(list(map(read, sources)))
