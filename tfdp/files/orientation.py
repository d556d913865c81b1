"""How an image is shown: cameras store it as the sensor lay, and say by EXIF how to turn it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

UPRIGHT = 1  # shown as it is stored
TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTERS = range(5, 9)  # width and height change places
_TAG = 0x0112
_READ_IN_PARTS = {"JPEG", "MPO"}  # whose EXIF comes without their pixels


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) of what is stored, once it is turned; and the other way round."""
    return size[::-1] if orientation in _QUARTERS else size


def is_read_in_parts(image: Image.Image) -> bool:
    """Whether an opened image is of a format whose pixels Pillow can leave for later."""
    return image.format in _READ_IN_PARTS


def read_orientation(image: Image.Image) -> int:
    """EXIF's orientation of an opened image, 1 to 8; `UPRIGHT` where there is none, or nonsense."""
    try:
        orientation = image.getexif().get(_TAG)
    except SyntaxError:  # damaged EXIF; whoever shows the image passes over it, too
        return UPRIGHT
    return orientation if isinstance(orientation, int) and orientation in TURNS else UPRIGHT


def shown_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) px of an opened image as it is shown, from its header alone."""
    if not is_read_in_parts(image) and "exif" not in image.info:
        return image.size
    return turned_size(image.size, read_orientation(image))
