"""A FiftyOne view -> what its samples hold: classes and tags; the masks are not looked at."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..columns import object_array
from ..errors import UnreadableError
from ..scores.contents import Contents
from .labels import ClassField, check_view, find_label_field, list_class_fields
from .samples import raw_list, stream_samples
from .values import read_instance_class

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from .labels import LabelField
    from .samples import Sample


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


def _find_counted(view: SampleCollection, label_field: str | None) -> LabelField | None:
    if label_field is None:
        return None
    if label_field in list_class_fields(view):
        return ClassField(label_field, "classification")
    return find_label_field(view, label_field)


def _list_classes(sample: Sample) -> list[str]:
    """The classes of a sample's instances; labels that stand for none are passed over."""
    names = []
    for label in sample.labels:
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
    samples = stream_samples(view, field, ["label", "iscrowd"], ["tags"])
    for row, sample in enumerate(samples):
        sample_ids.append(sample.id)
        tags.append(raw_list(sample.document, "tags"))
        found = _list_classes(sample)
        images += [row] * len(found)
        classes += found
    names, category = np.unique(object_array(classes), return_inverse=True)
    contents = Contents(
        len(sample_ids), np.array(images, np.int64), category.astype(np.int64), names
    )
    return ViewContents(object_array(sample_ids), tags, contents)
