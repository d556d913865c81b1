"""Fields of our own on a FiftyOne dataset: declared, described, indexed, grouped, and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import fiftyone as fo
from pymongo import IndexModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARK = "tfdp"  # key in a field's ``info`` of the fields that we made
SIDEBAR_GROUP = "pruning"


class OwnField(NamedTuple):
    """A field that we write.

    Attributes:
        path: ``cb_scs`` on samples, ``ground_truth.detections.cb_scs`` on labels.
        type: fo.FloatField or fo.BooleanField.
        description: what it says, for the sidebar.
        score: name of the score in `tfdp.fields.SCORE_FIELDS`; empty for what is no score.
    """

    path: str
    type: type[fo.Field]
    description: str
    score: str = ""


def is_own(dataset: fo.Dataset, path: str) -> bool:
    """Whether the field at ``path`` exists and was made by us."""
    field = dataset.get_field(path)
    return field is not None and MARK in (field.info or {})


def is_free(dataset: fo.Dataset, path: str) -> bool:
    """Whether we may write the field at ``path``: there is none, or it is ours."""
    return dataset.get_field(path) is None or is_own(dataset, path)


def score_of(dataset: fo.Dataset, path: str) -> str:
    """The score that a field of ours holds, whatever prefix it has; ``path`` itself for others."""
    field = dataset.get_field(path)
    info = {} if field is None else (field.info or {})
    return info.get(MARK, {}).get("score") or path


def declare_fields(dataset: fo.Dataset, fields: Sequence[OwnField]) -> None:
    """Adds the fields to the schema, with what they say and a mark that they are ours.

    Raises:
        ValueError: a field of that name exists, and is not ours.
    """
    taken = [field.path for field in fields if not is_free(dataset, field.path)]
    if taken:
        raise ValueError(
            f"the dataset has a field {taken[0]!r} that is not of tfdp's making; it is left as it "
            "is: give another name or prefix"
        )
    schema = {
        field.path: field.type(description=field.description, info={MARK: {"score": field.score}})
        for field in fields
    }
    # add_sample_field for all of them at once: one write and one reload instead of one for each
    dataset._merge_sample_field_schema(schema)  # noqa: SLF001


def show_fields(dataset: fo.Dataset, fields: Sequence[OwnField]) -> None:
    """Indexes the fields, and puts those of samples in one group of the App's sidebar."""
    known = dataset.get_index_information()
    missing = [IndexModel([(field.path, 1)]) for field in fields if field.path not in known]
    if missing:  # all in one scan of the samples, where create_index takes one for each
        dataset._sample_collection.create_indexes(missing)  # noqa: SLF001
    paths = [field.path for field in fields if "." not in field.path]
    groups = dataset.app_config.sidebar_groups
    if groups is None:
        groups = fo.DatasetAppConfig.default_sidebar_groups(dataset)
    ours = next((group for group in groups if group.name == SIDEBAR_GROUP), None)
    if ours is None:
        ours = fo.SidebarGroupDocument(name=SIDEBAR_GROUP, expanded=True)
        # after tags and metadata, since what was asked for last is looked at first
        groups.insert(min(2, len(groups)), ours)
    for group in groups:
        group.paths = [path for path in group.paths if path not in paths or group is ours]
    ours.paths += [path for path in paths if path not in ours.paths]
    dataset.app_config.sidebar_groups = groups
    dataset.save()


def delete_fields(dataset: fo.Dataset, paths: Iterable[str]) -> list[str]:
    """Deletes those of the fields that are there and ours, with indexes and sidebar entries.

    Returns:
        The paths of the fields that went.
    """
    paths = [path for path in paths if is_own(dataset, path)]
    indexes = dataset.get_index_information()
    for path in paths:
        if path in indexes:
            dataset.drop_index(path)
    if paths:
        dataset.delete_sample_fields(paths)
    groups = dataset.app_config.sidebar_groups
    if groups is not None:
        for group in groups:
            group.paths = [path for path in group.paths if path not in paths]
        dataset.app_config.sidebar_groups = [
            group for group in groups if group.paths or group.name != SIDEBAR_GROUP
        ]
        dataset.save()
    return paths
