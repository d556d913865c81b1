"""Instances -> ShapeScores: the scores of outlines of every instance and of every image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import Columns
from ..values import check_choice
from .aggregation import aggregate_by_scorer
from .balance import ClassTotals, balance_classes, sum_class_totals
from .baselines import score_plain
from .complexity import score_scs, score_si_scs
from .contents import Contents
from .table import SCORERS, list_plain_scorers, names_needing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..skipped import Skipped
    from .instances import Collection, Instances


def list_scorers() -> tuple[str, ...]:
    """The names of the scorers of masks: those of shapes, the paper's first, and the plain ones."""
    return names_needing("outlines") + list_plain_scorers()


@dataclass(frozen=True)
class InstanceScores(Columns):
    """One row a scored instance; the columns are documented in `tfdp.scores.complexity`.

    ``cb_only`` is NaN where it was balanced with totals that don't have it.
    """

    annotation_id: NDArray[Any]
    image_id: NDArray[Any]
    category_id: NDArray[Any]
    area: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    scs: NDArray[np.float64]
    si_scs: NDArray[np.float64]
    cb_scs: NDArray[np.float64]
    cb_only: NDArray[np.float64]


@dataclass(frozen=True)
class ImageScores(Columns):
    """One row an image, in file order; a score is NaN where no instance could be scored."""

    image_id: NDArray[Any]
    file_name: NDArray[Any]
    num_instances: NDArray[np.int64]
    scs: NDArray[np.float64]
    si_scs: NDArray[np.float64]
    cb_scs: NDArray[np.float64]
    cb_only: NDArray[np.float64]


SHAPE_SCORES = tuple(name for name in ImageScores.names() if name in SCORERS)


@dataclass(frozen=True)
class ShapeScores:
    """The shape scores of a collection.

    Attributes:
        instances: one row a scored instance.
        images: one row an image.
        class_totals: the totals that were balanced with; save them to score new data later.
        contents: what the images hold, for a selection.
        skipped: what was not scored, and why.
        rasterizer: what drew the polygons.
    """

    instances: InstanceScores
    images: ImageScores
    class_totals: ClassTotals
    contents: Contents
    skipped: Skipped
    rasterizer: str

    @property
    def degenerate(self) -> NDArray[Any]:
        """Ids of the instances whose contour has no area (one pixel wide): they score 0."""
        return self.instances.annotation_id[self.instances.area == 0]

    def image_table(self, aggregation: str | None = None) -> ImageScores:
        """The image scores by another way from instances to images, one of `AGGREGATIONS`."""
        columns: dict[str, Any] = {
            name: self._aggregate(name, aggregation) for name in SHAPE_SCORES
        }
        return replace(self.images, **columns)

    def image_scores(
        self, scorer: str = "cb_scs", seed: int = 0, aggregation: str | None = None
    ) -> NDArray[np.float64]:
        """(I,) image scores by the named scorer, one of `list_scorers`, in its direction.

        ``seed`` is used by the random ones. `instance_matched_random` is matched to CB-SCS.

        Raises:
            ValueError: there is no such scorer, or no such score by the given class totals.
        """
        if check_choice("scorer", scorer, list_scorers()) in SHAPE_SCORES:
            if scorer == "cb_only" and self.class_totals.scs is None:
                raise ValueError(
                    "the class totals of the data that was scored before lack the SCS that "
                    "'cb_only' is balanced with; score that data again"
                )
            return self._aggregate(scorer, aggregation)
        return score_plain(scorer, self.contents, self.images.cb_scs, seed, aggregation)

    def _aggregate(self, name: str, aggregation: str | None) -> NDArray[np.float64]:
        index, count = self.contents.image_index, self.contents.num_images
        return aggregate_by_scorer(name, self.instances[name], index, count, aggregation)


def _balance(
    scores: NDArray[np.float64],
    rows: Instances,
    categories: list[Any],
    totals: Mapping[Any, float] | None,
) -> NDArray[np.float64]:
    if totals is None:
        return np.full(len(rows), np.nan)
    total_of_category = np.array([totals[category] for category in categories])
    return balance_classes(scores, rows.category_index, total_of_category)


def _score_instances(
    collection: Collection, class_totals: ClassTotals | None
) -> tuple[dict[str, NDArray[np.float64]], ClassTotals]:
    """(N,) of every score, and the totals that they are balanced with."""
    rows, categories = collection.instances, collection.category_ids.tolist()
    scs = score_scs(rows.area, rows.perimeter)
    si_scs = score_si_scs(rows.area, rows.perimeter)
    totals = sum_class_totals(si_scs, scs, rows.category_index, collection.category_ids)
    if class_totals is not None:
        totals = class_totals + totals
    balanced = {
        "cb_scs": _balance(si_scs, rows, categories, totals.si_scs),
        "cb_only": _balance(scs, rows, categories, totals.scs),
    }
    return {"scs": scs, "si_scs": si_scs, **balanced}, totals


def score_shapes(collection: Collection, class_totals: ClassTotals | None = None) -> ShapeScores:
    """Scores every measured instance of a collection (TFDP, section 3.3).

    Args:
        collection: what was read.
        class_totals: totals of data scored before, disjoint from this one; CB-SCS and `cb_only`
            are then balanced over both.

    Returns:
        The scores; higher = kept first. ``class_totals`` of the result include the given ones.
    """
    scores, totals = _score_instances(collection, class_totals)
    rows = collection.instances
    num_images = len(collection.image_ids)
    contents = Contents(
        num_images,
        rows.image_index,
        rows.category_index,
        collection.category_names,
        rows.pixel_area,
    )
    per_image = {
        name: aggregate_by_scorer(name, values, rows.image_index, num_images)
        for name, values in scores.items()
    }
    return ShapeScores(
        instances=InstanceScores(
            annotation_id=rows.ids,
            image_id=collection.image_ids[rows.image_index],
            category_id=collection.category_ids[rows.category_index],
            area=rows.area,
            perimeter=rows.perimeter,
            **scores,
        ),
        images=ImageScores(
            collection.image_ids, collection.file_names, contents.num_instances(), **per_image
        ),
        class_totals=totals,
        contents=contents,
        skipped=collection.skipped,
        rasterizer=collection.rasterizer,
    )
