"""COCO segmentations -> masks, piece by piece: polygons and both kinds of run lengths, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..geometry.pieces import in_pieces
from .json_file import parse
from .polygon_text import find_far_outside, read_polygons
from .source import Piece, Polygons, RunLengths

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from .json_file import JsonFile
    from .json_scan import Spans
    from .source import Ints, Problem, Problems

PIECE = 2**19  # bytes; of the text of segmentations that is read at a time
MAX_TEXT = 2**23  # bytes; of one segmentation. As numbers it may take thirty times as much


class Segmentations(NamedTuple):
    """N segmentations in a file.

    Attributes:
        file: the file.
        rows: (N,) of their annotations in the batch.
        spans: (N, 2) where they are; empty where there is none.
        heights: (N,) px, of the image that each is in.
        widths: (N,) px.
    """

    file: JsonFile
    rows: Ints
    spans: Spans
    heights: Ints
    widths: Ints

    @property
    def sizes(self) -> tuple[Ints, Ints]:
        return self.heights, self.widths

    def take(self, some: NDArray[Any]) -> Segmentations:
        """Some of them."""
        file, *columns = self
        return Segmentations(file, *(column[some] for column in columns))


def _look_at_part(part: Any) -> Problem | None:
    """What is wrong with one part of a polygon."""
    if not isinstance(part, list) or not all(type(x) in {int, float} for x in part):
        return "bad_segmentation", "a polygon's part must be a list of numbers"
    if len(part) % 2:
        return "polygon_odd_length", f"{len(part)} numbers"
    if len(part) < 6:
        return "polygon_too_short", f"{len(part) // 2} points"
    if not np.isfinite(np.array(part, np.float64)).all():
        return "not_finite", "a coordinate is NaN or infinite"
    return None


def _read_carefully(some: Segmentations, problems: Problems) -> tuple[Ints, Polygons]:
    """Reads the polygons that `read_polygons` left, or says what is wrong with them."""
    parts: list[NDArray[np.float64]] = []
    mask_starts, good = [0], []
    for k, row in enumerate(some.rows.tolist()):
        polygon = parse(some.file.raw(some.spans[k]))
        problem = next(filter(None, map(_look_at_part, polygon)), None)
        if problem is not None:
            problems[row] = problem
            continue
        parts += [np.array(part, np.float64).reshape(-1, 2) for part in polygon]
        mask_starts.append(len(parts))
        good.append(k)
    xy = np.concatenate([np.empty((0, 2)), *parts])
    part_starts = np.cumsum([0, *map(len, parts)])
    kept = some.take(np.array(good, np.int64))
    return kept.rows, Polygons(xy, part_starts, np.array(mask_starts), *kept.sizes)


def _read_polygons(some: Segmentations, problems: Problems) -> Iterator[Piece]:
    """Reads polygons: first those of plain numbers, then all the rest."""
    xy, part_starts, mask_starts, plain = read_polygons(some.file.text, some.spans)
    has_parts = np.diff(mask_starts) > 0
    for row in some.rows[plain & ~has_parts].tolist():
        problems[row] = ("no_mask", "an empty list")
    mask_starts = mask_starts[np.append(True, has_parts)]  # the others are empty, and go
    kept = some.take(has_parts)
    for rows, polygons in (
        (kept.rows, Polygons(xy, part_starts, mask_starts, *kept.sizes)),
        _read_carefully(some.take(~plain), problems),
    ):
        for row in rows[find_far_outside(*polygons)].tolist():
            problems[row] = ("far_outside", "beyond the image by more than its own size")
        yield Piece(rows, polygons)


def _read_counts(raw: bytes) -> bytes | str | list[Any] | None:
    if raw[:1] == b'"' and b"\\" not in raw:
        return raw[1:-1]
    counts = parse(raw or b"null")
    return counts if isinstance(counts, str | list) else None


def _read_run_lengths(some: Segmentations, problems: Problems) -> Iterator[Piece]:
    """Reads run lengths of both kinds."""
    file = some.file
    found = file.find(some.spans, ["size", "counts"])
    rles = []
    sizes = np.column_stack(some.sizes).tolist()
    for row, image_size, spans_found in zip(some.rows.tolist(), sizes, found, strict=True):
        size, counts = file.value(spans_found[0]), _read_counts(file.raw(spans_found[1]))
        rles.append(counts if counts is not None else b"")
        if size != image_size:
            detail = f"{str(size)[:40]}, but the image has {image_size}"
            problems[row] = ("size_mismatch", detail)
        elif counts is None:
            problems[row] = ("bad_segmentation", "counts must be a string or a list")
    yield Piece(some.rows, RunLengths(rles, *some.sizes))


def read_segmentations(
    segmentations: Segmentations, problems: Problems
) -> Generator[Piece, None, None]:
    """Reads N segmentations, piece by piece.

    Args:
        segmentations: what is read.
        problems: takes, for each row that cannot be read, the reason and what was found.
    """
    file, rows, spans, *_ = segmentations
    lengths = spans[:, 1] - spans[:, 0]
    first = np.where(lengths > 0, file.text[spans[:, 0]], ord("n"))  # as of null
    for k in np.flatnonzero(~np.isin(first, list(b"[{"))).tolist():
        raw = file.raw(spans[k])[:20].decode(errors="replace")
        null = first[k] == ord("n")
        problems[int(rows[k])] = ("no_mask" if null else "bad_segmentation", raw)
    for k in np.flatnonzero(lengths > MAX_TEXT).tolist():
        problems.setdefault(
            int(rows[k]), ("segmentation_too_long", f"{lengths[k]:,} bytes of text")
        )
    for mark, read in ((b"[", _read_polygons), (b"{", _read_run_lengths)):
        those = np.flatnonzero((lengths <= MAX_TEXT) & (first == ord(mark)))
        for piece in in_pieces(lengths[those], PIECE):
            yield from read(segmentations.take(those[piece]), problems)
