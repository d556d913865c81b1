"""ShapeScores + options -> Selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..keywords import takes_options
from ..options import option
from ..scores.aggregation import aggregation_option
from ..scores.shape_scores import ShapeScores, list_scorers
from ..scores.table import SCORERS, higher_first
from ..values import shown
from .criteria import Criteria
from .selection import Candidates, Selection, select_images


@dataclass(frozen=True)
class SelectionOptions(Criteria):
    """The criteria, and the scores that they are applied to."""

    scorer: str = option(
        "cb_scs",
        "Scorer",
        "what the images are ranked by",
        choices=lambda: {name: SCORERS[name] for name in list_scorers()},
    )
    aggregation: str = aggregation_option()

    def to_dict(self) -> dict[str, Any]:
        """The criteria, and the aggregation where it is not the paper's."""
        other = {} if self.aggregation == "sum" else {"aggregation": self.aggregation}
        return super().to_dict() | other


def make_candidates(
    scores: ShapeScores, scorer: str, seed: int = 0, aggregation: str = "sum"
) -> Candidates:
    """The scored images, ranked by one of `list_scorers`.

    Raises:
        ValueError: an unknown scorer or aggregation, or no image has a score.
    """
    return Candidates(
        image_ids=scores.images.image_id,
        scores=scores.image_scores(scorer, seed, aggregation),
        scored=scores.images.num_instances > 0,
        contents=scores.contents,
        scorer=scorer,
        higher_first=higher_first(scorer),
    )


@takes_options(SelectionOptions)
def select(scores: ShapeScores, pruning_rate: float | None = None, **options: Any) -> Selection:
    """Chooses which of the scored images to keep.

    Args:
        scores: from ``score``.
        pruning_rate: this, ``keep`` or ``threshold``: fraction of the scored images to remove.
        **options: see `SelectionOptions`.

    Raises:
        ValueError: what was asked cannot be met; the message says what could be.
    """
    if not isinstance(scores, ShapeScores):
        raise ValueError(  # noqa: TRY004
            f"scores must be what tfdp.score gives, but got {shown(scores)}"
        )
    asked = SelectionOptions(pruning_rate=pruning_rate, **options)
    candidates = make_candidates(scores, asked.scorer, asked.seed, asked.aggregation)
    return select_images(candidates, asked)
