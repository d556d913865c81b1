"""The group of our fields in the App's sidebar, among the groups of the user's own."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import fiftyone as fo
import fiftyone.core.odm as foo

from .fiftyone_internals import dataset_id

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_NAME = "pruning"
_NAMES = re.compile(r"pruning( \(tfdp( \d+)?\))?")  # others where the user has one of that name


def _stored_groups(dataset: fo.Dataset) -> list[fo.SidebarGroupDocument] | None:
    """The groups as the database has them: the App may have changed them since they were read."""
    wanted = {"_id": dataset_id(dataset)}
    stored = foo.get_db_conn().datasets.find_one(wanted, {"app_config.sidebar_groups": 1})
    groups = (stored.get("app_config") or {}).get("sidebar_groups")
    return None if groups is None else [fo.SidebarGroupDocument.from_dict(g) for g in groups]


def _is_ours(group: fo.SidebarGroupDocument, own: Sequence[str]) -> bool:
    """Whether it bears a name that we give, and holds one of our fields."""
    named = _NAMES.fullmatch(group.name) is not None
    return named and not set(own).isdisjoint(group.paths)


def _find_name(groups: Sequence[fo.SidebarGroupDocument]) -> str:
    """The first name for our group that no other has."""
    taken = {group.name for group in groups}
    more = (f"{_FIRST_NAME} (tfdp {number})" for number in itertools.count(2))
    names = itertools.chain([_FIRST_NAME, f"{_FIRST_NAME} (tfdp)"], more)
    return next(name for name in names if name not in taken)


def show_fields(dataset: fo.Dataset, paths: Sequence[str], own: Sequence[str]) -> None:
    """Puts fields of samples into our group of the sidebar, which is made where there is none.

    Args:
        dataset: where the fields are.
        paths: of the fields to show.
        own: of all fields of ours; a group is ours where it holds one of them.
    """
    groups = _stored_groups(dataset)
    if groups is None:
        groups = fo.DatasetAppConfig.default_sidebar_groups(dataset)
    ours = next((g for g in groups if _is_ours(g, own)), None)
    if ours is None:
        ours = fo.SidebarGroupDocument(name=_find_name(groups), expanded=True)
        # after tags and metadata, since what was asked for last is looked at first
        groups.insert(min(2, len(groups)), ours)
    for group in groups:
        group.paths = [path for path in group.paths if path not in paths or group is ours]
    ours.paths += [path for path in paths if path not in ours.paths]
    dataset.app_config.sidebar_groups = groups
    dataset.save()


def hide_fields(dataset: fo.Dataset, paths: Sequence[str]) -> None:
    """Takes fields that will be deleted out of the sidebar, and our group with the last of them."""
    groups = _stored_groups(dataset)
    if groups is None:
        return
    left = []
    for group in groups:
        is_ours = _is_ours(group, paths)
        group.paths = [path for path in group.paths if path not in paths]
        if group.paths or not is_ours:
            left.append(group)
    dataset.app_config.sidebar_groups = left
    dataset.save()


def tidy_sidebar(dataset: fo.Dataset) -> None:
    """Where only FiftyOne's own groups are left, leaves their arrangement to FiftyOne again."""
    if _stored_groups(dataset) == fo.DatasetAppConfig.default_sidebar_groups(dataset):
        dataset.app_config.sidebar_groups = None
        dataset.save()
