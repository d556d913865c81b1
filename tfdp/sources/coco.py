"""COCO files as sources."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .coco_annotations import read_batch
from .coco_tables import read_categories, read_images
from .json_file import read_json_file

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from ..skipped import SkippedItem
    from .source import Batch, Id, Images

BATCH = 2000  # annotations that one thread reads at a time


class CocoSource:
    """A COCO file, checked as a whole; see `tfdp.sources.source.Source`.

    What is passed over is listed by reason:

    - images: "bad_id" (neither an integer nor a string), "bad_size";
    - annotations: "crowd", "bad_id", "unknown_image", "image_skipped", "unknown_category",
      "bad_iscrowd", "no_mask", "bad_segmentation", "segmentation_too_long";
    - polygons: "polygon_too_short" (a part of less than 3 points), "polygon_odd_length",
      "not_finite", "far_outside" (a vertex beyond the image by more than its own width or
      height; what overshoots less is drawn inside the image);
    - run lengths: "size_mismatch" (with the image's).

    An annotation's `bbox` counts as it is; where it is missing, or not four finite numbers without
    a negative size, the box of the mask stands in for it.
    """

    kind = "annotation"
    ids_are_unique = True
    max_threads = 8

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Reads and checks the file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is damaged as a whole (no JSON, a list missing, ids that repeat). The
                message names the file and what is wrong.
        """
        self.name = str(path)
        self._file = read_json_file(Path(path), ["images", "annotations", "categories"])
        self._images = read_images(self._file)
        self._categories = read_categories(self._file)
        self._texts = self._file.lists["annotations"]
        self.total = len(self._texts)

    def batches(self, *, for_learning: bool) -> Iterator[Callable[[], Batch]]:
        """The annotations in file order; at least one batch, be it empty."""
        read = partial(
            read_batch, self._file, self._images, self._categories, with_boxes=for_learning
        )
        for start in range(0, max(self.total, 1), BATCH):
            yield partial(read, self._texts[start : start + BATCH])

    def images(self) -> Images:
        return self._images.images

    def categories(self) -> Mapping[Id, str]:
        return self._categories

    def skipped(self) -> list[SkippedItem]:
        return self._images.skipped
