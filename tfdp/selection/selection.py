"""Image scores + criteria -> Selection: which images to keep, and why each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .budget import resolve_budget
from .class_floor import largest_class_floor, select_class_floor
from .composition import Composition, compose
from .policies import Pool, choose_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..scores.contents import Contents
    from .criteria import Criteria

# Why an image is kept or removed.
PINNED = "pinned"
CLASS_FLOOR = "class_floor"
SELECTED = "selected"
PRUNED = "pruned"
EXCLUDED = "excluded"
NO_SCORE = "no_score"


@dataclass(frozen=True)
class Candidates:
    """The images to choose from.

    Attributes:
        image_ids: (I,) ids, in the collection's order, by which ties are broken.
        scores: (I,) image scores; not looked at where ``scored`` is False.
        scored: (I,) bool, whether the image has a score at all.
        contents: what the images hold.
        scorer: name of the score.
        higher_first: whether the highest scores are kept first.
        aggregation: how the scores of instances became those of images; None where they did not,
            or before they came here.
        table: name of the table that the scores are from; None where they are computed.

    Raises:
        ValueError: no image has a score, or one that counts as scored is NaN or infinite.
    """

    image_ids: NDArray[Any]
    scores: NDArray[np.float64]
    scored: NDArray[np.bool_]
    contents: Contents
    scorer: str
    higher_first: bool = True
    aggregation: str | None = None
    table: str | None = None

    def __post_init__(self) -> None:
        if not self.scored.any():
            raise ValueError(
                f"none of the {len(self.scored)} images has a score {self.scorer!r}; "
                "compute it first, or choose another scorer"
            )
        broken = self.image_ids[self.scored & ~np.isfinite(self.scores)]
        if len(broken):
            raise ValueError(
                f"{len(broken)} images have a score {self.scorer!r} that is NaN or infinite, the "
                f"first of them {broken.tolist()[0]!r}; give numbers, or no score at all"
            )

    @property
    def priority(self) -> NDArray[np.float64]:
        """(I,) the scores, turned so that the highest are kept first."""
        return self.scores if self.higher_first else -self.scores


@dataclass(frozen=True)
class Selection:
    """Which images are kept.

    Attributes:
        image_ids: (I,) ids of all images.
        keep: (I,) bool.
        why: (I,) str: "pinned", "class_floor", "selected" (kept), "pruned", "excluded" (removed),
            or "no_score" (kept or removed, as the criteria say).
        scorer: name of the score.
        criteria: what was asked.
        before: composition of all images.
        after: composition of the kept images.
        aggregation, table: of the score; see `Candidates`.
    """

    image_ids: NDArray[Any]
    keep: NDArray[np.bool_]
    why: NDArray[np.str_]
    scorer: str
    criteria: Criteria
    before: Composition
    after: Composition
    aggregation: str | None = None
    table: str | None = None

    @property
    def keep_ids(self) -> list[Any]:
        """Ids of the kept images, in the collection's order."""
        return self.image_ids[self.keep].tolist()

    def counts(self) -> dict[str, int]:
        """Number of images for each reason that occurs in ``why``."""
        reasons, counts = np.unique(self.why, return_counts=True)
        return dict(zip(reasons.tolist(), counts.tolist(), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """A JSON report: what was asked, reasons, composition before and after, ids kept."""
        return {
            "scorer": self.scorer,
            "aggregation": self.aggregation,
            "table": self.table,
            "criteria": self.criteria.to_dict(),
            "images_by_reason": self.counts(),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "keep_ids": self.keep_ids,
        }


def _rows_of(name: str, ids: tuple[Any, ...], image_ids: NDArray[Any]) -> NDArray[np.int64]:
    row_of_id = {image_id: row for row, image_id in enumerate(image_ids.tolist())}
    unknown = [i for i in ids if i not in row_of_id]
    if unknown:
        raise ValueError(f"{name} image {unknown[0]!r} is not among the {len(image_ids)} images")
    return np.array([row_of_id[i] for i in ids], np.int64)


def _check_floor(
    candidates: Candidates,
    criteria: Criteria,
    pinned: NDArray[np.bool_],
    ranking: NDArray[np.int64],
    room: int,
) -> None:
    """Raises if the class floor takes more than ``room`` images beside the pinned ones."""
    needed = len(select_class_floor(candidates.contents, pinned, ranking, criteria.min_per_class))
    if needed > room:
        possible = largest_class_floor(candidates.contents, pinned, ranking, room)
        raise ValueError(
            f"min_per_class={criteria.min_per_class} takes {needed} images, but the budget has "
            f"room for {room}; keep {needed - room} more, or ask for min_per_class={possible} or "
            "less"
        )


def select_images(candidates: Candidates, criteria: Criteria) -> Selection:
    """Chooses the images to keep.

    Pinned images come first, then those that the class floor needs, then the policy fills the
    budget. Ties go by image order. Selections at rising rates are nested under "top" and "random".

    Raises:
        ValueError: the criteria cannot be met here; the message says what could be.
    """
    image_ids, scored, contents = candidates.image_ids, candidates.scored, candidates.contents
    why = np.where(scored, PRUNED, NO_SCORE).astype("<U12")
    why[_rows_of("excluded", criteria.excluded, image_ids)] = EXCLUDED
    why[_rows_of("pinned", criteria.pinned, image_ids)] = PINNED
    pinned = why == PINNED
    num_scored = int(scored.sum())

    priority = candidates.priority
    ranking = np.flatnonzero(why == PRUNED)
    ranking = ranking[np.argsort(-priority[ranking], kind="stable")]
    if criteria.threshold is None:
        num_pinned = int((pinned & scored).sum())
        budget = resolve_budget(criteria, num_scored, num_pinned, len(ranking))
        _check_floor(candidates, criteria, pinned, ranking, budget - num_pinned)

    floor = select_class_floor(contents, pinned, ranking, criteria.min_per_class)
    why[floor] = CLASS_FLOOR
    ranking = ranking[why[ranking] == PRUNED]
    if criteria.threshold is None:
        room = budget - num_pinned - len(floor)
        selected = choose_images(Pool(ranking, priority[ranking], room, num_scored), criteria)
    else:
        cut = criteria.threshold if candidates.higher_first else -criteria.threshold
        selected = ranking[priority[ranking] >= cut]
    why[selected] = SELECTED

    kept_reasons = [SELECTED, CLASS_FLOOR, PINNED]
    if criteria.unannotated == "keep":
        kept_reasons.append(NO_SCORE)
    keep = np.isin(why, kept_reasons)
    return Selection(
        image_ids=image_ids,
        keep=keep,
        why=why,
        scorer=candidates.scorer,
        criteria=criteria,
        before=compose(contents),
        after=compose(contents, keep),
        aggregation=candidates.aggregation,
        table=candidates.table,
    )
