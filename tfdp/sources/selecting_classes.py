"""Images with one class each, and tables of their scores -> Selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import object_array
from ..files.score_tables import read_score_tables
from ..keywords import takes_options
from ..scores.baselines import score_plain
from ..scores.contents import Contents
from ..scores.table import higher_first
from ..selection.score_tables import find_score, make_table_candidates
from ..selection.select import SelectionOptions
from ..selection.selection import Candidates, Selection, select_images
from ..values import check_choice
from .ids import as_id_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..files.score_tables import TableLike
    from .class_records import ClassRecord

CLASS_SCORERS = ("random", "inverse_frequency")  # what needs neither a model nor several instances


def find_class_contents(records: Sequence[ClassRecord]) -> Contents:
    """What images with classes hold: one instance of its class, or none where it has no class."""
    rows = [row for row, record in enumerate(records) if record.label is not None]
    labels = object_array([records[row].label for row in rows])
    names, category = np.unique(labels, return_inverse=True)
    return Contents(len(records), np.array(rows, np.int64), category.astype(np.int64), names)


def _score_plain(records: Sequence[ClassRecord], asked: SelectionOptions) -> Candidates:
    scorer, contents = (
        check_choice("scorer", asked.scorer, CLASS_SCORERS),
        find_class_contents(records),
    )
    scores = score_plain(scorer, contents, None, asked.seed)
    ids = as_id_array([record.image_id for record in records])
    return Candidates(ids, scores, ~np.isnan(scores), contents, scorer, higher_first(scorer))


@takes_options(SelectionOptions)
def select_class_images(
    records: Sequence[ClassRecord],
    pruning_rate: float | None = None,
    *,
    tables: TableLike | Iterable[TableLike] = (),
    **options: Any,
) -> Selection:
    """Chooses which images of a dataset for classification to keep.

    Args:
        records: images with their classes.
        pruning_rate: this, ``keep`` or ``threshold``: fraction of the scored images to remove.
        **options: see `SelectionOptions`; the scorer must be given.
        tables: of scores, one of whose columns is the scorer, as `tfdp.sources.selecting.select`
            takes them; without one it is among `CLASS_SCORERS`.

    Raises:
        OSError: a table cannot be read.
        ValueError: what was asked cannot be met; the message says what could be.
    """
    if pruning_rate is not None:
        options["pruning_rate"] = pruning_rate
    asked = SelectionOptions.given(**options)
    table = find_score(read_score_tables(tables), asked.scorer)
    if table is None:
        return select_images(_score_plain(records, asked), asked)
    ids = as_id_array([record.image_id for record in records])
    contents = find_class_contents(records)
    candidates = make_table_candidates(table, asked.scorer, ids, contents, asked.aggregation)
    return select_images(candidates, asked)
