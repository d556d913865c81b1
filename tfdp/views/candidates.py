"""A FiftyOne view -> the candidates of a selection: the scores of its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo
import numpy as np

from ..scores.aggregation import check_own_aggregation, resolve_aggregation
from ..scores.baselines import score_plain
from ..scores.table import SCORERS, higher_first, list_plain_scorers
from ..selection.selection import Candidates
from ..values import check_text, check_whole
from .fields import is_own, score_of
from .fiftyone_internals import root_dataset
from .label_scores import aggregate_label_scores, find_label_scores, recorded_aggregation
from .samples import raw_value, stream_samples

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from .contents import ViewContents

_NUMERIC = (fo.FloatField, fo.IntField)


def list_score_fields(view: SampleCollection) -> list[str]:
    """The numeric fields of samples, our own scores first."""
    names = list(view.get_field_schema(ftype=_NUMERIC))
    dataset = root_dataset(view)
    return sorted(names, key=lambda name: not is_own(dataset, name))


def _read_field(
    view: SampleCollection, scorer: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(I,) values of a numeric field of samples, and (I,) whether there is one."""
    field = view.get_field(scorer)
    if not isinstance(field, _NUMERIC):
        known = ", ".join([*list_score_fields(view), *list_plain_scorers()])
        found = "no such field" if field is None else type(field).__name__
        raise ValueError(  # noqa: TRY004
            f"scorer {scorer!r} must be a numeric field of samples or a scorer of tfdp, but it is "
            f"{found}; choose one of {known}"
        )
    values = [raw_value(sample.document, scorer) for sample in stream_samples(view, paths=[scorer])]
    numbers = [value if isinstance(value, int | float) else None for value in values]
    scored = np.array([number is not None for number in numbers], bool)
    return np.array([np.nan if n is None else n for n in numbers], float), scored


def _reference_of(view: SampleCollection, scorer: str) -> str:
    """The sample field that some plain scorers are set beside: CB-SCS."""
    dataset = root_dataset(view)
    for name in list_score_fields(view):
        if score_of(dataset, name) == "cb_scs":
            return name
    raise ValueError(
        f"{scorer} is matched to the field cb_scs, which the samples don't have; "
        "call compute_shape_scores first"
    )


def _read_score(
    view: SampleCollection, scorer: str, aggregation: str | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_], str | None]:
    """The scores of a field of samples, whether there are some, and how they were aggregated.

    Another way than the field's is made of the labels' scores.
    """
    labels = find_label_scores(view, scorer)
    recorded = recorded_aggregation(view, scorer)
    if labels is None:
        check_own_aggregation(score_of(root_dataset(view), scorer), aggregation)
    elif aggregation not in (None, recorded):
        scores = aggregate_label_scores(view, labels, scorer, aggregation)
        return scores, ~np.isnan(scores), aggregation
    return *_read_field(view, scorer), recorded


def score_candidates(
    view: SampleCollection,
    held: ViewContents,
    scorer: str,
    *,
    scorer_higher_first: bool | None = None,
    seed: int = 0,
    aggregation: str | None = None,
) -> Candidates:
    """The candidates of a selection, by a field of samples or by a scorer that looks at no mask.

    Args:
        view: the samples.
        held: from ``read_contents`` of the same view.
        scorer: a numeric field of samples, or a plain scorer.
        scorer_higher_first: whether the highest values are kept first; None: as `tfdp.scores.table`
            says, true of a field that we do not know.
        seed: of the random scorers.
        aggregation: from instances to samples, of a scorer that scores instances; None: the
            scorer's own, and that of a field as it was filled.

    Raises:
        ValueError: there is no such scorer, or its scores are NaN.
    """
    check_text("scorer", scorer)
    check_whole("seed", seed)
    contents = held.contents
    scored, way = contents.num_instances() > 0, None
    if scorer not in list_plain_scorers() or view.get_field(scorer) is not None:
        scores, scored, way = _read_score(view, scorer, aggregation)
    else:
        reference = None
        if "reference" in SCORERS[scorer].needs:
            reference, scored = _read_field(view, _reference_of(view, scorer))
        scores = score_plain(scorer, contents, reference, seed, aggregation)
        if SCORERS[scorer].level == "instance":
            way = resolve_aggregation(scorer, aggregation)
    if scorer_higher_first is None:
        scorer_higher_first = higher_first(score_of(root_dataset(view), scorer))
    return Candidates(held.sample_ids, scores, scored, contents, scorer, scorer_higher_first, way)
