"""The group of our fields in the App's sidebar, among the groups of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo
import fiftyone.core.odm as foo

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUP_NAMES = ("pruning", "pruning (tfdp)")  # the second where the user has one of the first name


def _stored_groups(dataset: fo.Dataset) -> list[fo.SidebarGroupDocument] | None:
    """The groups as the database has them: the App may have changed them since they were read."""
    wanted = {"_id": dataset._doc.id}  # noqa: SLF001
    stored = foo.get_db_conn().datasets.find_one(wanted, {"app_config.sidebar_groups": 1})
    groups = (stored.get("app_config") or {}).get("sidebar_groups")
    return None if groups is None else [fo.SidebarGroupDocument.from_dict(g) for g in groups]


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
    named = {group.name: group for group in groups if group.name in GROUP_NAMES}
    ours = next((g for g in named.values() if set(own).intersection(g.paths)), None)
    if ours is None:
        name = next((name for name in GROUP_NAMES if name not in named), GROUP_NAMES[-1])
        ours = named.get(name) or fo.SidebarGroupDocument(name=name, expanded=True)
        if name not in named:
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
        is_ours = group.name in GROUP_NAMES and not set(paths).isdisjoint(group.paths)
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
