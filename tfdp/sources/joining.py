"""What was taken of sources, batch by batch -> all of it, as columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..columns import object_array
from ..skipped import Skipped, SkippedItem
from .ids import as_id_array, check_unique

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from .source import Id, Images, Ints

    Columns = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Entries:
    """The I images, C categories and N entries of sources that can be used.

    Attributes:
        image_ids: (I,) ids.
        file_names: (I,) str objects, "" where there is none.
        heights: (I,) int64, px.
        widths: (I,) int64, px.
        category_ids: (C,) ids.
        category_names: (C,) str objects, each there once.
        ids: (N,) ids of the entries.
        image_index: (N,) int64, row of each one's image.
        category_index: (N,) int64, row of its category.
        columns: what was taken of the N entries.
        skipped: what was passed over, and why.
    """

    image_ids: NDArray[Any]
    file_names: NDArray[Any]
    heights: Ints
    widths: Ints
    category_ids: NDArray[Any]
    category_names: NDArray[Any]
    ids: NDArray[Any]
    image_index: Ints
    category_index: Ints
    columns: Columns
    skipped: Skipped


class TakenBatch(NamedTuple):
    """A batch's entries that can be used, as `Entries` has them; the others; and the ids of all."""

    ids: NDArray[Any]
    image_index: Ints
    categories: list[Id | None]
    columns: Columns
    skipped: list[SkippedItem]
    all_ids: NDArray[Any]
    progress: int


class ReadSource(NamedTuple):
    """One source, read."""

    source_name: str
    kind: str
    ids_are_unique: bool
    images: Images
    categories: Mapping[Id, str]
    skipped: list[SkippedItem]
    batches: list[TakenBatch]


def _join_categories(reads: list[ReadSource]) -> dict[Id, str]:
    names: dict[Id, str] = {}
    for read in reads:
        for category_id, name in read.categories.items():
            known = names.setdefault(category_id, name)
            if known != name:
                raise ValueError(
                    f"category {category_id!r} is {name!r} in {read.source_name}, but {known!r} in "
                    "a file before it; files that are scored together must agree on their "
                    "categories"
                )
    return names


def unique_names(category_names: Mapping[Id, str]) -> list[str]:
    """The names, with the id added where several categories have one name."""
    times = Counter(category_names.values())
    return [n if times[n] == 1 else f"{n} (id {i})" for i, n in category_names.items()]


def _check_ids(reads: list[ReadSource]) -> None:
    """Refuses sources in which an id repeats, one for all of them."""
    names = ", ".join(read.source_name for read in reads)
    image_ids = as_id_array([i for read in reads for i in read.images.ids])
    all_ids = np.concatenate([batch.all_ids for read in reads for batch in read.batches])
    check_unique(names, "images", image_ids)
    check_unique(names, f"{reads[0].kind}s", all_ids)


def _skipped_of(read: ReadSource) -> Iterator[SkippedItem]:
    yield from read.skipped
    for batch in read.batches:
        yield from batch.skipped


def join_sources(reads: list[ReadSource]) -> Entries:
    """All of it.

    Raises:
        ValueError: there is no source; they do not agree on a category; an id repeats.
    """
    if not reads:
        raise ValueError("there is nothing to read; give at least one file")
    names = _join_categories(reads)
    if all(read.ids_are_unique for read in reads):
        _check_ids(reads)
    row_of_category: dict[Id | None, int] = {
        category_id: row for row, category_id in enumerate(names)
    }
    images = [read.images for read in reads]
    first_images = np.cumsum([0, *(len(each.ids) for each in images)]).tolist()
    batches = [
        (batch, first)
        for read, first in zip(reads, first_images, strict=False)
        for batch in read.batches
    ]
    return Entries(
        image_ids=as_id_array([i for each in images for i in each.ids]),
        file_names=object_array([name for each in images for name in each.file_names]),
        heights=np.concatenate([each.heights for each in images]),
        widths=np.concatenate([each.widths for each in images]),
        category_ids=as_id_array(list(names)),
        category_names=object_array(unique_names(names)),
        ids=np.concatenate([batch.ids for batch, _ in batches]),
        image_index=np.concatenate([first + batch.image_index for batch, first in batches]),
        category_index=np.array(
            [row_of_category[key] for batch, _ in batches for key in batch.categories], np.int64
        ),
        columns=tuple(
            map(np.concatenate, zip(*(batch.columns for batch, _ in batches), strict=True))
        ),
        skipped=Skipped([item for read in reads for item in _skipped_of(read)]),
    )
