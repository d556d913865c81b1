"""How a run comes to a dataset, and goes: at every moment, what is listed is whole.

Writing: what will be touched is noted; values that will be replaced are set aside; the earlier run
of the key is unlisted; the fields are filled, the saved view is put; the run is listed, by one
update. Up to there all can be undone, from there on it is finished: the earlier run and what was
set aside are deleted. Deleting: it is noted, the run is unlisted, then all that is its own goes.

Whoever comes next to a dataset that a killed process was writing to undoes or finishes its work
from the note (`mend`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from bson import ObjectId

from .backup import back_up_values, drop_backup, restore_values
from .changes import changing, notes_of_deleted_datasets, unfinished_work
from .database import check_database, database_errors, soon
from .fields import (
    declare_fields,
    delete_fields,
    erase_values,
    index_fields,
    is_marked,
    keep_declared,
)
from .fiftyone_internals import root_dataset
from .labels import LabelField
from .run_documents import (
    delete_document,
    find_run,
    is_listed,
    list_run,
    own_documents,
    relist_run,
    run_documents,
    serialize_stages,
    store_run,
    unlist_run,
)
from .run_fields import list_leftover_fields, list_own_fields, remove_fields
from .saved_views import (
    find_saved_view,
    find_view_of_run,
    put_view,
    read_state,
    remove_view,
    restore_view,
    unlist_view,
)
from .sidebar import show_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    import fiftyone as fo

    from ..progress import Progress
    from .changes import Change, Note
    from .fields import OwnField
    from .runs import RecordResults
    from .saved_views import SavedView


HALF_DONE = (
    "what is half-done, if anything, is undone or finished by the next call"  # after an error
)


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


def writing_to(dataset: fo.Dataset) -> AbstractContextManager[Change]:
    """The right to write to a dataset, once others are done and what they left is mended."""
    for facts in notes_of_deleted_datasets():
        _drop_stored(facts)
    return changing(dataset, partial(_mend, dataset))


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
    _finish_writing(facts)


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


@database_errors(HALF_DONE)
def delete_run(dataset: fo.Dataset, key: str) -> list[str]:
    """Deletes a run of ours with its fields, also where FiftyOne can't import its class.

    Returns:
        The paths of the fields that went.

    Raises:
        ValueError: there is no such run of ours.
    """
    with writing_to(dataset) as change:
        documents = own_documents(dataset)
        if key not in documents:
            known = ", ".join(documents) or "none"
            raise ValueError(f"there is no run {key!r} of tfdp on this dataset; there are: {known}")
        _check_deletable(dataset, documents[key].config["fields"])
        change.note(kind="delete", key=key, run=documents[key].id)
        return _finish_deleting(dataset, documents[key].id)


def _check_deletable(dataset: fo.Dataset, paths: Sequence[str]) -> None:
    fields = {path: dataset.get_field(path) for path in paths if is_marked(dataset, path)}
    locked = [path for path, field in fields.items() if field.read_only]
    if locked:
        raise ValueError(
            f"field {locked[0]!r} is read-only, so that it can't be deleted; set its read_only to "
            "False and save it first"
        )


def mend_runs(dataset: fo.Dataset) -> str:
    """Undoes or finishes what a killed process left half-done, and says so; empty for nothing."""
    if unfinished_work(dataset) is None:
        return ""
    with writing_to(dataset) as change:
        return change.mended


def clean_up(dataset: fo.Dataset) -> list[str]:
    """Deletes the fields of ours that no run lists; gives their paths."""
    with writing_to(dataset):
        return delete_fields(dataset, list_leftover_fields(dataset))


def describe_unfinished(dataset: fo.Dataset) -> str:
    """What ``mend_runs`` would mend, in a sentence; empty where there is nothing."""
    facts = unfinished_work(dataset)
    if not facts:
        return ""
    work = "deletion" if facts["kind"] == "delete" else "writing"
    return (
        f"the {work} of run {facts['key']!r} was interrupted; it is undone or finished when next "
        "something is written to this dataset"
    )


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


def _mend(dataset: fo.Dataset, facts: Note) -> str:
    """Undoes or finishes what the facts tell; can be called again after a kill in it."""
    if not facts:
        return ""
    key, kind = facts["key"], facts["kind"]
    if kind == "delete":
        _finish_deleting(dataset, facts["run"])
        return f"the deletion of run {key!r} had been interrupted; it is finished now"
    if is_listed(dataset, facts["run"]):
        _finish_writing(facts)
        return f"the writing of run {key!r} had been interrupted at its end; it is finished now"
    _undo_writing(dataset, facts)
    return (
        f"the writing of run {key!r} had been interrupted; what it had written is undone, and the "
        "dataset is as it was before"
    )


def _finish_writing(facts: Note) -> None:
    if facts["earlier"] is not None:
        delete_document(facts["earlier"])
    drop_backup(str(facts["run"]))


def _undo_writing(dataset: fo.Dataset, facts: Note) -> None:
    labels = None if facts["labels"] is None else LabelField(*facts["labels"])
    old = [path for path in facts["old"] if is_marked(dataset, path)]
    if old:
        restore_values(dataset, str(facts["run"]), old, labels)
    delete_fields(dataset, facts["new"])
    if facts.get("declared"):  # and written to, though another's save has dropped it since
        for path in facts["new"]:
            if dataset.get_field(path) is None:
                erase_values(dataset, path)
    if facts["view"] is not None:
        _undo_view(dataset, **facts["view"])
    earlier = None if facts["earlier"] is None else find_run(facts["earlier"])
    if earlier is not None and not is_listed(dataset, earlier.id):
        relist_run(dataset, earlier)
    _drop_stored(facts)


def _undo_view(dataset: fo.Dataset, name: str, stages: list[str], before: Any) -> None:
    if before is not None:
        restore_view(dataset, before)
        return
    document = find_saved_view(dataset, name)
    is_new = document is not None and (document.name, document.view_stages) == (name, stages)
    remove_view(dataset, name, stages, document if is_new else None)


def _drop_stored(facts: Note) -> None:
    """What a run that is not listed has stored outside of the dataset."""
    if "run" in facts:
        delete_document(facts["run"])
        drop_backup(str(facts["run"]))


def _finish_deleting(dataset: fo.Dataset, run_id: ObjectId) -> list[str]:
    unlist_run(dataset, run_id)
    document = find_run(run_id)
    if document is None:
        return []
    if "saved_view" in document.config:
        name, stages = document.config["saved_view"], [*document.config["saved_stages"]]
        remove_view(dataset, name, stages, find_view_of_run(dataset, document.config))
    gone = remove_fields(dataset, document)
    delete_document(run_id)
    return gone
