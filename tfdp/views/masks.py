"""Masks of raw FiftyOne labels, as they lie in the database or on disk, as arrays.

Nothing is believed: a header may claim any size, a few bytes may inflate to gigabytes, and a path
may lead to a pipe that nobody writes to.
"""

from __future__ import annotations

import io
import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import UnreadableError
from ..files.regular_files import read_regular_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Of one mask, unpacked: 11,585 x 11,585 px of one byte each, more than the images that networks are
# trained on. Measuring takes about four times as much.
MAX_MASK_BYTES = 2**27

_MAGIC = b"\x93NUMPY"
_VERSION_STOP = len(_MAGIC) + 2
_LENGTH_SIZES = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}  # bytes, by version
_NUMBERS = "biuf"  # kinds of dtype
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = len(_PNG) + 8  # where width, height, depth and kind of color stand


@lru_cache(maxsize=4096)
def _parse_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type: np.load's slowest part, and many masks share theirs."""
    stream = io.BytesIO(header)
    first_version = np.lib.format.read_magic(stream) == (1, 0)
    if first_version:
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)


def parse_npy(data: bytes) -> NDArray[Any]:
    """The array of numbers in ``np.save``'s bytes, without a copy.

    Raises:
        ValueError: they are no such bytes, or of another length than their header says. A damaged
            header may raise whatever numpy's parser does.
    """
    length_size = _LENGTH_SIZES.get(data[len(_MAGIC) : _VERSION_STOP])
    if not data.startswith(_MAGIC) or length_size is None:
        raise ValueError("expected what np.save writes")
    length_stop = _VERSION_STOP + length_size
    start = length_stop + int.from_bytes(data[_VERSION_STOP:length_stop], "little")
    shape, fortran, dtype = _parse_header(data[:start])
    if dtype.kind not in _NUMBERS:
        raise ValueError(f"expected an array of numbers, but it holds {dtype}")
    values = np.frombuffer(data, dtype, offset=start)
    return values.reshape(shape, order="F" if fortran else "C")


def _too_large(what: str) -> UnreadableError:
    return UnreadableError("mask_too_large", f"{what}; at most {MAX_MASK_BYTES:,} bytes are read")


def check_mask_size(width: int, height: int) -> None:
    """Raises UnreadableError where a mask of ``width`` x ``height`` px would be too large."""
    if width * height > MAX_MASK_BYTES:
        raise _too_large(f"{width} x {height} pixels")


def _read_stored(stored: Any) -> NDArray[Any]:
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(stored, MAX_MASK_BYTES + 1)
    if len(data) > MAX_MASK_BYTES:
        raise _too_large(f"{len(stored):,} bytes inflate to more")
    if not unpacker.eof:
        raise ValueError("the compressed bytes are cut off")
    return parse_npy(data)


def _look_at_header(data: bytes) -> tuple[int, int, bool]:
    """Width, height, and whether there are gray values alone, of an image that is not decoded."""
    if data.startswith(_PNG):  # what FiftyOne writes; Pillow takes a fifth of the whole reading
        width, height, color = struct.unpack_from(">IIxB", data, _PNG_SIZE)
        return width, height, color == 0
    with Image.open(io.BytesIO(data)) as image:
        return image.width, image.height, len(image.getbands()) == 1


def _read_file(path: Any) -> NDArray[Any]:
    if not isinstance(path, str):
        raise TypeError(f"expected a path, but got {path!r}")
    data = read_regular_file(path, MAX_MASK_BYTES)
    try:
        width, height, gray = _look_at_header(data)
    except UnidentifiedImageError:
        raise ValueError(f"{path} is no image") from None
    check_mask_size(width, height)
    if not gray:
        raise ValueError(f"expected gray values, but {path} has colors")
    mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if mask is None:
        raise ValueError(f"{path} is damaged")
    return mask


def _read_any(label: Mapping[str, Any]) -> NDArray[Any]:
    if label.get("mask") is not None:
        return _read_stored(label["mask"])
    if label.get("mask_path") is not None:
        return _read_file(label["mask_path"])
    raise UnreadableError("no_mask")


def read_mask(label: Mapping[str, Any]) -> NDArray[Any]:
    """The (H, W) mask of a raw detection, nonzero = foreground, from the database or from disk.

    Raises:
        UnreadableError: it has none, none that can be read, or one of more than `MAX_MASK_BYTES`.
    """
    try:
        mask = _read_any(label)
    except UnreadableError:
        raise
    except FileNotFoundError:
        raise UnreadableError("mask_missing", f"no file {label['mask_path']}") from None
    except Image.DecompressionBombError:
        raise _too_large(f"{label['mask_path']} has far more pixels") from None
    except Exception as error:  # damage makes numpy, Pillow and OpenCV raise nearly anything
        raise UnreadableError("mask_unreadable", str(error)) from error
    if mask.ndim != 2:
        detail = f"expected an array of 2 dimensions, but it has shape {mask.shape}"
        raise UnreadableError("mask_unreadable", detail)
    return mask
