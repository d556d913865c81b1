"""ShapeScores + criteria -> Selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values import check_ids
from .criteria import Criteria, Policy, Unannotated
from .selection import Candidates, Selection, select_images

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..scores.shape_scores import ShapeScores


def select(
    scores: ShapeScores,
    pruning_rate: float | None = None,
    *,
    keep: int | None = None,
    threshold: float | None = None,
    scorer: str = "cb_scs",
    policy: Policy = "top",
    min_per_class: int = 0,
    unannotated: Unannotated = "prune",
    pinned: Iterable[Any] = (),
    excluded: Iterable[Any] = (),
    beta: float = 0.0,
    seed: int = 0,
) -> Selection:
    """Chooses which of the scored images to keep.

    Args:
        scores: from ``score_coco``.
        pruning_rate: this, ``keep`` or ``threshold``: see
            `tfdp.selection.criteria.Criteria` for every argument but ``scorer``.
        keep: number of scored images to keep.
        threshold: keep the images that score this or more.
        scorer: one of `SCORERS`, "cb_scs" (the paper's) by default.
        policy: "top", "random" or "stratified".
        min_per_class: floor of instances for each class.
        unannotated: "prune" or "keep" the images without a score.
        pinned: ids of images to keep in any case.
        excluded: ids of images to remove in any case.
        beta: fraction of the hardest images that "stratified" leaves out.
        seed: of all that is random.

    Raises:
        ValueError: what was asked cannot be met; the message says what could be.
    """
    criteria = Criteria(
        pruning_rate=pruning_rate,
        keep=keep,
        threshold=threshold,
        policy=policy,
        min_per_class=min_per_class,
        unannotated=unannotated,
        pinned=check_ids("pinned", pinned),
        excluded=check_ids("excluded", excluded),
        beta=beta,
        seed=seed,
    )
    image_scores = scores.image_scores(scorer, seed)
    candidates = Candidates(
        image_ids=scores.images.image_id,
        scores=image_scores,
        scored=scores.images.num_instances > 0,
        contents=scores.contents,
        scorer=scorer,
    )
    return select_images(candidates, criteria)
