"""COCO's run lengths, compressed strings and lists of counts, to masks and back."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .compiled import compiled, inner
from .masks import (
    MAX_OUTLINE,
    MAX_PIXELS,
    MaskProblem,
    MaskRuns,
    is_bad_size,
    mask_runs_from_bitmaps,
    mask_runs_to_bitmaps,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .toggles import Ints

# what the compiled functions know of it
_OK, _BAD_SIZE, _GARBAGE, _TRUNCATED, _NEGATIVE, _WRONG_TOTAL = map(int, list(MaskProblem)[:6])
_OUTLINE_TOO_LONG = int(MaskProblem.OUTLINE_TOO_LONG)


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
