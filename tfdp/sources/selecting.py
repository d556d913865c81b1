"""ShapeScores, or tables of scores, and options -> Selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..files.score_tables import read_score_tables
from ..keywords import takes_options
from ..scores.shape_scores import ShapeScores
from ..selection.score_tables import find_score, make_table_candidates
from ..selection.select import SelectionOptions, make_candidates
from ..selection.selection import Selection, select_images
from ..values import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..files.score_tables import TableLike


@takes_options(SelectionOptions)
def select(
    scores: ShapeScores,
    pruning_rate: float | None = None,
    *,
    tables: TableLike | Sequence[TableLike] = (),
    **options: Any,
) -> Selection:
    """Chooses which of the scored images to keep.

    Args:
        scores: from ``score``.
        pruning_rate: this, ``keep`` or ``threshold``: fraction of the scored images to remove.
        **options: see `SelectionOptions`.
        tables: of scores that were computed elsewhere, of images or of instances, one of whose
            columns is then the scorer: paths of .csv or .parquet files, as ``tfdp train-score``
            writes them, or arrow tables. Their ``image_id`` are those of ``scores``, as numbers or
            as text; images that they lack have no score.

    Raises:
        OSError: a table cannot be read.
        ValueError: what was asked cannot be met; the message says what could be.
    """
    if not isinstance(scores, ShapeScores):
        raise ValueError(  # noqa: TRY004
            f"scores must be what tfdp.score gives, but got {shown(scores)}"
        )
    if pruning_rate is not None:
        options["pruning_rate"] = pruning_rate
    asked = SelectionOptions.given(**options)
    table = find_score(read_score_tables(tables), asked.scorer)
    if table is None:
        candidates = make_candidates(scores, asked.scorer, asked.seed, asked.aggregation)
    else:
        ids = scores.images.image_id
        candidates = make_table_candidates(
            table, asked.scorer, ids, scores.contents, asked.aggregation
        )
    return select_images(candidates, asked)
