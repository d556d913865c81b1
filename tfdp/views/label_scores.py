"""The scores of labels that a field of samples was made of, and how; to make it another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..scores.aggregation import aggregate_by_scorer, resolve_aggregation
from ..scores.table import SCORERS, list_plain_scorers
from ..values import check_text
from .fields import score_of
from .fiftyone_internals import root_dataset
from .labels import list_label_fields
from .run_fields import own_configs
from .samples import stream_samples

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from .labels import LabelField


def _configs_of(view: SampleCollection, field: str) -> list[Any]:
    """Of the runs that scored labels, and filled the field of samples."""
    configs = own_configs(root_dataset(view)).values()
    return [c for c in configs if field in c.fields and hasattr(c, "label_field")]


def find_label_scores(view: SampleCollection, field: str) -> LabelField | None:
    """The lists of labels whose scores a field of samples was made of; None of any other field."""
    for config in _configs_of(view, field):
        for labels in list_label_fields(view):
            if labels.name == config.label_field and f"{labels.path}.{field}" in config.fields:
                return labels
    return None


def can_aggregate(view: SampleCollection, scorer: str) -> bool:
    """Whether a scorer's image scores are made of those of instances, and can be made anew."""
    if view.get_field(check_text("scorer", scorer)) is not None:
        return find_label_scores(view, scorer) is not None
    return scorer in list_plain_scorers() and SCORERS[scorer].level == "instance"


def recorded_aggregation(view: SampleCollection, field: str) -> str | None:
    """How a field of samples was made of its labels; None where no run, or no one way, says it."""
    asked = [getattr(config, "parameters", vars(config)) for config in _configs_of(view, field)]
    score = score_of(root_dataset(view), field)
    ways = {resolve_aggregation(score, a["aggregation"]) for a in asked if "aggregation" in a}
    return ways.pop() if len(ways) == 1 else None


def aggregate_label_scores(
    view: SampleCollection, labels: LabelField, field: str, aggregation: str
) -> NDArray[np.float64]:
    """(I,) the scores of the labels made scores of samples; NaN where no label has one."""
    rows, values, count = [], [], 0
    for row, sample in enumerate(stream_samples(view, labels, [field])):
        count = row + 1
        scores = (label.get(field) for label in sample.labels)
        found = [score for score in scores if isinstance(score, int | float)]
        rows += [row] * len(found)
        values += found
    score = score_of(root_dataset(view), field)
    index = np.array(rows, np.int64)
    return aggregate_by_scorer(score, np.array(values, np.float64), index, count, aggregation)
