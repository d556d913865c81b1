"""Binary masks as column-major run lengths: the one form that every geometry function reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from .compiled import compiled
from .toggles import append_runs, grown, order_toggles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .toggles import Ints

MAX_SIDE = 2**20  # px; with it, no sum of positions leaves 64 bits and no scratch array is large
MAX_PIXELS = 2**32 - 1  # COCO's counts have 32 bits


class MaskProblem(IntEnum):
    """Why a mask could not be read; ``name.lower()`` is the reason to report."""

    NONE = 0
    BAD_SIZE = 1  # height or width < 1 or > MAX_SIDE, or more than MAX_PIXELS pixels
    GARBAGE = 2  # characters outside COCO's alphabet, or items that are no 32-bit integers
    TRUNCATED = 3  # the string ends in the middle of a number
    NEGATIVE_COUNT = 4
    WRONG_TOTAL = 5  # the counts do not add up to height * width
    BAD_POLYGON = 6  # no part, a part of fewer than 3 points, or coordinates not finite or absurd
    OUTLINE_TOO_LONG = 7  # more than MAX_OUTLINE pixels of outline inside the frame


# what the compiled functions know of it
_OK, _BAD_SIZE, _GARBAGE, _TRUNCATED, _NEGATIVE, _WRONG_TOTAL = map(int, list(MaskProblem)[:6])


@dataclass(frozen=True)
class MaskRuns:
    """N binary masks as run lengths, in COCO's own order.

    A mask is read down its columns, left to right; its counts alternate background, foreground,
    background, ... and add up to height * width. A count may be 0. A mask without a single count is
    one that could not be read.

    Attributes:
        counts: (R,) uint32, px; the counts of all masks, one mask after another.
        starts: (N + 1,) int64; mask j is ``counts[starts[j]:starts[j + 1]]``.
        heights: (N,) int64, px.
    """

    counts: NDArray[np.uint32]
    starts: NDArray[np.int64]
    heights: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.heights)


@compiled
def is_bad_size(height: int, width: int) -> bool:
    """Whether a frame is empty, or larger than any real one."""
    return not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and height * width <= MAX_PIXELS)


@compiled
def _row_toggles(
    above: NDArray[np.bool_],
    row: NDArray[np.bool_],
    y: int,
    height: int,
    xs: Ints,
    places: Ints,
    num: int,
) -> int:
    for start in range(0, len(row), 64):
        stop = min(start + 64, len(row))
        differ = False
        for x in range(start, stop):  # one vector instruction or two
            differ |= above[x] != row[x]
        if differ:
            for x in range(start, stop):
                if above[x] != row[x]:
                    xs[num], places[num] = x, x * height + y
                    num += 1
    return num


@compiled
def _scan(
    pixels: NDArray[np.bool_], heights: Ints, widths: Ints
) -> tuple[NDArray[np.uint32], Ints]:
    counts = np.empty(1024, np.uint32)
    starts = np.zeros(len(heights) + 1, np.int64)
    nothing = np.zeros(widths.max(), np.bool_)
    column_ends = np.empty(widths.max() + 1, np.int64)
    xs, places, ordered = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    offset = used = 0
    for j in range(len(heights)):
        height, width = heights[j], widths[j]
        above = nothing[:width]
        num = 0
        for y in range(height):
            row = pixels[offset : offset + width]
            xs, places = grown(xs, num, num + 2 * width), grown(places, num, num + 2 * width)
            num = _row_toggles(above, row, y, height, xs, places, num)
            above = row
            offset += width
        if height > 0:
            num = _row_toggles(above, nothing[:width], height, height, xs, places, num)
        ordered = grown(ordered, 0, num)
        num = order_toggles(xs, places, num, ordered, column_ends)
        counts = grown(counts, used, used + num + 1)
        used = append_runs(counts, used, ordered, num, height * width)
        starts[j + 1] = used
    return counts[:used].copy(), starts


def mask_runs_from_bitmaps(bitmaps: Sequence[NDArray[np.generic]]) -> MaskRuns:
    """Scans bitmaps into runs.

    Args:
        bitmaps: N arrays (H, W), each of its own size; nonzero is foreground.
    """
    if len(bitmaps) == 0:
        return MaskRuns(np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty(0, np.int64))
    heights, widths = np.array([bitmap.shape for bitmap in bitmaps], np.int64).T.copy()
    pixels = np.concatenate([bitmap.astype(np.bool_, copy=False).ravel() for bitmap in bitmaps])
    return MaskRuns(*_scan(pixels, heights, widths), heights)


@compiled
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
        counts[num] = value
        num += 1
    return num, _OK if total == num_pixels else _WRONG_TOTAL


@compiled
def _copy_counts(numbers: Ints, counts: NDArray[np.uint32], num_pixels: int) -> tuple[int, int]:
    """Checks one list of counts and copies it, as `_decode_string`."""
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
    text_ends: Ints,
    numbers: Ints,
    number_ends: Ints,
    heights: Ints,
    widths: Ints,
    problems: NDArray[np.uint8],
) -> tuple[NDArray[np.uint32], Ints]:
    counts = np.empty(len(text) + len(numbers), np.uint32)
    starts = np.zeros(len(heights) + 1, np.int64)
    text_start = number_start = used = 0
    for j in range(len(heights)):
        string, listed = text[text_start : text_ends[j]], numbers[number_start : number_ends[j]]
        text_start, number_start = text_ends[j], number_ends[j]
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
    nothing = np.empty(0, np.int64)
    problems = np.zeros(len(rles), np.uint8)
    texts, lists = [b""] * len(rles), [nothing] * len(rles)
    for j, rle in enumerate(rles):
        if isinstance(rle, bytes):
            texts[j] = rle
        elif isinstance(rle, str):
            texts[j] = rle.encode("utf-8", "surrogatepass")  # what is not ASCII is garbage later
        else:
            numbers = _integers(rle)
            if numbers is None:
                problems[j] = MaskProblem.GARBAGE
            else:
                lists[j] = numbers
    counts, starts = _decode(
        np.frombuffer(b"".join(texts), np.uint8),
        np.cumsum([len(text) for text in texts], dtype=np.int64),
        np.concatenate([nothing, *lists]),
        np.cumsum([len(numbers) for numbers in lists], dtype=np.int64),
        np.asarray(heights, np.int64),
        np.asarray(widths, np.int64),
        problems,
    )
    return MaskRuns(counts, starts, np.asarray(heights, np.int64)), problems


@compiled
def _encode(counts: NDArray[np.uint32], starts: Ints) -> tuple[NDArray[np.uint8], Ints]:
    text = np.empty(7 * len(counts), np.uint8)
    text_ends = np.empty(len(starts) - 1, np.int64)
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
        text_ends[j] = used
    return text[:used].copy(), text_ends


def mask_runs_to_rle(masks: MaskRuns) -> list[bytes]:
    """Writes compressed COCO strings, byte for byte as pycocotools does."""
    codes, ends = _encode(masks.counts, masks.starts)
    text = codes.tobytes()
    return [text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def mask_runs_to_bitmaps(masks: MaskRuns) -> list[NDArray[np.bool_]]:
    """Draws every mask as a bool array (H, W); (H, 0) for one that could not be read."""
    bitmaps = []
    for j, height in enumerate(masks.heights):
        counts = masks.counts[masks.starts[j] : masks.starts[j + 1]]
        columns = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        bitmaps.append(columns.reshape(-1, height).T)
    return bitmaps
