"""COCO files as sources."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..scores.shape_scores import ShapeScores, score_shapes
from .coco_annotations import read_batch
from .coco_tables import read_categories, read_images
from .json_file import read_json_file
from .measuring import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..geometry.rasterize import Rasterizer
    from ..scores.balance import ClassTotals
    from ..skipped import SkippedItem
    from .reading import Progress
    from .source import Batch, Id, Images

    PathLike = str | os.PathLike[str]

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

    unit = "instances"
    kind = "annotation"
    ids_are_unique = True

    def __init__(self, path: PathLike) -> None:
        """Reads and checks the file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is damaged as a whole (no JSON, a list missing, ids that repeat). The
                message names the file and what is wrong.
        """
        self.name = str(path)
        self._file = read_json_file(Path(path))
        self._images = read_images(self._file)
        self._categories = read_categories(self._file)
        self._spans = self._file.elements("annotations")
        self.total = len(self._spans)

    def batches(self, *, for_learning: bool) -> Iterator[Callable[[], Batch]]:
        """The annotations in file order; at least one batch, be it empty."""
        read = partial(
            read_batch, self._file, self._images, self._categories, with_boxes=for_learning
        )
        for start in range(0, max(self.total, 1), BATCH):
            yield partial(read, self._spans[start : start + BATCH])

    def images(self) -> Images:
        return self._images.images

    def categories(self) -> Mapping[Id, str]:
        return self._categories

    def skipped(self) -> list[SkippedItem]:
        return self._images.skipped


def open_coco(path_or_paths: PathLike | Sequence[PathLike]) -> Iterator[CocoSource]:
    """One COCO file, or several that are disjoint; each is read when its turn comes."""
    if isinstance(path_or_paths, str | os.PathLike):
        path_or_paths = [path_or_paths]
    return map(CocoSource, map(Path, path_or_paths))


def score_coco(
    path_or_paths: PathLike | Sequence[PathLike],
    rasterizer: Rasterizer = "coco",
    class_totals: ClassTotals | None = None,
    progress: Progress = None,
) -> ShapeScores:
    """Scores every instance and every image of COCO files (TFDP, section 3.3).

    Args:
        path_or_paths: one annotation file, or several that are disjoint.
        rasterizer: what draws polygons: "coco", as pycocotools and FiftyOne do, or "opencv", as
            the paper's released code does. It is part of a score's identity.
        class_totals: totals of data scored before, disjoint from this; CB-SCS is then balanced over
            both.
        progress: whether to show a bar on stderr; by default where that is a terminal.

    Returns:
        The scores, higher = kept first, the class totals, and what was skipped and why: see
        `CocoSource`.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is damaged as a whole, or the files do not fit together; the message
            names the file and what is wrong.
    """
    return score_shapes(measure(open_coco(path_or_paths), rasterizer, progress), class_totals)
