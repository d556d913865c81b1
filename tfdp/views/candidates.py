"""A FiftyOne view -> the candidates of a selection: sample scores, and what the samples hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo
import numpy as np

from ..columns import object_array
from ..scores.baselines import (
    score_count,
    score_instance_matched_random,
    score_inverse_frequency,
    score_random,
)
from ..scores.contents import Contents
from ..scores.shape_scores import PLAIN_SCORERS
from ..scores.table import higher_first
from ..selection.selection import Candidates
from ..values import check_text, check_whole
from .fields import is_own, score_of
from .labels import (
    check_view,
    find_label_field,
    project_labels,
    raw_list,
    raw_value,
    stream_raw,
)
from .records import ClassField, list_class_fields
from .values import UnreadableError, read_instance_class, read_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from .labels import LabelField

_NUMERIC = (fo.FloatField, fo.IntField)


class ViewContents(NamedTuple):
    """What a view holds.

    Attributes:
        sample_ids: (I,) str objects, in the view's order.
        tags: (I,) lists of tags.
        contents: the labels that have a class and are no crowds.
    """

    sample_ids: NDArray[Any]
    tags: list[list[str]]
    contents: Contents

    def tagged(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Ids of the samples that have one of the tags."""
        wanted = set(tags)
        rows = [row for row, have in enumerate(self.tags) if wanted.intersection(have)]
        return tuple(self.sample_ids[rows].tolist())


def list_score_fields(view: SampleCollection) -> list[str]:
    """The numeric fields of samples, our own scores first."""
    names = list(view.get_field_schema(ftype=_NUMERIC))
    dataset = view._root_dataset  # noqa: SLF001
    return sorted(names, key=lambda name: not is_own(dataset, name))


def _find_counted(view: SampleCollection, label_field: str | None) -> LabelField | None:
    if label_field is None:
        return None
    if label_field in list_class_fields(view):
        return ClassField(label_field, "classification")
    return find_label_field(view, label_field)


def _project_classes(field: LabelField | None) -> dict[str, Any]:
    if field is None:
        return {}
    if isinstance(field, ClassField):
        return {f"{field.path}.label": 1}
    return project_labels(field.path, ("_id", "label", "iscrowd"))


def _list_classes(sample: dict[str, Any], field: LabelField | None) -> list[str]:
    """The classes of a sample's instances; labels that stand for none are passed over."""
    if field is None:
        return []
    value = raw_value(sample, field.path)
    labels = [value] if isinstance(value, dict) else read_labels(sample, field.path)[0]
    names = []
    for label in labels:
        with suppress(UnreadableError):
            names.append(read_instance_class(label))
    return names


def read_contents(view: SampleCollection, label_field: str | None) -> ViewContents:
    """Reads classes and tags; the masks are not looked at.

    A Classification counts as one instance of its class.

    Raises:
        ValueError: the view is no collection of images, or the field holds no labels.
    """
    check_view(view)
    field = _find_counted(view, label_field)
    sample_ids, tags, images, classes = [], [], [], []
    for row, sample in enumerate(stream_raw(view, ["tags"], _project_classes(field))):
        sample_ids.append(str(sample["_id"]))
        tags.append(raw_list(sample, "tags"))
        found = _list_classes(sample, field)
        images += [row] * len(found)
        classes += found
    names, category = np.unique(object_array(classes), return_inverse=True)
    contents = Contents(
        len(sample_ids), np.array(images, np.int64), category.astype(np.int64), names
    )
    return ViewContents(object_array(sample_ids), tags, contents)


def _read_field(
    view: SampleCollection, scorer: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(I,) values of a numeric field of samples, and (I,) whether there is one."""
    field = view.get_field(scorer)
    if not isinstance(field, _NUMERIC):
        known = ", ".join([*list_score_fields(view), *PLAIN_SCORERS])
        found = "no such field" if field is None else type(field).__name__
        raise ValueError(  # noqa: TRY004
            f"scorer {scorer!r} must be a numeric field of samples or a scorer of tfdp, but it is "
            f"{found}; choose one of {known}"
        )
    values = [raw_value(sample, scorer) for sample in stream_raw(view, [scorer])]
    numbers = [value if isinstance(value, int | float) else None for value in values]
    scored = np.array([number is not None for number in numbers], bool)
    return np.array([np.nan if n is None else n for n in numbers], float), scored


def _reference_of(view: SampleCollection) -> str:
    """The sample field that instance_matched_random is matched to: CB-SCS."""
    dataset = view._root_dataset  # noqa: SLF001
    for name in list_score_fields(view):
        if score_of(dataset, name) == "cb_scs":
            return name
    raise ValueError(
        "instance_matched_random is matched to the field cb_scs, which the samples don't have; "
        "call compute_shape_scores first"
    )


def score_candidates(
    view: SampleCollection,
    held: ViewContents,
    scorer: str,
    *,
    scorer_higher_first: bool | None = None,
    seed: int = 0,
) -> Candidates:
    """The candidates of a selection, by a field of samples or by a scorer that looks at no mask.

    Args:
        view: the samples.
        held: from ``read_contents`` of the same view.
        scorer: a numeric field of samples, or one of `PLAIN_SCORERS`.
        scorer_higher_first: whether the highest values are kept first; None: as `tfdp.scores.table`
            says, true of a field that we do not know.
        seed: of the random scorers.

    Raises:
        ValueError: there is no such scorer, or its scores are NaN.
    """
    check_text("scorer", scorer)
    contents = held.contents
    scored = contents.num_instances() > 0
    rng = np.random.default_rng(check_whole("seed", seed))
    if scorer not in PLAIN_SCORERS or view.get_field(scorer) is not None:
        scores, scored = _read_field(view, scorer)
    elif scorer == "count":
        scores = score_count(contents)
    elif scorer == "inverse_frequency":
        scores = score_inverse_frequency(contents)
    elif scorer == "random":
        scores = score_random(contents, rng)
    else:
        reference, scored = _read_field(view, _reference_of(view))
        scores = score_instance_matched_random(contents, reference, rng)
    if scorer_higher_first is None:
        scorer_higher_first = higher_first(score_of(view._root_dataset, scorer))  # noqa: SLF001
    return Candidates(held.sample_ids, scores, scored, contents, scorer, scorer_higher_first)
