"""A FiftyOne view -> a COCO file and its images, from the original annotations where there are."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from ..files.image_files import check_images, place_images
from ..files.outputs import check_ending, check_output
from ..files.staging import stage_outputs
from ..skipped import Skipped
from ..sources.coco_subset import write_coco_subset
from ..sources.coco_tables import NamedImage
from ..sources.json_entries import read_entries
from ..sources.json_file import read_json_file
from .coco_ids import assign_ids, find_id_field
from .coco_writing import CocoWriter
from .database import database_errors
from .fiftyone_internals import root_dataset
from .labels import check_view, find_mask_field, list_mask_fields
from .progress_bars import fiftyone_bar

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

    from ..files.image_files import Images
    from .progress_bars import BarProgress


class Exported(NamedTuple):
    """What was written.

    Attributes:
        path: the COCO file.
        num_images: entries in it.
        num_annotations: entries in it; None where the original file was cut.
        skipped: labels that could not be written, and why.
    """

    path: Path
    num_images: int
    num_annotations: int | None
    skipped: Skipped


@lru_cache(maxsize=1)  # a form asks again at every keystroke
def _read_images(path: Path, changed: int, size: int) -> tuple[list[Any], list[str]]:  # noqa: ARG001
    """Ids and file names, without folders, of the images in a COCO file."""
    texts = read_json_file(path, ["images"]).lists["images"]
    images = read_entries(texts, NamedImage)
    names = [PurePath(str(i.file_name)).name if i.file_name is not None else "" for i in images]
    return [image.id for image in images], names


def match_images(view: SampleCollection, annotations: str | os.PathLike[str]) -> dict[str, Any]:
    """Filepath -> id of the image in the original file, for every sample of the view.

    By the sample's COCO id where the dataset has them (`find_id_field`), or else by file name.

    Raises:
        ValueError: samples have no image in the file, or more than one.
    """
    source = Path(annotations)
    status = source.stat()
    ids, names = _read_images(source, status.st_mtime_ns, status.st_size)
    id_field = find_id_field(root_dataset(view))
    if id_field is not None and view.get_field(id_field) is not None:
        filepaths, image_ids = view.values(["filepath", id_field])
        if set(ids).issuperset(image_ids):
            return dict(zip(filepaths, image_ids, strict=True))
    if len(set(names)) < len(names):
        raise ValueError(
            f"images in {annotations} share file names, so that samples can't be told apart by "
            "them; import them with include_id=True, so that they have a coco_id"
        )
    id_of_name = dict(zip(names, ids, strict=True))
    filepaths = view.values("filepath")
    missing = [path for path in filepaths if PurePath(path).name not in id_of_name]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(filepaths)} samples are not in {annotations}, such as "
            f"{missing[0]}; name the file that they were imported from"
        )
    matched = {path: id_of_name[PurePath(path).name] for path in filepaths}
    if len(set(matched.values())) < len(matched):
        raise ValueError(
            f"samples of this view share file names, so that they can't be told apart in "
            f"{annotations}; import them with include_id=True, so that they have a coco_id"
        )
    return matched


def _common_folder(filepaths: list[str]) -> Path:
    return Path(os.path.commonpath([os.path.dirname(path) for path in filepaths]))  # noqa: PTH120


def _write_original(
    view: SampleCollection,
    annotations: str | os.PathLike[str],
    path: Path,
    images: Images | None,
    image_dir: str | os.PathLike[str] | None,
    *,
    overwrite: bool,
) -> Exported:
    matched = match_images(view, annotations)
    if images is not None and image_dir is None:
        image_dir = _common_folder(list(matched))
    write_coco_subset(
        annotations,
        list(matched.values()),
        path,
        images=images,
        image_dir=image_dir,
        overwrite=overwrite,
    )
    return Exported(path, len(matched), None, Skipped())


def _write_own(
    view: SampleCollection,
    label_field: str | None,
    path: Path,
    images: Images | None,
    *,
    overwrite: bool,
    progress: BarProgress,
) -> Exported:
    field = find_mask_field(view, label_field or next(iter(list_mask_fields(view)), "ground_truth"))
    filepaths = [path for path in view.values("filepath") if isinstance(path, str)]
    folder = _common_folder(filepaths)
    root = root_dataset(view)
    ids = assign_ids(root, field)
    writer = CocoWriter(ids, field, lambda place: PurePath(place).relative_to(folder).as_posix())
    sources = [Path(filepath) for filepath in root.values("filepath") if isinstance(filepath, str)]
    with stage_outputs([path], inputs=sources, overwrite=overwrite) as staging:
        with ExitStack() as stack:
            output = stack.enter_context(staging.open(path))
            show = stack.enter_context(fiftyone_bar(progress, len(filepaths)))
            writer.write(view, output, show)
        if images is not None:
            place_images(
                [image["file_name"] for image in writer.images],
                source=folder,
                target=path.parent / "images",
                how=images,
                staging=staging,
                all_sources=sources,
            )
        staging.put_in_place()
    return Exported(path, writer.num_images, writer.num_annotations, writer.skipped)


@database_errors("nothing was written")
def export_coco(
    samples: SampleCollection,
    path: str | os.PathLike[str],
    *,
    label_field: str | None = None,
    annotations: str | os.PathLike[str] | None = None,
    images: Images | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: BarProgress = None,
) -> Exported:
    """Writes a view as a COCO file; whole, or nothing.

    With the original ``annotations``, the kept images' content is copied from it, byte for byte:
    all annotations of the view's samples, whatever labels the view filters out. Without it, the
    labels that the view shows are written as run lengths in the image's frame, with the mask's true
    area; image ids are the samples' ``coco_id``, category ids those that FiftyOne's importer kept
    in ``dataset.info``; where there are none, they are numbers that are the same for every view of
    the dataset.

    Args:
        samples: a dataset or view of images.
        path: the file to write.
        label_field: the field of the labels, where there is no original; by default the first
            with masks.
        annotations: the COCO file that the dataset was imported from.
        images: "copy" or "symlink" the images, too, into the folder ``images`` beside ``path``.
        image_dir: where the images of ``annotations`` are; by default the folder that all samples
            are in.
        overwrite: whether to replace files that exist.
        progress: True, False, None or a callback, as everywhere in FiftyOne.

    Returns:
        What was written, and what was not.

    Raises:
        OSError: a file cannot be read or written; an output exists.
        ValueError: samples can't be found in ``annotations``; images have no known size; the view
            can't be exported; the message says what could be done.
    """
    target = Path(path)
    check_images(images)
    check_view(samples)
    check_ending(target, [".json"])
    check_output(target, overwrite=overwrite)
    if annotations is not None:
        return _write_original(samples, annotations, target, images, image_dir, overwrite=overwrite)
    return _write_own(samples, label_field, target, images, overwrite=overwrite, progress=progress)
