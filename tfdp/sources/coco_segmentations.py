"""COCO segmentations -> measured outlines: polygons and both kinds of run lengths, checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..geometry.contours import measure_contours
from ..geometry.masks import MaskProblem
from ..geometry.pieces import do_in_pieces
from ..geometry.rasterize import rasterize_in_pieces
from ..geometry.run_lengths import mask_runs_from_rle, mask_runs_to_rle
from .json_file import parse
from .polygon_text import find_far_outside, read_polygons

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..geometry.masks import MaskRuns
    from ..geometry.rasterize import Rasterizer
    from .json_file import JsonFile
    from .json_scan import Spans

    Ints = NDArray[np.int64]

PIECE = 2**19  # bytes; of the text of segmentations that is read at a time
MAX_TEXT = 2**23  # bytes; of one segmentation. As numbers it may take thirty times as much

Problem = tuple[str, str]  # reason, detail
Problems = dict[int, Problem]  # by row
Columns = tuple["NDArray[Any]", ...]  # what was read of N masks


class Segmentations(NamedTuple):
    """N segmentations in a file.

    Attributes:
        file: the file.
        annotations: (N, 2) where the annotations are that they belong to.
        spans: (N, 2) where they are; empty where there is none.
        heights: (N,) px, of the image that each is in.
        widths: (N,) px.
    """

    file: JsonFile
    annotations: Spans
    spans: Spans
    heights: Ints
    widths: Ints


class _Polygons(NamedTuple):
    """As `rasterize_polygons` takes them."""

    xy: NDArray[np.float64]
    part_starts: Ints
    mask_starts: Ints


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


def _read_carefully(
    segmentations: Segmentations, rows: Ints, problems: Problems
) -> tuple[Ints, _Polygons]:
    """Reads the polygons that `read_polygons` left, or says what is wrong with them."""
    parts: list[NDArray[np.float64]] = []
    mask_starts, good = [0], []
    for row in rows.tolist():
        polygon = parse(segmentations.file.raw(segmentations.spans[row]))
        problem = next(filter(None, map(_look_at_part, polygon)), None)
        if problem is not None:
            problems[row] = problem
            continue
        parts += [np.array(part, np.float64).reshape(-1, 2) for part in polygon]
        mask_starts.append(len(parts))
        good.append(row)
    xy = np.concatenate([np.empty((0, 2)), *parts])
    part_starts = np.cumsum([0, *map(len, parts)])
    return np.array(good, np.int64), _Polygons(xy, part_starts, np.array(mask_starts))


def _read_counts(raw: bytes) -> bytes | str | list[Any] | None:
    if raw[:1] == b'"' and b"\\" not in raw:
        return raw[1:-1]
    counts = parse(raw or b"null")
    return counts if isinstance(counts, str | list) else None


@dataclass(frozen=True)
class _Drawing:
    """Draws segmentations, some at a time.

    Attributes:
        segmentations: what is drawn.
        rasterizer: what draws polygons.
        use: is given rows, and their masks.
        problems: takes what cannot be drawn.
    """

    segmentations: Segmentations
    rasterizer: Rasterizer
    use: Callable[[Ints, MaskRuns], None]
    problems: Problems

    def draw_polygons(self, rows: Ints) -> None:
        """Draws polygons: first those of plain numbers, then all the rest."""
        file, _, spans, heights, widths = self.segmentations
        xy, part_starts, mask_starts, plain = read_polygons(file.text, spans[rows])
        has_parts = np.diff(mask_starts) > 0
        for row in rows[plain & ~has_parts].tolist():
            self.problems[row] = ("no_mask", "an empty list")
        mask_starts = mask_starts[np.append(True, has_parts)]  # the others are empty, and go
        for drawn, shapes in (
            (rows[has_parts], _Polygons(xy, part_starts, mask_starts)),
            _read_carefully(self.segmentations, rows[~plain], self.problems),
        ):
            far = find_far_outside(*shapes, heights[drawn], widths[drawn])
            for row in drawn[far].tolist():
                self.problems[row] = ("far_outside", "beyond the image by more than its own size")
            rasterize_in_pieces(
                *shapes,
                heights[drawn],
                widths[drawn],
                self.rasterizer,
                partial(self._finish, drawn),
            )

    def decode_rles(self, rows: Ints) -> None:
        """Decodes run lengths of both kinds."""
        file, _, spans, heights, widths = self.segmentations
        found = file.find(spans[rows], ["size", "counts"])
        rles = []
        sizes = np.column_stack([heights, widths])[rows].tolist()
        for row, image_size, spans_found in zip(rows.tolist(), sizes, found, strict=True):
            size, counts = file.value(spans_found[0]), _read_counts(file.raw(spans_found[1]))
            rles.append(counts if counts is not None else b"")
            if size != image_size:
                detail = f"{str(size)[:40]}, but the image has {image_size}"
                self.problems[row] = ("size_mismatch", detail)
            elif counts is None:
                self.problems[row] = ("bad_segmentation", "counts must be a string or a list")
        masks, codes = mask_runs_from_rle(rles, heights[rows], widths[rows])
        self._finish(rows, slice(None), masks, codes)

    def _finish(self, rows: Ints, piece: slice, masks: MaskRuns, codes: NDArray[np.uint8]) -> None:
        for k in np.flatnonzero(codes).tolist():
            reason = MaskProblem(codes[k]).name.lower()
            self.problems.setdefault(int(rows[piece][k]), (reason, ""))
        self.use(rows[piece], masks)


def _draw_segmentations(
    segmentations: Segmentations, rasterizer: Rasterizer, use: Callable[[Ints, MaskRuns], None]
) -> Problems:
    """Draws N segmentations; ``use`` is given rows and their masks, piece by piece.

    Returns:
        For each row that cannot be drawn the reason and what was found.
    """
    file, spans = segmentations.file, segmentations.spans
    problems: Problems = {}
    lengths = spans[:, 1] - spans[:, 0]
    first = np.where(lengths > 0, file.text[spans[:, 0]], ord("n"))  # as of null
    for row in np.flatnonzero(~np.isin(first, list(b"[{"))).tolist():
        raw = file.raw(spans[row])[:20].decode(errors="replace")
        null = first[row] == ord("n")
        problems[row] = ("no_mask", raw) if null else ("bad_segmentation", raw)
    for row in np.flatnonzero(lengths > MAX_TEXT).tolist():
        problems.setdefault(row, ("segmentation_too_long", f"{lengths[row]:,} bytes of text"))
    drawing = _Drawing(segmentations, rasterizer, use, problems)
    fits = lengths <= MAX_TEXT
    lists = np.flatnonzero(fits & (first == ord("[")))
    objects = np.flatnonzero(fits & (first == ord("{")))
    do_in_pieces(lambda piece: drawing.draw_polygons(lists[piece]), lengths[lists], PIECE)
    do_in_pieces(lambda piece: drawing.decode_rles(objects[piece]), lengths[objects], PIECE)
    return problems


def measure_segmentations(
    segmentations: Segmentations, rasterizer: Rasterizer
) -> tuple[Columns, Problems]:
    """Measures N segmentations; ``rasterizer`` draws the polygons among them.

    Returns:
        (N,) area, perimeter and pixel area, as `tfdp.geometry.contours.Contours` has them; and for
        each row that has none the reason and what was found.
    """
    area, perimeter = np.zeros((2, len(segmentations.spans)))
    pixel_area = np.zeros(len(segmentations.spans), np.int64)

    def measure(rows: Ints, masks: MaskRuns) -> None:
        contours = measure_contours(masks)
        area[rows], perimeter[rows] = contours.area, contours.perimeter
        pixel_area[rows] = contours.pixel_area

    problems = _draw_segmentations(segmentations, rasterizer, measure)
    return (area, perimeter, pixel_area), problems


def encode_segmentations(
    segmentations: Segmentations, rasterizer: Rasterizer
) -> tuple[Columns, Problems]:
    """The compressed run lengths of N segmentations; the same are read as are measured.

    Returns:
        (N,) bytes alone, and for each row that has none the reason and what was found.
    """
    encoded = np.full(len(segmentations.spans), b"", object)

    def encode(rows: Ints, masks: MaskRuns) -> None:
        encoded[rows] = mask_runs_to_rle(masks)

    problems = _draw_segmentations(segmentations, rasterizer, encode)
    return (encoded,), problems
