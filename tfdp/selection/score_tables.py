"""Tables of scores that were computed elsewhere -> the candidates of a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from ..scores.aggregation import (
    aggregate_by_scorer,
    check_own_aggregation,
    resolve_aggregation,
)
from ..scores.shape_scores import list_scorers
from ..scores.table import higher_first, names_needing
from ..values import check_choice
from .selection import Candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..scores.contents import Contents

IMAGE_ID, INSTANCE_ID = "image_id", "annotation_id"
_IDS = (IMAGE_ID, INSTANCE_ID, "category_id")


class ScoreTable(NamedTuple):
    """Scores of images, one row each; or of instances, one row each, with ``annotation_id``.

    Attributes:
        name: what messages and reports call it: its path.
        columns: with ``image_id``, and numbers, of which null and NaN are no score.
    """

    name: str
    columns: pa.Table

    @property
    def is_of_instances(self) -> bool:
        return INSTANCE_ID in self.columns.column_names

    def list_scores(self) -> list[str]:
        """The names of the columns of numbers."""
        return [
            field.name
            for field in self.columns.schema
            if field.name not in _IDS
            and (pa.types.is_integer(field.type) or pa.types.is_floating(field.type))
        ]


def find_score(tables: Sequence[ScoreTable], scorer: str) -> ScoreTable | None:
    """The one table that has the scorer as a column; without tables None, for a known scorer.

    Raises:
        ValueError: none has it, or several have.
    """
    if not tables:
        _check_computed(scorer)
        return None
    found = [table for table in tables if scorer in table.list_scores()]
    if not found:
        known = "; ".join(f"{table.name} has {', '.join(table.list_scores())}" for table in tables)
        raise ValueError(
            f"no table has a column of numbers {scorer!r}, the scorer: {known}; choose one of "
            "these, or leave the tables out"
        )
    if len(found) > 1:
        names = " and ".join(table.name for table in found)
        raise ValueError(f"{scorer!r} is a column of {names}; give the one that is meant")
    return found[0]


def _check_computed(scorer: str) -> None:
    if scorer in names_needing("model", "training"):
        raise ValueError(
            f"{scorer!r} needs a trained model: give the table of scores that train-score has "
            f"written; or choose one of {', '.join(list_scorers())}"
        )
    check_choice("scorer", scorer, list_scorers())


def make_table_candidates(
    table: ScoreTable,
    column: str,
    image_ids: NDArray[Any],
    contents: Contents,
    aggregation: str | None = None,
) -> Candidates:
    """The images that were scored, ranked by a column of a table.

    Ids are compared as text, so that 7 and "7" are one image. Images that the table lacks have no
    score. Scores of instances become those of images.

    Args:
        table: has the column.
        column: a score of `tfdp.scores.table`, which says its direction, or any other, whose
            highest values are kept first.
        image_ids: (I,) of the dataset's images.
        contents: what these hold.
        aggregation: one of `AGGREGATIONS`; None: the scorer's own.

    Raises:
        ValueError: the table names an image that is not there, or a row twice; a score is infinite;
            the table holds scores of images, and another aggregation is asked for than their own;
            no image has a score.
    """
    rows = _find_rows(table, image_ids)
    values = table.columns[column].cast(pa.float64()).to_numpy()  # null becomes NaN
    if table.is_of_instances:
        _check_finite(table, column, values)
        image_scores = aggregate_by_scorer(column, values, rows, len(image_ids), aggregation)
    else:
        check_own_aggregation(column, aggregation)
        image_scores = np.full(len(image_ids), np.nan)
        image_scores[rows] = values
    return Candidates(
        image_ids,
        image_scores,
        ~np.isnan(image_scores),
        contents,
        column,
        higher_first(column),
        resolve_aggregation(column, aggregation) if table.is_of_instances else None,
        table.name,
    )


def _check_finite(table: ScoreTable, column: str, values: NDArray[np.float64]) -> None:
    """Refuses infinite scores, which would be left out as if there were none."""
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        first = table.columns[INSTANCE_ID][int(infinite[0])].as_py()
        raise ValueError(
            f"{len(infinite)} instances of {table.name} have a score {column!r} that is infinite, "
            f"the first of them {first!r}; give numbers, or no score at all"
        )


def _find_rows(table: ScoreTable, image_ids: NDArray[Any]) -> NDArray[np.int64]:
    """Row of each of the table's images in the dataset."""
    row_of = {str(image_id): row for row, image_id in enumerate(image_ids.tolist())}
    if len(row_of) < len(image_ids):
        raise ValueError(
            "some ids of the dataset's images differ in their type alone, as 7 and '7' do, so that "
            f"{table.name} cannot tell them apart"
        )
    level = "instance" if table.is_of_instances else "image"
    key = INSTANCE_ID if table.is_of_instances else IMAGE_ID
    if len(table.columns[key].unique()) < len(table.columns):
        raise ValueError(f"{table.name} must have one row an {level}, but names some of them twice")
    named = [str(image_id) for image_id in table.columns[IMAGE_ID].to_pylist()]
    unknown = [image_id for image_id in named if image_id not in row_of]
    if unknown:
        raise ValueError(
            f"{len(set(unknown))} images of {table.name} are not in the dataset, the first of them "
            f"{unknown[0]!r}; give scores of the same images"
        )
    return np.array([row_of[image_id] for image_id in named], np.int64)
