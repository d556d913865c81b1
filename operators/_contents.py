"""What a view holds, remembered while a form is being filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfdp.views.contents import read_contents
from tfdp.views.fiftyone_internals import last_change, read_stages, root_dataset

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

    from tfdp.views.contents import ViewContents

_REMEMBERED: dict[
    tuple[object, ...], ViewContents
] = {}  # one entry: the view that the last form was about


def remember_contents(view: SampleCollection, label_field: str | None) -> ViewContents:
    """``read_contents``, read again only when the view or its dataset has changed."""
    dataset = root_dataset(view)
    stages = [] if view is dataset else read_stages(view)
    changed = last_change(dataset), len(dataset)
    key = (dataset.name, str(stages), label_field, *changed)
    if key not in _REMEMBERED:
        contents = read_contents(view, label_field)
        _REMEMBERED.clear()
        _REMEMBERED[key] = contents
    return _REMEMBERED[key]
