"""What a source is: the reader of one format, which gives instances batch by batch.

Whatever is done with instances - their outlines measured, their masks learned - is done on this, so
that a format is read by one module, and what is passed over is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..geometry.masks import MaskRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ..skipped import SkippedItem

    Ints = NDArray[np.int64]

Id = int | str
Problem = tuple[str, str]  # reason, detail
Problems = dict[int, Problem]  # row of a batch -> why it is passed over


class Polygons(NamedTuple):
    """n masks as polygons, as `tfdp.geometry.rasterize.rasterize_polygons` takes them."""

    xy: NDArray[np.float64]
    part_starts: Ints
    mask_starts: Ints
    heights: Ints
    widths: Ints


class RunLengths(NamedTuple):
    """n masks as run lengths, as `tfdp.geometry.run_lengths.mask_runs_from_rle` takes them."""

    counts: Sequence[bytes | str | Sequence[int]]
    heights: Ints
    widths: Ints


class Bitmaps(NamedTuple):
    """n masks as arrays (H, W), each of its own size; nonzero is foreground."""

    bitmaps: Sequence[NDArray[np.generic]]


Shapes = Polygons | RunLengths | Bitmaps | MaskRuns


class Piece(NamedTuple):
    """Some of a batch's masks: as many as may be held at once.

    Attributes:
        rows: (n,) their rows in the batch.
        shapes: the n masks.
    """

    rows: Ints
    shapes: Shapes


class Batch(NamedTuple):
    """n entries of a source, in its order; those that cannot be used are among them.

    Attributes:
        ids: (n,) ids; None where an entry has none that can be used.
        image_index: (n,) row of each one's image among the source's; anything for a problem.
        categories: (n,) key of each one's class in the source's ``categories``; likewise.
        pieces: the masks, each row at most once; a row in none of them is passed over. Reading on
            may add to ``problems``.
        problems: why entries are passed over; all of them once ``pieces`` is at its end. What
            pieces hold of such an entry is not used.
        boxes: (n, 4) x, y, width, height, px; NaN where the mask's own box is meant. None where
            that is meant of all, or boxes are not asked for.
        progress: what the batch adds to the source's progress.
    """

    ids: Sequence[Id | None]
    image_index: Ints
    categories: Sequence[Id | None]
    pieces: Generator[Piece, None, None]
    problems: Problems
    boxes: NDArray[np.float64] | None
    progress: int


@dataclass(frozen=True)
class Images:
    """The I images of a source that can be used.

    Attributes:
        ids: (I,) ids.
        file_names: (I,) paths, relative to the source's folder of images or absolute; "" for none.
        heights: (I,) int64, px.
        widths: (I,) int64, px.
    """

    ids: Sequence[Id]
    file_names: Sequence[str]
    heights: Ints
    widths: Ints


class Source(Protocol):
    """One collection in one format.

    What `batches` gives is light; each item reads its batch when it is called, in any thread.

    Attributes:
        name: what errors call it: the path, where it has one.
        total: the sum of all batches' ``progress``, in whatever unit.
        kind: what its entries are called where they are passed over ("annotation", "label").
        ids_are_unique: whether images or entries of one id are an error, and not as they should be.
        max_threads: how many of them may read batches at a time.
    """

    name: str
    total: int
    kind: str
    ids_are_unique: bool
    max_threads: int

    def batches(self, *, for_learning: bool) -> Iterator[Callable[[], Batch]]:
        """The batches, in order.

        Args:
            for_learning: whether boxes are asked for, and masks in the frames of their images. Else
                there are no boxes, and a mask may be of a size of its own.
        """
        ...

    def images(self) -> Images:
        """The images; known when all batches have been read."""
        ...

    def categories(self) -> Mapping[Id, str]:
        """Key -> name of every class, in the source's order; known likewise."""
        ...

    def skipped(self) -> list[SkippedItem]:
        """What was passed over beside the entries: images, samples; known likewise."""
        ...
