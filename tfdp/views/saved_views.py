"""The saved views of runs: whose a view is, and how it is put, taken away and put back."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone.core.odm as foo
import fiftyone.core.utils as fou

from .fiftyone_internals import dataset_id, listed_views, reload_list, set_view_name
from .run_documents import serialize_stages
from .times import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    import fiftyone as fo

State = dict[str, Any]  # what a saved view is, and its place in the dataset's list


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


def find_saved_view(dataset: fo.Dataset, name: str) -> Any | None:
    """The document of the saved view that FiftyOne would take for one of that name."""
    reload_list(dataset, "saved_views")
    slug = fou.to_slug(name)
    return next((d for d in listed_views(dataset) if d.name == name or d.slug == slug), None)


def find_view_of_run(dataset: fo.Dataset, config: Mapping[str, Any]) -> Any | None:
    """The saved view of a run, unless the user has renamed it, or put another in its place.

    Args:
        dataset: where it is.
        config: of the run.
    """
    if "saved_view" not in config:
        return None
    document = find_saved_view(dataset, config["saved_view"])
    if document is None or document.name != config["saved_view"]:
        return None
    # FiftyOne's clone of a dataset makes all anew, at one time
    made = {stamp(document.created_at), stamp(dataset.created_at)}
    same = document.view_stages == [*config["saved_stages"]]
    is_cloned = len(made) == 1
    return document if same and (is_cloned or config["saved_at"] in made) else None


def read_state(dataset: fo.Dataset, document: Any) -> State:
    """What ``restore_view`` needs to put a view back."""
    listed = [view.id for view in listed_views(dataset)]
    return {
        "id": document.id,
        "stages": [*document.view_stages],
        "description": document.description,
        "position": listed.index(document.id),
    }


def unlist_view(dataset: fo.Dataset, view_id: Any) -> None:
    """Takes a saved view off the dataset's list; its document stays."""
    wanted = {"_id": dataset_id(dataset)}
    foo.get_db_conn().datasets.update_one(wanted, {"$pull": {"saved_views": view_id}})
    reload_list(dataset, "saved_views")


def put_view(dataset: fo.Dataset, saved: SavedView, before: State | None) -> str:
    """Saves a view, in the place of our earlier one; gives the stamp that it is known by."""
    if before is None:
        dataset.save_view(saved.name, saved.view, description=saved.description)
    else:
        stages = serialize_stages(saved.view)
        restore_view(dataset, {**before, "stages": stages, "description": saved.description})
    set_view_name(saved.view, saved.name)
    document = find_saved_view(dataset, saved.name)
    assert document is not None
    return stamp(document.created_at)


def restore_view(dataset: fo.Dataset, state: State) -> None:
    """Makes a saved view what it was, and lists it where it was."""
    document = foo.SavedViewDocument.objects(id=state["id"]).first()
    if document is None:  # the user has deleted it meanwhile
        return
    document.view_stages = state["stages"]
    document.description = state["description"]
    document.last_modified_at = datetime.now(timezone.utc).replace(tzinfo=None)
    document.save()
    unlisted = {"_id": dataset_id(dataset), "saved_views": {"$ne": document.id}}
    place = {"$each": [document.id], "$position": state["position"]}
    foo.get_db_conn().datasets.update_one(unlisted, {"$push": {"saved_views": place}})
    reload_list(dataset, "saved_views")


def remove_view(dataset: fo.Dataset, name: str, stages: list[str], document: Any | None) -> None:
    """Deletes a saved view: first from the list, which FiftyOne can't read with a gap in it.

    Args:
        dataset: where it is.
        name: of the view.
        stages: of the view.
        document: of the view, if it is listed. One of that name and these stages that is not listed
            was left by a process that was killed, and goes, too.
    """
    if document is not None:
        unlist_view(dataset, document.id)
    listed = foo.get_db_conn().datasets.find_one({"_id": dataset_id(dataset)}, {"saved_views": 1})
    foo.SavedViewDocument.objects(
        dataset_id=listed["_id"], name=name, view_stages=stages, id__nin=listed["saved_views"]
    ).delete()
