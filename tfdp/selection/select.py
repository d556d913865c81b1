"""What is asked of a selection of scored images, and the candidates that it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..options import option
from ..scores.aggregation import aggregation_option, resolve_aggregation
from ..scores.shape_scores import list_scorers
from ..scores.table import SCORERS, higher_first
from .criteria import Criteria
from .presets import SELECTION_PRESETS
from .selection import Candidates

if TYPE_CHECKING:
    from ..scores.shape_scores import ShapeScores


@dataclass(frozen=True)
class SelectionOptions(Criteria):
    """The criteria, and the scores that they are applied to."""

    preset: str | None = option(
        None,
        "Preset",
        "a whole selection but its budget; what is given beside it goes before",
        choices=lambda: SELECTION_PRESETS,
    )
    scorer: str = option(
        "cb_scs",
        "Scorer",
        "what the images are ranked by: one of "
        f"{', '.join(list_scorers())}; or a column of the tables of scores, where some are given",
    )
    aggregation: str | None = aggregation_option()

    def to_dict(self) -> dict[str, Any]:
        """The criteria, and the preset that they are of."""
        return {"preset": self.preset, **super().to_dict()}


def make_candidates(
    scores: ShapeScores, scorer: str, seed: int = 0, aggregation: str | None = None
) -> Candidates:
    """The scored images, ranked by one of `list_scorers`.

    Raises:
        ValueError: an unknown scorer or aggregation, or no image has a score.
    """
    image_scores = scores.image_scores(scorer, seed, aggregation)
    aggregated = SCORERS[scorer].level == "instance"
    return Candidates(
        image_ids=scores.images.image_id,
        scores=image_scores,
        scored=scores.images.num_instances > 0,
        contents=scores.contents,
        scorer=scorer,
        higher_first=higher_first(scorer),
        aggregation=resolve_aggregation(scorer, aggregation) if aggregated else None,
    )
