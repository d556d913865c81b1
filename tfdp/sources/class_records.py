"""What a classifier is trained on and scores: images with their classes, of a folder or a table.

The image file is not looked at yet; `tfdp.models.classification` says why one cannot be used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from ..files.listing import IMAGE_ENDINGS, list_files
from ..files.tables import ENDINGS, read_table
from ..skipped import Skipped
from ..values import is_text, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from .source import Id

FILE_NAME, LABEL, IMAGE_ID = "file_name", "label", "image_id"  # columns of a table
SPLITS = {"train", "val", "valid", "validation", "test"}  # folders that hold folders of classes
SHOWN = 5  # ids in a message


class ClassRecord(NamedTuple):
    """One image with its class; None for no class."""

    image_id: Id
    path: Path
    label: str | None


def _read_folder(folder: Path) -> Iterator[ClassRecord]:
    """The images of a folder; the class of one is the folder in it that it is in."""
    names = [path.relative_to(folder) for path in list_files(folder, (*IMAGE_ENDINGS, ".ppm"))]
    classes = {name.parts[0] for name in names if len(name.parts) > 1}
    if classes and classes <= SPLITS:
        raise ValueError(
            f"{folder} holds {', '.join(sorted(classes))}, which are parts of a dataset and no"
            f" classes: name one of them, such as {folder / min(classes)}"
        )
    for name in names:
        label = name.parts[0] if len(name.parts) > 1 else None
        yield ClassRecord(name.as_posix(), folder / name, label)


def _read_column(table: pa.Table, name: str, path: Path) -> list[Any]:
    """Texts or whole numbers of a table."""
    kind = table[name].type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_string = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (is_string or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise ValueError(
            f"{path} must have texts or whole numbers in its column {name}, but has {kind}"
        )
    values: list[Any] = table[name].to_pylist()
    return values


def _read_class_table(path: Path, images: Path) -> Iterator[ClassRecord]:
    """The rows of a table; the id of an image is its file name where there is no other."""
    table = read_table(path, FILE_NAME, LABEL, IMAGE_ID)
    if LABEL not in table.column_names:
        raise ValueError(f"{path} must have a column {LABEL}, with the class of each image")
    file_names = [str(name or "") for name in _read_column(table, FILE_NAME, path)]
    labels = [None if v in {None, ""} else str(v) for v in _read_column(table, LABEL, path)]
    named = IMAGE_ID in table.column_names
    ids = _read_column(table, IMAGE_ID, path) if named else file_names
    for image_id, file_name, label in zip(ids, file_names, labels, strict=True):
        yield ClassRecord(image_id, images / file_name, label)


def _with_own_ids(records: Iterable[ClassRecord]) -> tuple[list[ClassRecord], Skipped]:
    """The records whose ids can be used, the first of each id; and the others."""
    first_of: dict[Id, ClassRecord] = {}
    skipped = Skipped()
    for record in records:
        image_id, path, _ = record
        if image_id in {None, ""} or not is_text(str(image_id)):
            skipped.add("image", None, "bad_id", f"{shown(image_id)} of {shown(str(path))}")
        elif (first := first_of.setdefault(image_id, record)) is not record:
            detail = f"{path}; {first.path} has this id, too"
            skipped.add("image", image_id, "repeated_id", detail)
    return list(first_of.values()), skipped


def keep_records(
    records: Sequence[ClassRecord], ids: Collection[str], source: object
) -> list[ClassRecord]:
    """The records of some ids, as a list of text names them.

    Raises:
        ValueError: an id is none of theirs; `source` is where the ids are from.
    """
    known = {str(record.image_id) for record in records}
    unknown = [image_id for image_id in ids if image_id not in known]
    if unknown:
        raise ValueError(
            f"{source} must hold ids of the images, but {len(unknown)} of {len(ids)} are of none:"
            f" {', '.join(unknown[:SHOWN])}"
        )
    kept = set(ids)
    return [record for record in records if str(record.image_id) in kept]


def read_class_records(path: Path, images: Path | None = None) -> tuple[list[ClassRecord], Skipped]:
    """The images of a folder or a table, with their classes, and those that are passed over.

    Args:
        path: a folder with a folder for each class, as torchvision's ImageFolder has it: the id of
            an image is its path in it. Or a .csv or .parquet with the columns `file_name`, `label`
            and, where the ids are not the file names, `image_id`.
        images: folder that a table's file names are relative to; by default the table's own.

    Raises:
        OSError: it cannot be read.
        ValueError: it is neither, holds no image, or has `images` without being a table.
    """
    if not path.is_dir() and path.suffix.lower() not in ENDINGS:
        raise ValueError(
            f"expected a folder with one folder a class, or a table {' or '.join(ENDINGS)} with the"
            f" columns {FILE_NAME} and {LABEL}, got {path}"
        )
    if path.is_dir() and images is not None:
        raise ValueError(f"{path} is a folder, which holds its images; only a table takes others")
    if path.is_dir():
        records, skipped = _with_own_ids(_read_folder(path))
    else:
        records, skipped = _with_own_ids(_read_class_table(path, images or path.parent))
    if not records:
        raise ValueError(f"expected images with their classes in {path}, found none")
    return records, skipped
