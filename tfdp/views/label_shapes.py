"""The forms in which raw FiftyOne labels hold masks, as sources give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..geometry.masks import mask_runs_from_counts
from ..sources.source import Bitmaps, Polygons
from .frames import frame_mask
from .masks import read_mask
from .values import read_box, read_outline, read_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..geometry.masks import MaskRuns
    from ..sources.source import Ints, Shapes
    from .frames import FramedMask
    from .values import Outline

    Raw = dict[str, Any]


class Form(NamedTuple):
    """One form of a mask.

    Attributes:
        keys: what is asked for of a label.
        read: the mask of a raw label in a raw sample; it has ``nbytes``. Raises UnreadableError.
        join: what a source gives of several masks.
        has_box: whether a mask has a ``box_xywh``, too.
    """

    keys: tuple[str, ...]
    read: Callable[[Raw, Raw], Any]
    join: Callable[[list[Any]], Shapes]
    has_box: bool = False


def _read_bitmap(label: Raw, _: Raw) -> NDArray[Any]:
    return read_mask(label)


def _read_framed(label: Raw, sample: Raw) -> FramedMask:
    return frame_mask(read_mask(label), read_box(label), *read_size(sample))


def _read_outline(label: Raw, sample: Raw) -> Outline:
    return read_outline(label, *read_size(sample))


def _join_framed(masks: list[FramedMask]) -> MaskRuns:
    heights = np.array([mask.height for mask in masks], np.int64)
    return mask_runs_from_counts([mask.counts for mask in masks], heights)


def _starts(lengths: list[int]) -> Ints:
    return np.cumsum([0, *lengths], dtype=np.int64)


def join_outlines(outlines: list[Outline]) -> Polygons:
    """Polylines as polygons, one mask each."""
    parts = [part for outline in outlines for part in outline.parts]
    return Polygons(
        xy=np.concatenate([np.empty((0, 2)), *parts]),
        part_starts=_starts([len(part) for part in parts]),
        mask_starts=_starts([len(outline.parts) for outline in outlines]),
        heights=np.array([outline.height for outline in outlines], np.int64),
        widths=np.array([outline.width for outline in outlines], np.int64),
    )


_OUTLINE = Form(("points", "closed", "filled"), _read_outline, join_outlines)
_STORED = Form(("mask", "mask_path"), _read_bitmap, Bitmaps)
_FRAMED = Form(("mask", "mask_path", "bounding_box"), _read_framed, _join_framed, has_box=True)


def find_form(kind: str, *, in_frames: bool) -> Form:
    """The form of the labels of a kind.

    Args:
        kind: of a `LabelField`.
        in_frames: whether masks are wanted in the frames of their images, or as they are stored.
    """
    if kind == "polylines":
        return _OUTLINE
    return _FRAMED if in_frames else _STORED
