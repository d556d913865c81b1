"""How a run goes: it is noted, the run is unlisted, then all that is its own goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .database import database_errors
from .fields import delete_fields, is_marked
from .mending import HALF_DONE, finish_deleting, writing_to
from .run_documents import own_documents
from .run_fields import list_leftover_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo


def clean_up(dataset: fo.Dataset) -> list[str]:
    """Deletes the fields of ours that no run lists; gives their paths."""
    with writing_to(dataset):
        return delete_fields(dataset, list_leftover_fields(dataset))


def _check_deletable(dataset: fo.Dataset, paths: Sequence[str]) -> None:
    fields = {path: dataset.get_field(path) for path in paths if is_marked(dataset, path)}
    locked = [path for path, field in fields.items() if field.read_only]
    if locked:
        raise ValueError(
            f"field {locked[0]!r} is read-only, so that it can't be deleted; set its read_only to "
            "False and save it first"
        )


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
        return finish_deleting(dataset, documents[key].id)
