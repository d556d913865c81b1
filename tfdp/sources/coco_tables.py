"""The images and categories of a COCO file, and the ids that its entries go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..geometry.masks import is_bad_size
from ..skipped import SkippedItem
from ..values import is_text
from .ids import as_id_array, check_unique
from .json_values import read_integers
from .source import Images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .json_file import JsonFile
    from .json_scan import Spans
    from .source import Id

UNKNOWN, SKIPPED = -1, -2  # in place of the row of an image


class ImageTable(NamedTuple):
    """The images of a file.

    Attributes:
        images: those that can be used.
        row_of_id: the row of each image among them; `SKIPPED` for one that is passed over.
        skipped: the images that are passed over.
    """

    images: Images
    row_of_id: Mapping[Id | None, int]
    skipped: list[SkippedItem]


def read_ids(file: JsonFile, spans: Spans) -> list[Id | None]:
    """The ids at (n, 2) spans; None for what is no id, neither a string nor a 64-bit integer."""
    values, plain = read_integers(file.text, spans)
    ids: list[Id | None] = values.tolist()
    for row in np.flatnonzero(~plain).tolist():
        value = file.value(spans[row])
        valid = is_text(value) or (type(value) is int and -(2**63) <= value < 2**63)
        ids[row] = value if valid else None
    return ids


def read_categories(file: JsonFile) -> dict[Id, str]:
    """Id -> name, in file order.

    Raises:
        ValueError: an entry without a proper id or name, or two with one id.
    """
    spans = file.elements("categories")
    ids = read_ids(file, file.find(spans, ["id"])[:, 0])
    names = [file.value(span) for span in file.find(spans, ["name"])[:, 0]]
    for number, (category_id, name) in enumerate(zip(ids, names, strict=True)):
        if category_id is None or not is_text(name):
            raise ValueError(
                f"category number {number} in {file.path} must have an id, an integer or a string, "
                f"and a name, but is {file.raw(spans[number])[:80].decode(errors='replace')}"
            )
    known = [i for i in ids if i is not None]
    check_unique(file.path, "categories", as_id_array(known))
    return dict(zip(known, names, strict=True))


def _are_bad_sizes(heights: NDArray[np.int64], widths: NDArray[np.int64]) -> NDArray[np.bool_]:
    sizes = zip(heights.tolist(), widths.tolist(), strict=True)
    return np.array([is_bad_size(*size) for size in sizes], np.bool_)


def _describe_bad_image(file: JsonFile, row: int, image_id: Id | None, sizes: Spans) -> SkippedItem:
    if image_id is None:
        return SkippedItem("image", None, "bad_id", f"entry number {row}")
    found = b" x ".join(file.raw(span) or b"missing" for span in sizes)
    return SkippedItem("image", image_id, "bad_size", found[:60].decode(errors="replace"))


def _read_file_name(file: JsonFile, span: Spans) -> str:
    name = file.value(span)
    return name if is_text(name) else ""


def read_images(file: JsonFile) -> ImageTable:
    """The images of a file.

    Raises:
        ValueError: two of them have one id.
    """
    spans = file.elements("images")
    found = file.find(spans, ["id", "height", "width", "file_name"])
    ids = read_ids(file, found[:, 0])
    check_unique(file.path, "images", as_id_array([i for i in ids if i is not None]))
    (heights, has_height), (widths, has_width) = (
        read_integers(file.text, found[:, k]) for k in (1, 2)
    )
    has_id = np.array([i is not None for i in ids], np.bool_)
    has_size = has_height & has_width & ~_are_bad_sizes(heights, widths)
    good = np.flatnonzero(has_id & has_size)
    row_of_id: dict[Id | None, int] = dict.fromkeys((i for i in ids if i is not None), SKIPPED)
    good_ids = [
        i for i, is_good in zip(ids, has_id & has_size, strict=True) if is_good and i is not None
    ]
    row_of_id |= {image_id: k for k, image_id in enumerate(good_ids)}
    images = Images(
        ids=good_ids,
        file_names=[_read_file_name(file, span) for span in found[good, 3]],
        heights=heights[good],
        widths=widths[good],
    )
    skipped = [
        _describe_bad_image(file, row, ids[row], found[row, 1:3])
        for row in np.flatnonzero(~(has_id & has_size)).tolist()
    ]
    return ImageTable(images, row_of_id, skipped)
