"""What is half-done in a dataset, undone or finished: by who fails, or comes after who was killed.

The facts of a note (`tfdp.views.changes`) tell what was to be done. Up to the listing of a run its
writing is undone, from there on it is finished; a deletion is always finished.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .backup import drop_backup, restore_values
from .changes import changing, notes_of_deleted_datasets, unfinished_work
from .fields import delete_fields, erase_values, is_marked
from .labels import LabelField
from .run_documents import delete_document, find_run, is_listed, relist_run, unlist_run
from .run_fields import remove_fields
from .saved_views import find_saved_view, find_view_of_run, remove_view, restore_view

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import fiftyone as fo
    from bson import ObjectId

    from .changes import Change, Note

HALF_DONE = (
    "what is half-done, if anything, is undone or finished by the next call"  # after an error
)


def _drop_stored(facts: Note) -> None:
    """What a run that is not listed has stored outside of the dataset."""
    if "run" in facts:
        delete_document(facts["run"])
        drop_backup(str(facts["run"]))


def _undo_view(dataset: fo.Dataset, name: str, stages: list[str], before: Any) -> None:
    if before is not None:
        restore_view(dataset, before)
        return
    document = find_saved_view(dataset, name)
    is_new = document is not None and (document.name, document.view_stages) == (name, stages)
    remove_view(dataset, name, stages, document if is_new else None)


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


def finish_writing(facts: Note) -> None:
    """Deletes what a run that is listed now has replaced, and what was set aside."""
    if facts["earlier"] is not None:
        delete_document(facts["earlier"])
    drop_backup(str(facts["run"]))


def finish_deleting(dataset: fo.Dataset, run_id: ObjectId) -> list[str]:
    """Unlists a run, and deletes all that is its own; gives the paths of the fields that went."""
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


def _mend(dataset: fo.Dataset, facts: Note) -> str:
    """Undoes or finishes what the facts tell; can be called again after a kill in it."""
    if not facts:
        return ""
    key, kind = facts["key"], facts["kind"]
    if kind == "delete":
        finish_deleting(dataset, facts["run"])
        return f"the deletion of run {key!r} had been interrupted; it is finished now"
    if is_listed(dataset, facts["run"]):
        finish_writing(facts)
        return f"the writing of run {key!r} had been interrupted at its end; it is finished now"
    _undo_writing(dataset, facts)
    return (
        f"the writing of run {key!r} had been interrupted; what it had written is undone, and the "
        "dataset is as it was before"
    )


def writing_to(dataset: fo.Dataset) -> AbstractContextManager[Change]:
    """The right to write to a dataset, once others are done and what they left is mended."""
    for facts in notes_of_deleted_datasets():
        _drop_stored(facts)
    return changing(dataset, partial(_mend, dataset))


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


def mend_runs(dataset: fo.Dataset) -> str:
    """Undoes or finishes what a killed process left half-done, and says so; empty for nothing."""
    if unfinished_work(dataset) is None:
        return ""
    with writing_to(dataset) as change:
        return change.mended
