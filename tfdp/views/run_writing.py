"""How a run comes to a dataset: at every moment, what is listed is whole.

What will be touched is noted; values that will be replaced are set aside; the earlier run of the
key is unlisted; the fields are filled, the saved view is put; the run is listed, by one update. Up
to there all can be undone, from there on it is finished: the earlier run and what was set aside are
deleted (`tfdp.views.mending`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bson import ObjectId

from .backup import back_up_values
from .database import check_database, soon
from .fields import (
    declare_fields,
    index_fields,
    keep_declared,
)
from .fiftyone_internals import root_dataset
from .mending import finish_writing
from .run_documents import (
    list_run,
    run_documents,
    serialize_stages,
    store_run,
    unlist_run,
)
from .run_fields import list_own_fields
from .saved_views import (
    find_view_of_run,
    put_view,
    read_state,
    unlist_view,
)
from .sidebar import show_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import fiftyone as fo

    from ..progress import Progress
    from .changes import Change, Note
    from .fields import OwnField
    from .labels import LabelField
    from .run_bases import RecordResults
    from .saved_views import SavedView


class RunContent(NamedTuple):
    """What a run will bring.

    Attributes:
        results: of the run: they hold its samples, key and config, too.
        fields: to fill.
        write: fills them; is given what to tell of its progress.
        labels: the list that the fields of labels are in, where it is a list.
        saved_view: to put, if any.
    """

    results: RecordResults
    fields: Sequence[OwnField]
    write: Callable[[Progress], None]
    labels: LabelField | None = None
    saved_view: SavedView | None = None


def _describe(
    dataset: fo.Dataset, content: RunContent, run_id: ObjectId, earlier: Any | None
) -> Note:
    """The facts from which the writing of a run can be undone or finished."""
    paths = [field.path for field in content.fields]
    old = [path for path in paths if dataset.get_field(path) is not None]
    facts: Note = {
        "kind": "write",
        "key": content.results.key,
        "run": run_id,
        "earlier": None if earlier is None else earlier.id,
        "old": old,
        "new": [path for path in paths if path not in old],
        "labels": None if content.labels is None else list(content.labels),
        "view": None,
    }
    if content.saved_view is not None:
        own = None if earlier is None else find_view_of_run(dataset, earlier.config)
        facts["view"] = {
            "name": content.saved_view.name,
            "stages": serialize_stages(content.saved_view.view),
            "before": None if own is None else read_state(dataset, own),
        }
    return facts


def _unlist(dataset: fo.Dataset, facts: Note) -> None:
    """Takes the earlier run, and its view, off the lists: they will not be whole for a while."""
    unlist_run(dataset, facts["earlier"])
    if facts["view"] is not None and facts["view"]["before"] is not None:
        unlist_view(dataset, facts["view"]["before"]["id"])


def _list(dataset: fo.Dataset, content: RunContent, facts: Note) -> None:
    """Shows what is written, and lists the run."""
    results = content.results
    on_samples = [field.path for field in content.fields if "." not in field.path]
    new = [path for path in on_samples if path in facts["new"]]
    show_fields(dataset, new, list_own_fields(dataset))
    if content.saved_view is not None:
        results.config.saved_at = put_view(dataset, content.saved_view, facts["view"]["before"])
    keep_declared(dataset, content.fields)
    document = store_run(results.samples, results.key, facts["run"], results)
    list_run(dataset, document, results)


def write_run(change: Change, content: RunContent, progress: Progress) -> None:
    """Fills the fields of a run, and lists it in the place of the earlier run of its key.

    Args:
        change: from ``writing_to``.
        content: what the run brings; whether its names may be used was found out under ``change``.
        progress: told of the filling.
    """
    results = content.results
    dataset, key, run_id = root_dataset(results.samples), results.key, ObjectId()
    earlier = run_documents(dataset).get(key)
    facts = _describe(dataset, content, run_id, earlier)
    change.note(**facts)
    check_database()
    if facts["old"]:
        sample_ids = None if content.saved_view else [*map(ObjectId, results.samples.values("id"))]
        back_up_values(dataset, str(run_id), facts["old"], sample_ids)
    if earlier is not None:
        _unlist(dataset, facts)
    with soon():
        declare_fields(dataset, content.fields)
    change.note(declared=True)
    content.write(change.renewed_by(progress))
    check_database()
    index_fields(dataset, content.fields)
    change.note(filled=True)  # or another goes on with the dataset
    with soon():
        _list(dataset, content, facts)
    finish_writing(facts)
