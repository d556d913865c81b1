"""Label images: PNG files in which every pixel's value says what it belongs to."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..errors import UnreadableError
from ..files.regular_files import read_regular_file
from ..geometry.masks import MAX_OUTLINE, mask_runs_from_counts

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..geometry.masks import MaskRuns
    from .source import Ints

    Values = NDArray[np.integer[Any]]

MAX_BYTES = 2**27  # of one file
MAX_PIXELS = 2**26  # of one image: 8,192 x 8,192. Finding its objects takes up to 15 bytes for each
MAX_RUNS = MAX_OUTLINE - 2  # of one image; no two that meet are one object's, so it has half
_PNG = b"\x89PNG\r\n\x1a\n"
_SIZE_START = len(_PNG) + 8  # where width and height stand


def check_label_size(height: int, width: int) -> None:
    """Raises UnreadableError where a label image would have no pixels, or too many."""
    if height < 1 or width < 1:
        raise UnreadableError("bad_size", f"{height} x {width}")
    if height * width > MAX_PIXELS:
        raise UnreadableError("mask_too_large", f"{height} x {width}; at most {MAX_PIXELS:,} px")


def _decode(path: Path) -> Values:
    data = read_regular_file(path, MAX_BYTES)
    if not data.startswith(_PNG):
        raise ValueError(f"{path} is no PNG")
    width, height = struct.unpack_from(">II", data, _SIZE_START)
    check_label_size(height, width)
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        if len(image.getbands()) != 1:
            raise ValueError(f"expected a palette or gray values, but {path} has colors")
        return np.asarray(image)


def read_label_image(path: Path) -> Values:
    """The (H, W) values of a PNG with a palette or gray values, as they are stored.

    Raises:
        UnreadableError: it is missing, damaged, too large, or has colors.
    """
    try:
        return _decode(path)
    except UnreadableError:
        raise
    except FileNotFoundError:
        raise UnreadableError("mask_missing", f"no file {path}") from None
    except Exception as error:  # damage makes Pillow raise nearly anything
        raise UnreadableError("mask_unreadable", str(error)) from error


def find_objects(labels: Values) -> dict[int, NDArray[np.uint32]]:
    """Value -> where a label image has it, for all of its values, in one pass over its pixels.

    Args:
        labels: (H, W).

    Returns:
        COCO's run lengths: counts down the columns, background and foreground in turn.

    Raises:
        UnreadableError: it has more than `MAX_RUNS` runs.
    """
    pixels = labels.ravel(order="F")
    changes = pixels[1:] != pixels[:-1]
    if np.count_nonzero(changes) >= MAX_RUNS:
        raise UnreadableError("outline_too_long", f"over {MAX_RUNS:,} changes of the value")
    starts = np.append(0, np.flatnonzero(changes) + 1)
    runs = np.column_stack([starts, np.append(starts[1:], len(pixels))])
    order = np.argsort(pixels[starts], kind="stable")
    values, firsts = np.unique(pixels[starts][order], return_index=True)
    objects = {}
    for value, ends in zip(values.tolist(), np.split(runs[order], firsts[1:]), strict=True):
        toggles = ends[ends < len(pixels)]  # all but the end of the last pixel, in order
        counts = np.diff(toggles, prepend=0, append=len(pixels))
        objects[value] = counts.astype(np.uint32)
    return objects


def join_runs(masks: list[NDArray[Any]], heights: Ints, widths: Ints) -> MaskRuns:  # noqa: ARG001
    """The run lengths of many masks as one, as a `FolderSource` takes them."""
    return mask_runs_from_counts(masks, heights)
