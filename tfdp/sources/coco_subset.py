"""A COCO file's content for the images that are kept, byte for byte."""

from __future__ import annotations

from itertools import compress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from ..files.image_files import check_images, place_images
from ..files.outputs import check_ending
from ..files.staging import stage_outputs
from ..selection.selection import Selection
from .coco_tables import EntryId, NamedImage
from .ids import as_id_array, check_unique
from .json_entries import read_entries
from .json_file import read_json_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ..files.image_files import Images
    from ..files.staging import Staging
    from .json_file import JsonFile

    Kept = dict[str, NDArray[np.bool_]]  # name of a list -> which of its entries to keep


class _Annotation(Struct, gc=False):
    image_id: EntryId | None = None


def _kept_images(
    file: JsonFile, images: list[NamedImage], selection: Selection | Iterable[Any]
) -> NDArray[np.bool_]:
    known = [image.id for image in images if image.id is not None]
    check_unique(file.path, "images", as_id_array(known))
    if isinstance(selection, Selection):
        keep_ids = set(selection.keep_ids)
        if not set(selection.image_ids.tolist()) & set(known):
            raise ValueError(f"none of the images of the selection is in {file.path}")
    else:
        keep_ids = set(selection)
        missing = sorted(keep_ids - set(known), key=str)
        if missing:
            raise ValueError(
                f"{len(missing)} images to keep are not in {file.path}, such as {missing[0]!r}"
            )
    return np.array([i.id is not None and i.id in keep_ids for i in images], np.bool_)


def _kept_annotations(file: JsonFile, kept_image_ids: set[Any]) -> NDArray[np.bool_]:
    annotations = read_entries(file.lists["annotations"], _Annotation)
    image_ids = (annotation.image_id for annotation in annotations)
    return np.array([i is not None and i in kept_image_ids for i in image_ids], np.bool_)


def _write_subset(output: IO[bytes], file: JsonFile, kept: Kept) -> None:
    """Writes each kept entry with what stands before it, so that all of them are all."""
    data = memoryview(file.data)
    places = {
        name: np.array([file.place(text) for text in file.lists[name]], np.int64)
        for name in kept
        if file.lists[name]
    }
    written = 0
    for name in sorted(places, key=lambda name: places[name][0]):
        starts = places[name].tolist()
        ends = [start + len(text) for start, text in zip(starts, file.lists[name], strict=True)]
        output.write(data[written : starts[0]])
        first = True
        for k in np.flatnonzero(kept[name]).tolist():
            output.write(data[starts[k] if first else ends[k - 1] : ends[k]])
            first = False
        written = ends[-1]
    output.write(data[written:])


def stage_coco_subset(
    source: Path,
    selection: Selection | Iterable[Any],
    target: Path,
    images: Images | None,
    staging: Staging,
    *,
    image_dir: Path | None,
) -> None:
    """Stages what `write_coco_subset` writes."""
    file = read_json_file(source, ["images", "annotations"])
    entries = read_entries(file.lists["images"], NamedImage)
    kept_images = _kept_images(file, entries, selection)
    kept_entries = list(compress(entries, kept_images))
    kept = {
        "images": kept_images,
        "annotations": _kept_annotations(file, {image.id for image in kept_entries}),
    }
    with staging.open(target) as output:
        _write_subset(output, file, kept)
    if images is not None:
        folder = image_dir or source.parent / "images"
        names = [image.file_name for image in entries]
        place_images(
            [image.file_name for image in kept_entries],
            source=folder,
            target=target.parent / "images",
            how=images,
            staging=staging,
            all_sources=[folder / name for name in names if isinstance(name, str)],
        )


def write_coco_subset(
    annotations: str | os.PathLike[str],
    selection: Selection | Iterable[Any],
    path: str | os.PathLike[str],
    images: Images | None = None,
    *,
    image_dir: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> None:
    """Writes a COCO file's content for the kept images: its own bytes, nothing re-encoded.

    Kept images stay with all their annotations, crowds and unscored ones too; info, licenses,
    categories and every other member stay as they are. Nothing is left half-written.

    Args:
        annotations: the COCO file.
        selection: from `tfdp.select`; of one over several files, this file's part is written. Or
            the ids of the images to keep, all of which must be in the file.
        path: the file to write.
        images: "copy" or "symlink" the kept images, too, into the folder ``images`` beside
            ``path``, under their file names.
        image_dir: where the images are; by default the folder ``images`` beside ``annotations``.
        overwrite: whether to replace files that exist.

    Raises:
        OSError: a file cannot be read or written; an output exists.
        ValueError: the file is damaged; images to keep are not in it; a file name leads out of the
            output folder.
    """
    check_images(images)
    source, target = Path(annotations), Path(path)
    check_ending(target, [".json"])
    with stage_outputs([target], inputs=[source], overwrite=overwrite) as staging:
        folder = None if image_dir is None else Path(image_dir)
        stage_coco_subset(source, selection, target, images, staging, image_dir=folder)
        staging.put_in_place()
