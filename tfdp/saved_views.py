"""The saved views of runs: ours as long as they show what we saved, under the name we gave."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone.core.odm as foo
import fiftyone.core.utils as fou

from .run_documents import serialize_stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo

State = dict[str, Any]  # "stages" and "description" of a saved view


class SavedView(NamedTuple):
    """A view to save.

    Attributes:
        name: of it; its *slug*, by which FiftyOne tells views apart, comes from it.
        view: what it shows.
        description: for the App.
    """

    name: str
    view: fo.DatasetView
    description: str

    @property
    def stages(self) -> list[str]:
        return serialize_stages(self.view)


def find_saved_view(dataset: fo.Dataset, name: str) -> Any | None:
    """The document of the saved view that FiftyOne would take for one of that name."""
    dataset._doc.reload("saved_views")  # noqa: SLF001
    slug = fou.to_slug(name)
    documents = dataset._doc.get_saved_views()  # noqa: SLF001
    return next((d for d in documents if d.name == name or d.slug == slug), None)


def find_own_view(dataset: fo.Dataset, name: str, stages: Sequence[str]) -> Any | None:
    """The saved view of that name, if it is the one that was saved with these stages."""
    document = find_saved_view(dataset, name)
    is_own = document is not None and (document.name, document.view_stages) == (name, [*stages])
    return document if is_own else None


def read_state(document: Any | None) -> State | None:
    """What can be put back by ``restore_view``; None where there is no view."""
    if document is None:
        return None
    return {"stages": [*document.view_stages], "description": document.description}


def put_view(dataset: fo.Dataset, saved: SavedView, own_stages: Sequence[str] = ()) -> None:
    """Saves a view, in the place of our earlier one that had ``own_stages``."""
    document = find_own_view(dataset, saved.name, own_stages)
    if document is None:
        dataset.save_view(saved.name, saved.view, description=saved.description)
    else:
        _write_state(document, {"stages": saved.stages, "description": saved.description})


def restore_view(
    dataset: fo.Dataset, name: str, stages: Sequence[str], before: State | None
) -> None:
    """Undoes ``put_view``; a view that is not as it was put is left alone."""
    document = find_own_view(dataset, name, stages)
    if document is not None and before is not None:
        _write_state(document, before)
    else:
        remove_view(dataset, name, stages)


def remove_view(dataset: fo.Dataset, name: str, stages: Sequence[str]) -> None:
    """Deletes our saved view: first from the list, which FiftyOne can't read with a gap in it."""
    document = find_own_view(dataset, name, stages)
    datasets, dataset_id = foo.get_db_conn().datasets, dataset._doc.id  # noqa: SLF001
    if document is not None:
        datasets.update_one({"_id": dataset_id}, {"$pull": {"saved_views": document.id}})
        dataset._doc.reload("saved_views")  # noqa: SLF001
    listed = datasets.find_one({"_id": dataset_id}, {"saved_views": 1})["saved_views"]
    # also that of a process that was killed between the two
    foo.SavedViewDocument.objects(dataset_id=dataset_id, name=name, id__nin=listed).delete()


def _write_state(document: Any, state: State) -> None:
    document.view_stages = state["stages"]
    document.description = state["description"]
    document.last_modified_at = datetime.now(timezone.utc).replace(tzinfo=None)
    document.save()
