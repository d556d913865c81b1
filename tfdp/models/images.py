"""Images as they are read: whole and regular files, in RGB, turned as their annotations mean it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from ..files.orientation import (
    TURNS,
    UPRIGHT,
    is_read_in_parts,
    read_orientation,
    turned_size,
)
from ..files.regular_files import check_regular_file

if TYPE_CHECKING:
    from pathlib import Path

BITS = 8  # of a channel
OF_ANY_RANGE = {"I": "one of 32 bits", "F": "one of decimal numbers"}  # Pillow's modes


class WrongSizeError(ValueError):
    """An image is not of the size that its record says."""


def _meant_orientation(image: Image.Image, expected: tuple[int, int] | None) -> int:
    """How to turn an image into the frame of its annotations: as it is shown, or not at all."""
    orientation = read_orientation(image)
    shown = turned_size(image.size, orientation)
    if expected in {None, shown}:
        return orientation
    if expected == image.size:
        return UPRIGHT
    found = f"expected {expected} px, found {image.size}"
    turned = f", and {shown} turned by its EXIF orientation {orientation}"
    raise WrongSizeError(found if orientation == UPRIGHT else found + turned)


def _in_rgb(image: Image.Image) -> Image.Image:
    """In RGB of 8 bits: of grey values of 16, which Pillow would cut off at 255, the upper 8."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return Image.fromarray((np.asarray(image) >> BITS).astype(np.uint8)).convert("RGB")
    if image.mode in OF_ANY_RANGE:
        raise ValueError(
            f"expected an image of 8 or 16 bits a channel, found {OF_ANY_RANGE[image.mode]}, which"
            " can be of any range: save it with 8 bits"
        )
    return image.convert("RGB")


def read_image(
    path: Path, size: tuple[int, int] | None = None, expected: tuple[int, int] | None = None
) -> Image.Image:
    """The image in RGB, turned as its annotations mean it; of a (width, height) where one is given.

    It is turned as EXIF says, unless the size that is expected is that of the pixels as they are
    stored, and of these alone. JPEG files are decoded at a reduced scale where that is enough, so
    that a large image needs little memory. Images over Pillow's own limit against decompression
    bombs are refused.

    Args:
        path: of the file.
        size: to resize to.
        expected: of the annotations; None for that of the image as it is shown.

    Raises:
        OSError: no such file, no regular file, not an image, cut off.
        WrongSizeError: it is not of the expected size, turned or not.
        ValueError: its values can be of any range: 32 bits, or decimal numbers.
        PIL.Image.DecompressionBombError: more than twice `PIL.Image.MAX_IMAGE_PIXELS`.
    """
    check_regular_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            if not is_read_in_parts(image):
                image.load()  # TIFF files are turned by this already
            orientation = _meant_orientation(image, expected)
            if size is not None:
                image.draft(None, turned_size(size, orientation))
            pixels = _in_rgb(image)
    if orientation in TURNS:
        pixels = pixels.transpose(TURNS[orientation])
    return pixels if size is None else pixels.resize(size, Image.Resampling.BILINEAR)


def image_problem(path: Path, expected: tuple[int, int] | None = None) -> tuple[str, str] | None:
    """(reason, detail) why the image cannot be used; None where it can."""
    try:
        read_image(path, expected=expected)
    except FileNotFoundError as error:
        return "missing_file", str(error.filename)
    except Image.DecompressionBombError as error:
        return "image_too_large", f"{error} Make it smaller, with its masks."
    except WrongSizeError as error:
        return "wrong_image_size", str(error)
    except Exception as error:  # noqa: BLE001 - Pillow raises whatever a damaged file leads it to
        return "unreadable_image", str(error)
    return None


def image_tensor(image: Image.Image) -> torch.Tensor:
    """(3, h, w) uint8."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)
