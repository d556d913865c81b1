"""Binary masks as run lengths: the one form that every geometry function reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .compiled import compiled, inner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .toggles import Ints

MAX_SIDE = 2**20  # px; with it, no sum of positions leaves 64 bits and no scratch array is large
MAX_PIXELS = 2**32 - 1  # COCO's counts have 32 bits
MAX_OUTLINE = (
    2**21
)  # px; drawing and measuring take up to 100 bytes for each. A run has two or more


class MaskProblem(IntEnum):
    """Why a mask could not be read; ``name.lower()`` is the reason to report."""

    NONE = 0
    BAD_SIZE = 1  # height or width < 1 or > MAX_SIDE, or more than MAX_PIXELS pixels
    GARBAGE = 2  # characters outside COCO's alphabet, or items that are no 32-bit integers
    TRUNCATED = 3  # the string ends in the middle of a number
    NEGATIVE_COUNT = 4
    WRONG_TOTAL = 5  # the counts do not add up to height * width
    BAD_POLYGON = 6  # no part, a part of fewer than 3 points, or coordinates not finite or absurd
    OUTLINE_TOO_LONG = 7  # more than MAX_OUTLINE pixels of outline inside the frame, or counts


# what the compiled functions know of it
_OK, _BAD_SIZE, _GARBAGE, _TRUNCATED, _NEGATIVE, _WRONG_TOTAL = map(int, list(MaskProblem)[:6])
_OUTLINE_TOO_LONG = int(MaskProblem.OUTLINE_TOO_LONG)


@dataclass(frozen=True)
class MaskRuns:
    """N binary masks as run lengths.

    A mask is read down its columns, left to right, as COCO does, or (`by_row`) along its rows, top
    to bottom. Its counts alternate background, foreground, background, ... and add up to
    height * width. A count may be 0. A mask without a single count is one that could not be read.

    Attributes:
        counts: (R,) uint32, px; the counts of all masks, one mask after another.
        starts: (N + 1,) int64; mask j is ``counts[starts[j]:starts[j + 1]]``.
        line_lengths: (N,) int64, px; a column's length (the height), or a row's (the width).
        by_row: whether the lines are rows.
    """

    counts: NDArray[np.uint32]
    starts: NDArray[np.int64]
    line_lengths: NDArray[np.int64]
    by_row: bool = False

    def __len__(self) -> int:
        return len(self.line_lengths)


@inner
def is_bad_size(height: int, width: int) -> bool:
    """Whether a frame is empty, or larger than any real one."""
    return not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and height * width <= MAX_PIXELS)


@inner
def _scan_pixels(pixels: NDArray[np.bool_], counts: NDArray[np.uint32]) -> int:
    """Writes one bitmap's counts, pixel by pixel as they lie in memory.

    Returns:
        Their number; 0 for more than MAX_OUTLINE.
    """
    num = last = 0
    before = False
    for start in range(0, len(pixels), 64):
        block = pixels[start : start + 64]
        changes = False
        for pixel in block:  # a vector instruction or two, and mostly that is all
            changes |= pixel != before
        if changes:
            for k in range(len(block)):
                if block[k] != before:
                    before = not before
                    counts[num] = start + k - last
                    last = start + k
                    num += 1
            if num >= MAX_OUTLINE:
                return 0
    counts[num] = len(pixels) - last
    return num + 1


@compiled
def _scan(pixels: NDArray[np.bool_], sizes: Ints) -> tuple[NDArray[np.uint32], Ints]:
    counts = np.empty(
        len(pixels) + len(sizes), np.uint32
    )  # of a chessboard; pages unused cost nothing
    starts = np.zeros(len(sizes) + 1, np.int64)
    offset = 0
    for j in range(len(sizes)):
        num = _scan_pixels(pixels[offset : offset + sizes[j]], counts[starts[j] :])
        offset += sizes[j]
        starts[j + 1] = starts[j] + num
    return counts[: starts[-1]].copy(), starts


def mask_runs_from_bitmaps(bitmaps: Sequence[NDArray[np.generic]]) -> MaskRuns:
    """Scans bitmaps into runs along their rows.

    Args:
        bitmaps: N arrays (H, W), each of its own size; nonzero is foreground.

    Returns:
        The N masks, in order. One of more than `MAX_OUTLINE` counts has none.
    """
    pixels = [bitmap.astype(np.bool_, copy=False).ravel() for bitmap in bitmaps]
    counts, starts = _scan(
        np.concatenate([np.empty(0, np.bool_), *pixels]),
        np.array([bitmap.size for bitmap in bitmaps], np.int64),
    )
    widths = np.array([bitmap.shape[1] for bitmap in bitmaps], np.int64)
    return MaskRuns(counts, starts, widths, by_row=True)


@inner
def _decode_string(
    text: NDArray[np.uint8], counts: NDArray[np.uint32], num_pixels: int
) -> tuple[int, int]:
    """Reads one compressed string, 5 bits a character, into ``counts`` (>= one a character).

    Returns:
        The number of counts, and the problem.
    """
    total = num = k = 0
    while k < len(text):
        value = np.int64(0)
        shift = 0
        more = True
        while more:
            if k == len(text):
                return 0, _TRUNCATED
            code = np.int64(text[k]) - 48
            if code < 0 or code > 63 or shift > 30:
                return 0, _GARBAGE
            value |= (code & 31) << shift
            more = code & 32 != 0
            shift += 5
            k += 1
        if code & 16:
            value -= np.int64(1) << shift
        if num > 2:
            value += counts[num - 2]  # from the fourth on, counts are differences
        if value < 0:
            return 0, _NEGATIVE
        total += value
        if total > num_pixels:
            return 0, _WRONG_TOTAL
        if num == MAX_OUTLINE:
            return 0, _OUTLINE_TOO_LONG
        counts[num] = value
        num += 1
    return num, _OK if total == num_pixels else _WRONG_TOTAL


@inner
def _copy_counts(numbers: Ints, counts: NDArray[np.uint32], num_pixels: int) -> tuple[int, int]:
    """Checks one list of counts and copies it, as `_decode_string`."""
    if len(numbers) > MAX_OUTLINE:
        return 0, _OUTLINE_TOO_LONG
    total = 0
    for k in range(len(numbers)):
        if numbers[k] < 0:
            return 0, _NEGATIVE
        if numbers[k] > num_pixels - total:
            return 0, _WRONG_TOTAL
        total += numbers[k]
        counts[k] = numbers[k]
    return len(numbers), _OK if total == num_pixels else _WRONG_TOTAL


@compiled
def _decode(
    text: NDArray[np.uint8],
    text_stops: Ints,
    numbers: Ints,
    number_stops: Ints,
    heights: Ints,
    widths: Ints,
    problems: NDArray[np.uint8],
) -> tuple[NDArray[np.uint32], Ints]:
    counts = np.empty(len(text) + len(numbers), np.uint32)
    starts = np.zeros(len(heights) + 1, np.int64)
    text_start = number_start = used = 0
    for j in range(len(heights)):
        string, listed = text[text_start : text_stops[j]], numbers[number_start : number_stops[j]]
        text_start, number_start = text_stops[j], number_stops[j]
        num = 0
        if problems[j] == _OK:
            if is_bad_size(heights[j], widths[j]):
                problems[j] = _BAD_SIZE
            elif len(listed) > 0:
                num, problems[j] = _copy_counts(listed, counts[used:], heights[j] * widths[j])
            else:
                num, problems[j] = _decode_string(string, counts[used:], heights[j] * widths[j])
        if problems[j] == _OK:
            used += num
        starts[j + 1] = used
    return counts[:used].copy(), starts


def _integers(numbers: object) -> Ints | None:
    """A list of integers as an array; None where it is anything else."""
    try:
        array = np.asarray(numbers)
    except (ValueError, OverflowError):
        return None
    if array.ndim != 1 or (array.dtype.kind not in "iu" and len(array) > 0):
        return None
    if array.dtype == np.uint64 and array.max() > MAX_PIXELS:
        return None
    return array.astype(np.int64)


def mask_runs_from_rle(
    rles: Sequence[bytes | str | Sequence[int]],
    heights: NDArray[np.int64],
    widths: NDArray[np.int64],
) -> tuple[MaskRuns, NDArray[np.uint8]]:
    """Reads COCO run lengths, both kinds, and checks every one.

    Args:
        rles: N ``counts`` values: a compressed string (bytes or str) or a list of integers.
        heights: (N,) px.
        widths: (N,) px.

    Returns:
        The N masks, in order, and (N,) uint8 of `MaskProblem`: 0 where the mask could be read.
        A mask with a problem has no counts. Nothing is allocated or read on the word of a file.
    """
    problems = np.zeros(len(rles), np.uint8)
    texts, text_lengths = [b""], np.zeros(len(rles), np.int64)
    lists, list_lengths = [np.empty(0, np.int64)], np.zeros(len(rles), np.int64)
    for j, rle in enumerate(rles):
        if isinstance(rle, str | bytes):
            # whatever is not ASCII is found to be garbage later
            text = rle.encode("utf-8", "surrogatepass") if isinstance(rle, str) else rle
            texts.append(text)
            text_lengths[j] = len(text)
        elif (numbers := _integers(rle)) is not None:
            lists.append(numbers)
            list_lengths[j] = len(numbers)
        else:
            problems[j] = MaskProblem.GARBAGE
    counts, starts = _decode(
        np.frombuffer(b"".join(texts), np.uint8),
        np.cumsum(text_lengths),
        np.concatenate(lists),
        np.cumsum(list_lengths),
        np.asarray(heights, np.int64),
        np.asarray(widths, np.int64),
        problems,
    )
    return MaskRuns(counts, starts, np.asarray(heights, np.int64)), problems


@compiled
def _encode(counts: NDArray[np.uint32], starts: Ints) -> tuple[NDArray[np.uint8], Ints]:
    text = np.empty(7 * len(counts), np.uint8)
    text_stops = np.empty(len(starts) - 1, np.int64)
    used = 0
    for j in range(len(starts) - 1):
        for k in range(starts[j], starts[j + 1]):
            value = np.int64(counts[k])
            if k - starts[j] > 2:
                value -= np.int64(counts[k - 2])
            more = True
            while more:
                code = value & 31
                value >>= 5
                more = value != (-1 if code & 16 else 0)
                text[used] = code + 48 + (32 if more else 0)
                used += 1
        text_stops[j] = used
    return text[:used].copy(), text_stops


def mask_runs_to_rle(masks: MaskRuns) -> list[bytes]:
    """Writes compressed COCO strings, byte for byte as pycocotools does."""
    if masks.by_row:  # the rows of the transposed masks are their columns
        masks = mask_runs_from_bitmaps([bitmap.T for bitmap in mask_runs_to_bitmaps(masks)])
    codes, stops = _encode(masks.counts, masks.starts)
    text = codes.tobytes()
    return [text[start:stop] for start, stop in pairwise([0, *stops])]


def mask_runs_to_bitmaps(masks: MaskRuns) -> list[NDArray[np.bool_]]:
    """Draws every mask as a bool array (H, W); (0, 0) where it could not be read."""
    bitmaps = []
    for j, line_length in enumerate(masks.line_lengths):
        counts = masks.counts[masks.starts[j] : masks.starts[j + 1]]
        pixels = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        lines = pixels.reshape(-1, line_length) if len(pixels) > 0 else pixels.reshape(0, 0)
        bitmaps.append(lines if masks.by_row else lines.T)
    return bitmaps
