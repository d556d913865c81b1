"""Which fields a scoring run may write: nobody's values are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo
from bson import ObjectId

from ..scores.aggregation import AGGREGATIONS, resolve_aggregation
from ..scores.shape_scores import SHAPE_SCORES
from ..scores.table import SCORERS
from ..values import check_text, shown
from .fields import OwnField, find_taken
from .fiftyone_internals import root_dataset, sample_collection
from .labels import ClassField
from .run_fields import keys_of_field, own_configs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fiftyone.core.collections import SampleCollection

    from .labels import LabelField


MAX_NAME = 100  # characters; the App shows no more, and MongoDB's indexes end at some thousands


def check_key(brain_key: str, name: str = "brain_key") -> None:
    """Raises ValueError unless a run, its saved view and its fields can bear this name."""
    check_text(name, brain_key)
    if not brain_key.isidentifier() or len(brain_key) > MAX_NAME:
        raise ValueError(
            f"{name} must be at most {MAX_NAME} letters, digits and underscores, as in "
            f"pruned_50, but got {shown(brain_key)}"
        )


def _check_prefix(field_prefix: str) -> None:
    check_text("field_prefix", field_prefix)
    if not f"{field_prefix}scs".isidentifier() or len(field_prefix) > MAX_NAME:
        raise ValueError(
            f"field_prefix must be the beginning of a name, as in 'run2_', of at most {MAX_NAME} "
            f"characters, but got {shown(field_prefix)}"
        )


def _describe(score: str, aggregation: str | None, label_field: LabelField) -> str:
    """What a field of samples says."""
    if isinstance(label_field, ClassField):
        return SCORERS[score].description
    combined = AGGREGATIONS[resolve_aggregation(score, aggregation)].label.lower()
    return f"{SCORERS[score].description} Here: the {combined} over the sample's instances."


def name_score_fields(
    label_field: LabelField,
    prefix: str,
    scores: Sequence[str] = SHAPE_SCORES,
    aggregation: str | None = None,
) -> tuple[list[OwnField], list[OwnField]]:
    """The fields of the scores on samples, and on labels, in the order of ``scores``."""
    on_samples, on_labels = [], []
    for score in scores:
        name, path = prefix + score, f"{label_field.path}.{prefix}{score}"
        on_samples.append(
            OwnField(name, fo.FloatField, _describe(score, aggregation, label_field), score)
        )
        on_labels.append(OwnField(path, fo.FloatField, SCORERS[score].description, score))
    return on_samples, on_labels


def choose_prefix(
    view: SampleCollection,
    label_field: LabelField,
    brain_key: str,
    field_prefix: str | None,
    scores: Sequence[str] = SHAPE_SCORES,
) -> str:
    """The prefix of a run's fields.

    Args:
        view: the samples to score.
        label_field: the labels to score.
        brain_key: the run's key.
        field_prefix: the prefix that was asked for; None lets this function choose: that of the
            run's predecessor under the same key, else none, where these names are free, else
            ``<brain_key>_``.
        scores: what is written.

    Raises:
        ValueError: the key or the prefix can be no name; with the prefix that was asked for,
            another run's scores of these samples or a field of the user's own would be overwritten.
    """
    check_key(brain_key)
    dataset = root_dataset(view)
    if field_prefix is None:
        before = getattr(own_configs(dataset).get(brain_key), "field_prefix", "")
        for prefix in dict.fromkeys([before, ""]):
            if not _find_taken(view, label_field, brain_key, prefix, scores):
                return prefix
        field_prefix = f"{brain_key}_"
    _check_prefix(field_prefix)
    taken = _find_taken(view, label_field, brain_key, field_prefix, scores)
    if taken:
        raise ValueError(f"{taken}; give another field prefix, such as '{brain_key}_'")
    return field_prefix


def _find_taken(
    view: SampleCollection,
    label_field: LabelField,
    brain_key: str,
    prefix: str,
    scores: Sequence[str],
) -> str:
    """What stands in the way of writing the fields; empty where nothing does."""
    dataset = root_dataset(view)
    on_samples, on_labels = name_score_fields(label_field, prefix, scores)
    taken = find_taken(dataset, [field.path for field in on_samples + on_labels])
    if taken:
        return f"the dataset has a field {taken[0]!r} of another origin"
    for field in on_samples:
        others = [key for key in keys_of_field(dataset, field.path) if key != brain_key]
        if others and _holds_values(view, field.path):
            return f"field {field.path!r} holds scores of run {others[0]!r} for these samples"
    return ""


def _holds_values(view: SampleCollection, path: str) -> bool:
    """Whether any of the view's samples has a value there, even if the view hides the field."""
    dataset = root_dataset(view)
    ids = [ObjectId(i) for i in view.values("id")]
    for start in range(0, len(ids), 10_000):
        wanted = {"_id": {"$in": ids[start : start + 10_000]}, path: {"$ne": None}}
        if sample_collection(dataset).find_one(wanted, {"_id": 1}) is not None:
            return True
    return False
