"""COCO files -> a Collection of measured instances -> ShapeScores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scores.instances import Collection, Instances
from ..scores.shape_scores import ShapeScores, score_shapes
from .coco_reading import read_coco_files
from .coco_segmentations import measure_segmentations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..geometry.rasterize import Rasterizer
    from ..scores.balance import ClassTotals
    from .coco_reading import PathLike


def read_coco(
    path_or_paths: PathLike | Sequence[PathLike],
    rasterizer: Rasterizer = "coco",
    progress: bool | None = None,
) -> Collection:
    """Reads COCO files and measures the outline of every instance in them.

    Args:
        path_or_paths: one annotation file, or several that are disjoint.
        rasterizer: what draws polygons, "coco" as pycocotools does, or "opencv" as `cv2.fillPoly`.
        progress: whether to show a bar on stderr; by default where that is a terminal.

    Returns:
        The collection: a row for every image, with or without instances. What is passed over is
        listed in ``skipped``, by reason:

        - images: "bad_id" (neither an integer nor a string), "bad_size";
        - annotations: "crowd", "bad_id", "unknown_image", "image_skipped", "unknown_category",
          "bad_iscrowd", "no_mask", "bad_segmentation";
        - polygons: "polygon_too_short" (a part of less than 3 points), "polygon_odd_length",
          "not_finite", "far_outside" (a vertex beyond the image by more than its own width or
          height; what overshoots less is scored, as it is drawn inside the image);
        - run lengths: "size_mismatch" (with the image's), and `tfdp.geometry.masks.MaskProblem`.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is damaged as a whole (no JSON, a list missing, ids that repeat), or the
            files do not fit together. The message names the file and what is wrong.
    """
    entries = read_coco_files(path_or_paths, measure_segmentations, rasterizer, progress)
    return Collection(
        image_ids=entries.image_ids,
        file_names=entries.file_names,
        category_ids=entries.category_ids,
        category_names=entries.category_names,
        instances=Instances(
            entries.ids, entries.image_index, entries.category_index, *entries.columns
        ),
        skipped=entries.skipped,
        rasterizer=rasterizer,
    )


def score_coco(
    path_or_paths: PathLike | Sequence[PathLike],
    rasterizer: Rasterizer = "coco",
    class_totals: ClassTotals | None = None,
    progress: bool | None = None,
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
        The scores, higher = kept first, the class totals, and what was skipped and why.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is damaged as a whole; the message names it and what is wrong.
    """
    return score_shapes(read_coco(path_or_paths, rasterizer, progress), class_totals)
