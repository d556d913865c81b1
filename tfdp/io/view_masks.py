"""Raw labels of FiftyOne -> masks as arrays or outlines, as they lie in the database or on disk."""

from __future__ import annotations

import io
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_NPY_MAGIC = b"\x93NUMPY\x01\x00"
_NPY_START = len(_NPY_MAGIC) + 2


class Outline(NamedTuple):
    """A polyline in a frame.

    Attributes:
        parts: each (K, 2) xy, px.
        height: of the frame, px.
        width: of the frame, px.
    """

    parts: list[NDArray[np.float64]]
    height: int
    width: int


class UnreadableError(ValueError):
    """A label that cannot be scored.

    Attributes:
        reason: the code to report.
        detail: what was found, for a person to read.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@lru_cache(maxsize=4096)
def _parse_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type: np.load's slowest part, and many masks share theirs."""
    stream = io.BytesIO(header)
    np.lib.format.read_magic(stream)
    return np.lib.format.read_array_header_1_0(stream)


def parse_npy(data: bytes) -> NDArray[Any]:
    """The array in ``np.save``'s bytes, without a copy.

    Raises:
        ValueError: they are no such bytes, or of another length than their header says.
    """
    if data[: len(_NPY_MAGIC)] != _NPY_MAGIC:
        return np.load(io.BytesIO(data), allow_pickle=False)
    start = _NPY_START + int.from_bytes(data[_NPY_START - 2 : _NPY_START], "little")
    shape, fortran, dtype = _parse_header(data[:start])
    values = np.frombuffer(data, dtype, offset=start)
    return values.reshape(shape, order="F" if fortran else "C")


def _read_stored(stored: Any) -> NDArray[Any]:
    try:
        return parse_npy(zlib.decompress(stored))
    except (zlib.error, ValueError, TypeError, EOFError) as error:
        raise UnreadableError("mask_unreadable", str(error)) from error


def _read_file(path: str) -> NDArray[Any]:
    if not Path(path).is_file():
        raise UnreadableError("mask_missing", f"no file {path}")
    mask = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if mask is None:
        raise UnreadableError("mask_unreadable", f"no image in {path}")
    return mask


def read_mask(label: Mapping[str, Any]) -> NDArray[Any]:
    """The (H, W) mask of a raw detection, nonzero = foreground, from the database or from disk.

    Raises:
        UnreadableError: it has none, or none that can be read.
    """
    if label.get("mask") is not None:
        mask = _read_stored(label["mask"])
    elif label.get("mask_path") is not None:
        mask = _read_file(label["mask_path"])
    else:
        raise UnreadableError("no_mask")
    if mask.ndim != 2:
        detail = f"expected an array of 2 dimensions, but it has shape {mask.shape}"
        raise UnreadableError("mask_unreadable", detail)
    return mask


def read_outline(label: Mapping[str, Any], height: int | None, width: int | None) -> Outline:
    """A raw polyline in a frame of the sample's size.

    Raises:
        UnreadableError: it encloses nothing, or the size is not known.
    """
    if not (label.get("closed") and label.get("filled")):
        raise UnreadableError("polyline_not_filled", "expected closed=True and filled=True")
    if not width or not height:
        detail = "the sample has no metadata; call view.compute_metadata() first"
        raise UnreadableError("no_image_size", detail)
    try:
        parts = [np.array(part, np.float64).reshape(-1, 2) for part in label["points"]]
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableError("bad_polygon", str(error)) from error
    return Outline([part * (width, height) for part in parts], height, width)


def read_class(label: Mapping[str, Any]) -> str:
    """The class of a raw label that is to be scored.

    Raises:
        UnreadableError: it has none, or is a crowd.
    """
    if label.get("iscrowd"):
        raise UnreadableError("crowd")
    if label.get("label") is None:
        raise UnreadableError("no_label")
    return label["label"]
