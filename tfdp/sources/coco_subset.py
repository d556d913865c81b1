"""A COCO file's content for the images that are kept, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ..files.image_files import place_images
from ..files.outputs import check_ending
from ..files.staging import stage_outputs
from ..selection.selection import Selection
from .coco_tables import read_ids
from .ids import as_id_array, check_unique
from .json_file import read_json_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from ..files.image_files import Images
    from ..files.staging import Staging
    from .json_file import JsonFile, Member

    Elements = dict[str, NDArray[np.bool_]]  # list member -> which of its elements to keep


def _kept_images(file: JsonFile, selection: Selection | Iterable[Any]) -> NDArray[np.bool_]:
    spans = file.elements("images")
    ids = read_ids(file, file.find(spans, ["id"])[:, 0])
    known = [i for i in ids if i is not None]
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
    return np.array([i is not None and i in keep_ids for i in ids], np.bool_)


def _kept_annotations(file: JsonFile, kept_image_ids: set[Any]) -> NDArray[np.bool_]:
    spans = file.elements("annotations")
    image_ids = read_ids(file, file.find(spans, ["image_id"])[:, 0])
    return np.array([i is not None and i in kept_image_ids for i in image_ids], np.bool_)


def _write_elements(
    output: IO[bytes], data: memoryview, member: Member, kept: NDArray[np.bool_]
) -> None:
    """Writes a list: each kept element with what stands before it, so that all of them are all."""
    assert member.elements is not None
    starts, ends = member.elements.T.tolist()
    output.write(data[member.start : starts[0] if starts else member.start + 1])
    first = True
    for k in np.flatnonzero(kept).tolist():
        output.write(data[starts[k] if first else ends[k - 1] : ends[k]])
        first = False
    output.write(data[ends[-1] if ends else member.start + 1 : member.end])


def _write_subset(output: IO[bytes], file: JsonFile, kept: Elements) -> None:
    data = memoryview(file.data)
    written = 0
    for name, member in file.members.items():
        if name in kept:
            output.write(data[written : member.start])
            _write_elements(output, data, member, kept[name])
            written = member.end
    output.write(data[written:])


def _image_sources(file: JsonFile, folder: Path) -> Iterator[Path]:
    """Where the images of a COCO file are, of which any may be missing."""
    for span in file.find(file.elements("images"), ["file_name"])[:, 0]:
        name = file.value(span)
        if isinstance(name, str):
            yield folder / name


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
    file = read_json_file(source)
    kept_images = _kept_images(file, selection)
    kept_spans = file.elements("images")[kept_images]
    found = file.find(kept_spans, ["id", "file_name"])
    kept = {
        "images": kept_images,
        "annotations": _kept_annotations(file, set(read_ids(file, found[:, 0]))),
    }
    with staging.open(target) as output:
        _write_subset(output, file, kept)
    if images is not None:
        folder = image_dir or source.parent / "images"
        place_images(
            [file.value(span) for span in found[:, 1]],
            source=folder,
            target=target.parent / "images",
            how=images,
            staging=staging,
            all_sources=_image_sources(file, folder),
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
    if images not in {None, "copy", "symlink"}:
        raise ValueError(f"images must be 'copy', 'symlink' or None, but is {images!r}")
    source, target = Path(annotations), Path(path)
    check_ending(target, [".json"])
    with stage_outputs([target], inputs=[source], overwrite=overwrite) as staging:
        folder = None if image_dir is None else Path(image_dir)
        stage_coco_subset(source, selection, target, images, staging, image_dir=folder)
        staging.put_in_place()
