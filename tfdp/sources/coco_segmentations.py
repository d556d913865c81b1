"""COCO segmentations -> masks, piece by piece: polygons and both kinds of run lengths, checked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec import Raw, Struct

from ..geometry.pieces import in_pieces
from .json_entries import MAX_TEXT as MAX_SIZE
from .json_texts import cut, parse
from .polygon_text import find_far_outside, read_polygons
from .source import Piece, Polygons, RunLengths

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from numpy.typing import NDArray

    from .source import Ints, Problem, Problems

PIECE = 2**19  # bytes; of the text of segmentations that is read at a time
MAX_TEXT = 2**23  # bytes; of one segmentation. As numbers it may take thirty times as much
_LARGEST = sys.float_info.max


class Segmentations(NamedTuple):
    """N segmentations.

    Attributes:
        rows: (N,) of their annotations in the batch.
        texts: (N,) JSON; empty where there is none.
        heights: (N,) px, of the image that each is in.
        widths: (N,) px.
    """

    rows: Ints
    texts: Sequence[Raw]
    heights: Ints
    widths: Ints


class _Joined(NamedTuple):
    """n segmentations, of which none is too long, in one text.

    Attributes:
        text: the bytes of all.
        rows: (n,) of their annotations in the batch.
        spans: (n, 2) where they are in the text.
        heights: (n,) px, of the image that each is in.
        widths: (n,) px.
    """

    text: NDArray[np.uint8]
    rows: Ints
    spans: Ints
    heights: Ints
    widths: Ints

    def take(self, some: NDArray[Any]) -> _Joined:
        """Some of them."""
        text, *columns = self
        return _Joined(text, *(column[some] for column in columns))

    def texts(self) -> list[bytes]:
        return [self.text[start:end].tobytes() for start, end in self.spans.tolist()]


class _RunLengths(Struct):
    size: Raw = Raw(b"null")
    counts: Raw = Raw(b"null")


def _join(segmentations: Segmentations, lengths: Ints, some: Ints) -> _Joined:
    rows, texts, heights, widths = segmentations
    ends = lengths[some].cumsum()
    spans = np.column_stack([ends - lengths[some], ends])
    text = np.frombuffer(b"".join([texts[k] for k in some.tolist()]), np.uint8)
    return _Joined(text, rows[some], spans, heights[some], widths[some])


def _look_at_part(part: Any) -> Problem | None:
    """What is wrong with one part of a polygon."""
    if not isinstance(part, list) or not all(type(x) in {int, float} for x in part):
        return "bad_segmentation", "a polygon's part must be a list of numbers"
    if len(part) % 2:
        return "polygon_odd_length", f"{len(part)} numbers"
    if len(part) < 6:
        return "polygon_too_short", f"{len(part) // 2} points"
    if not all(abs(x) <= _LARGEST for x in part):  # NaN is not
        return "not_finite", "a coordinate is NaN or infinite"
    return None


def _read_carefully(some: _Joined, problems: Problems) -> tuple[Ints, Polygons]:
    """Reads the polygons that `read_polygons` left, or says what is wrong with them."""
    parts: list[NDArray[np.float64]] = []
    mask_starts, good = [0], []
    for k, text in enumerate(some.texts()):
        polygon = parse(text)
        problem = next(filter(None, map(_look_at_part, polygon)), None)
        if problem is not None:
            problems[int(some.rows[k])] = problem
            continue
        parts += [np.array(part, np.float64).reshape(-1, 2) for part in polygon]
        mask_starts.append(len(parts))
        good.append(k)
    xy = np.concatenate([np.empty((0, 2)), *parts])
    part_starts = np.cumsum([0, *map(len, parts)])
    kept = some.take(np.array(good, np.int64))
    polygons = Polygons(xy, part_starts, np.array(mask_starts), kept.heights, kept.widths)
    return kept.rows, polygons


def _read_polygons(some: _Joined, problems: Problems) -> Iterator[Piece]:
    """Reads polygons: first those of plain numbers, then all the rest."""
    xy, part_starts, mask_starts, plain = read_polygons(some.text, some.spans)
    has_parts = np.diff(mask_starts) > 0
    for row in some.rows[plain & ~has_parts].tolist():
        problems[row] = ("no_mask", "an empty list")
    mask_starts = mask_starts[np.append(True, has_parts)]  # the others are empty, and go
    kept = some.take(has_parts)
    for rows, polygons in (
        (kept.rows, Polygons(xy, part_starts, mask_starts, kept.heights, kept.widths)),
        _read_carefully(some.take(~plain), problems),
    ):
        for row in rows[find_far_outside(*polygons)].tolist():
            problems[row] = ("far_outside", "beyond the image by more than its own size")
        yield Piece(rows, polygons)


def _read_counts(text: bytes) -> bytes | str | list[Any] | None:
    if text[:1] == b'"' and b"\\" not in text:
        return text[1:-1]
    counts = parse(text)
    return counts if isinstance(counts, str | list) else None


def _read_run_lengths(some: _Joined, problems: Problems) -> Iterator[Piece]:
    """Reads run lengths of both kinds."""
    rles = []
    image_sizes = np.column_stack([some.heights, some.widths]).tolist()
    for row, text, image_size in zip(some.rows.tolist(), some.texts(), image_sizes, strict=True):
        found = cut(text, _RunLengths)
        size = parse(found.size) if len(found.size) <= MAX_SIZE else None
        counts = _read_counts(bytes(found.counts))
        rles.append(b"" if counts is None else counts)
        if size != image_size:
            detail = f"{str(size)[:40]}, but the image has {image_size}"
            problems[row] = ("size_mismatch", detail)
        elif counts is None:
            problems[row] = ("bad_segmentation", "counts must be a string or a list")
    yield Piece(some.rows, RunLengths(rles, some.heights, some.widths))


def _read_joined(some: _Joined, problems: Problems) -> Iterator[Piece]:
    first = some.text[some.spans[:, 0]]
    lists, objects = first == ord("["), first == ord("{")
    others = some.take(~(lists | objects))
    for row, text in zip(others.rows.tolist(), others.texts(), strict=True):
        reason = "no_mask" if text == b"null" else "bad_segmentation"
        problems[row] = (reason, text[:20].decode(errors="replace"))
    if lists.any():
        yield from _read_polygons(some.take(lists), problems)
    if objects.any():
        yield from _read_run_lengths(some.take(objects), problems)


def read_segmentations(
    segmentations: Segmentations, problems: Problems
) -> Generator[Piece, None, None]:
    """Reads N segmentations, piece by piece.

    Args:
        segmentations: what is read.
        problems: takes, for each row that cannot be read, the reason and what was found.
    """
    lengths = np.fromiter(map(len, segmentations.texts), np.int64, len(segmentations.texts))
    for row in segmentations.rows[lengths == 0].tolist():
        problems[row] = ("no_mask", "")
    for k in np.flatnonzero(lengths > MAX_TEXT).tolist():
        row = int(segmentations.rows[k])
        problems[row] = ("segmentation_too_long", f"{lengths[k]:,} bytes of text")
    fits = np.flatnonzero((lengths > 0) & (lengths <= MAX_TEXT))
    for piece in in_pieces(lengths[fits], PIECE):
        yield from _read_joined(_join(segmentations, lengths, fits[piece]), problems)
