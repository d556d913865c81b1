"""The images and categories of a COCO file, and the ids that its entries go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec import Raw, Struct

from ..geometry.masks import is_bad_size
from ..skipped import SkippedItem
from .ids import as_id_array, check_unique
from .json_entries import Integer, Text, read_entries
from .source import Images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .json_file import JsonFile
    from .source import Id

EntryId = Integer | Text
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


class _Category(Struct):
    id: EntryId | None = None
    name: Text | None = None


class NamedImage(Struct, gc=False):
    """What an image goes by; the file name is as it is found, a text or not."""

    id: EntryId | None = None
    file_name: Text | int | float | bool | None = None


class _Image(Struct, gc=False):
    id: EntryId | None = None
    height: Integer | None = None
    width: Integer | None = None
    file_name: Text | None = None


class _Size(Struct):
    height: Raw = Raw(b"missing")
    width: Raw = Raw(b"missing")


def shown(text: Raw, length: int) -> str:
    """The beginning of a text, for a message: in one line, however it is laid out."""
    return " ".join(bytes(memoryview(text)[:length]).decode(errors="replace").split())


def read_categories(file: JsonFile) -> dict[Id, str]:
    """Id -> name, in file order.

    Raises:
        ValueError: an entry without a proper id or name, or two with one id.
    """
    texts = file.lists["categories"]
    ids, names = [], []
    for number, category in enumerate(read_entries(texts, _Category)):
        if category.id is None or category.name is None:
            raise ValueError(
                f"category number {number} in {file.path} must have an id, an integer or a string, "
                f"and a name, but is {shown(texts[number], 80)}"
            )
        ids.append(category.id)
        names.append(category.name)
    check_unique(file.path, "categories", as_id_array(ids))
    return dict(zip(ids, names, strict=True))


def _is_good(image: _Image) -> bool:
    if image.id is None or image.height is None or image.width is None:
        return False
    return not is_bad_size(image.height, image.width)


def _skip(row: int, image: _Image, text: Raw) -> SkippedItem:
    if image.id is None:
        return SkippedItem("image", None, "bad_id", f"entry number {row}")
    (size,) = read_entries([text], _Size)
    sides = f"{shown(size.height, 60)} x {shown(size.width, 60)}"
    return SkippedItem("image", image.id, "bad_size", sides[:60])


def read_images(file: JsonFile) -> ImageTable:
    """The images of a file.

    Raises:
        ValueError: two of them have one id.
    """
    texts = file.lists["images"]
    entries = read_entries(texts, _Image)
    ids = [image.id for image in entries if image.id is not None]
    check_unique(file.path, "images", as_id_array(ids))
    good = [image for image in entries if _is_good(image)]
    row_of_id: dict[Id | None, int] = dict.fromkeys(ids, SKIPPED)
    row_of_id |= {image.id: row for row, image in enumerate(good)}
    images = Images(
        ids=[image.id for image in good if image.id is not None],
        file_names=[image.file_name or "" for image in good],
        heights=np.array([image.height for image in good], np.int64),
        widths=np.array([image.width for image in good], np.int64),
    )
    skipped = [
        _skip(row, image, texts[row]) for row, image in enumerate(entries) if not _is_good(image)
    ]
    return ImageTable(images, row_of_id, skipped)
