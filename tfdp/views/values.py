"""Values of raw FiftyOne documents, checked: whatever a database may hold is read or refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from ..errors import UnreadableError
from ..files.orientation import shown_size
from ..files.regular_files import check_regular_file
from ..geometry.masks import is_bad_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SAMPLE_PATHS = ("filepath", "metadata.width", "metadata.height")  # that are read of a sample
MAX_RELATIVE = 1e6  # of a box's values, which lie in [0, 1] or a little beyond


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

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)


def _is_relative(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= MAX_RELATIVE  # NaN is not


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def read_size(document: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width) px of a sample's image, by its metadata.

    Raises:
        UnreadableError: it has none (``no_image_size``), or no such size as an image can have.
    """
    size = document.get("metadata")
    if size is not None and not isinstance(size, dict):
        raise UnreadableError("bad_size", f"expected metadata, but found {size!r}")
    height, width = (size or {}).get("height"), (size or {}).get("width")
    if height is None or width is None:
        detail = "the sample has no metadata; call view.compute_metadata() first"
        raise UnreadableError("no_image_size", detail)
    if not (_is_whole(height) and _is_whole(width)) or is_bad_size(height, width):
        raise UnreadableError("bad_size", f"{width!r} x {height!r}")
    return height, width


def read_filepath(document: Mapping[str, Any]) -> str:
    """The path of a sample's image; empty where it has none."""
    path = document.get("filepath")
    return path if isinstance(path, str) else ""


def find_size(document: Mapping[str, Any]) -> tuple[int, int] | None:
    """(height, width) px of a sample's image as it is shown; None where nothing says it.

    Its metadata says it, else its file.
    """
    try:
        return read_size(document)
    except UnreadableError:
        pass
    try:
        path = Path(read_filepath(document))
        check_regular_file(path)
        with Image.open(path) as image:
            width, height = shown_size(image)
            return height, width
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def read_crowd(label: Mapping[str, Any]) -> bool:
    """Whether a raw label stands for a crowd.

    Raises:
        UnreadableError: it neither does nor does not.
    """
    crowd = label.get("iscrowd")
    if crowd is None or crowd == 0:
        return False
    if crowd == 1:
        return True
    raise UnreadableError("bad_iscrowd", f"expected 0 or 1, but found {crowd!r}")


def read_class(label: Mapping[str, Any]) -> str:
    """The class of a raw label.

    Raises:
        UnreadableError: it has none.
    """
    name = label.get("label")
    if name is None:
        raise UnreadableError("no_label")
    if not isinstance(name, str):
        raise UnreadableError("bad_label", f"expected a name of a class, but found {name!r}")
    return name


def read_instance_class(label: Mapping[str, Any]) -> str:
    """The class of a raw label that stands for one instance.

    Raises:
        UnreadableError: it has none, or is a crowd.
    """
    if read_crowd(label):
        raise UnreadableError("crowd")
    return read_class(label)


def read_box(label: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The box (x, y, width, height) of a raw detection, in fractions of its image's sides.

    Raises:
        UnreadableError: it has none.
    """
    box = label.get("bounding_box")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_relative, box)):
        raise UnreadableError("bad_box", f"expected [x, y, width, height], but found {box!r}")
    x, y, width, height = map(float, box)
    return x, y, width, height


def _read_part(part: Any) -> NDArray[np.float64]:
    points = np.asarray(part)
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "iuf":
        raise ValueError(f"expected a list of [x, y], but found {part!r}")
    return points.astype(np.float64, copy=False)


def read_outline(label: Mapping[str, Any], height: int, width: int) -> Outline:
    """A raw polyline in a frame of ``height`` x ``width`` px.

    Raises:
        UnreadableError: it encloses nothing.
    """
    if not (label.get("closed") and label.get("filled")):
        raise UnreadableError("polyline_not_filled", "expected closed=True and filled=True")
    points = label.get("points")
    if not isinstance(points, list):
        raise UnreadableError("bad_polygon", f"expected a list of parts, but found {points!r}")
    try:
        parts = [_read_part(part) for part in points]
    except (ValueError, TypeError, OverflowError) as error:
        raise UnreadableError("bad_polygon", str(error)) from error
    return Outline([part * (width, height) for part in parts], height, width)
