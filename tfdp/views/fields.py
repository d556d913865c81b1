"""Fields of our own on a FiftyOne dataset: declared, described, indexed, grouped, and removed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo
import fiftyone.core.odm as foo
from pymongo import IndexModel

from .fiftyone_internals import dataset_id, merge_schema, sample_collection, stored_field
from .run_documents import own_documents
from .sidebar import hide_fields, tidy_sidebar
from .times import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARK = "tfdp"  # key in a field's ``info`` of the fields that we made
MAX_INDEXES = 64  # of a collection; MongoDB's own limit
_MAX_TRIES = 5

logger = logging.getLogger(__name__)


class OwnField(NamedTuple):
    """A field that we write.

    Attributes:
        path: ``cb_scs`` on samples, ``ground_truth.detections.cb_scs`` on labels.
        type: fo.FloatField or fo.BooleanField.
        description: what it says, for the sidebar.
        score: name of the score in `tfdp.scores.table.SCORERS`; empty for what is no score.
    """

    path: str
    type: type[fo.Field]
    description: str
    score: str = ""


def _read_mark(dataset: fo.Dataset, path: str) -> dict[str, str]:
    """What we have noted in a field's ``info``; empty for fields that are not marked."""
    field = dataset.get_field(path)
    mark = None if field is None else (field.info or {}).get(MARK)
    return mark if isinstance(mark, dict) else {}


def is_marked(dataset: fo.Dataset, path: str) -> bool:
    """Whether the field at ``path`` was made by us, there; or is that of a cloned dataset."""
    mark = _read_mark(dataset, path)
    if mark.get("path") != path:
        return False
    made = stamp(dataset.get_field(path).created_at)
    # FiftyOne's clone of a dataset makes all anew, at one time
    return mark.get("made_at", made) == made or made == stamp(dataset.created_at)


def is_own(dataset: fo.Dataset, path: str) -> bool:
    """Whether the field at ``path`` exists and was made by us, there and then; a copy was not.

    A copy has our mark, but another path, or was made at another time. The fields of a cloned
    dataset are ours where it has the runs that list them, too.
    """
    if not is_marked(dataset, path):
        return False
    made = stamp(dataset.get_field(path).created_at)
    return _read_mark(dataset, path).get("made_at", made) == made or any(
        path in document.config["fields"] for document in own_documents(dataset).values()
    )


def find_taken(dataset: fo.Dataset, paths: Sequence[str]) -> list[str]:
    """Those of the paths that we may not write: a field of somebody else's is there, or a value.

    Labels can have attributes that the schema does not list.
    """
    exist = {path: {path: {"$exists": True}} for path in paths if dataset.get_field(path) is None}
    taken = {path for path in paths if path not in exist and not is_own(dataset, path)}
    samples = sample_collection(dataset)
    if exist and samples.find_one({"$or": [*exist.values()]}, {"_id": 1}) is not None:
        taken |= {path for path, wanted in exist.items() if samples.find_one(wanted, {"_id": 1})}
    return [path for path in paths if path in taken]


def score_of(dataset: fo.Dataset, path: str) -> str:
    """The score that a field of ours holds, whatever prefix it has; ``path`` itself for others."""
    return _read_mark(dataset, path).get("score") or path


def declare_fields(dataset: fo.Dataset, fields: Sequence[OwnField]) -> None:
    """Adds the fields to the schema, with what they say and a mark that they are ours."""
    schema = {
        field.path: field.type(
            description=field.description,
            info={MARK: {"score": field.score, "path": field.path}},
        )
        for field in fields
    }
    merge_schema(dataset, schema)
    for path in schema:  # FiftyOne sets the time; a field that was there keeps its own
        field = dataset.get_field(path)
        if "made_at" not in field.info[MARK]:
            field.info = {MARK: {**field.info[MARK], "made_at": stamp(field.created_at)}}
            stored_field(dataset, path).info = field.info
    dataset.save()


def _read_stored_fields(dataset: fo.Dataset) -> list[dict[str, Any]]:
    """The schema that the database has, whatever this process knows."""
    wanted = {"_id": dataset_id(dataset)}
    return foo.get_db_conn().datasets.find_one(wanted, {"sample_fields": 1})["sample_fields"]


def _is_among(fields: Iterable[dict[str, Any]], path: str) -> bool:
    for name in path.split("."):
        found = next((field for field in fields if field["name"] == name), None)
        if found is None:
            return False
        fields = found.get("fields") or ()
    return True


def keep_declared(dataset: fo.Dataset, fields: Sequence[OwnField]) -> None:
    """Declares the fields again where another process has saved an older schema over theirs.

    Raises:
        ValueError: it keeps doing so.
    """
    for _ in range(_MAX_TRIES):
        stored = _read_stored_fields(dataset)
        missing = [field.path for field in fields if not _is_among(stored, field.path)]
        if not missing:
            return
        dataset.reload()
        declare_fields(dataset, fields)
    raise ValueError(
        f"another process keeps taking the field {missing[0]!r} out of the dataset's schema; end "
        "it, or have it reload the dataset, and run this again"
    )


def index_fields(dataset: fo.Dataset, fields: Sequence[OwnField]) -> None:
    """Indexes the scores, which are sorted and filtered by, as far as MongoDB has room for more."""
    known = dataset.get_index_information()
    missing = [field.path for field in fields if field.score and field.path not in known]
    room = MAX_INDEXES - len(known)
    if len(missing) > room:
        logger.warning(
            "MongoDB allows %d indexes on a dataset, and %r has %d: %s can be sorted and filtered "
            "by, but not as fast; drop_index() of one that is not needed makes room",
            MAX_INDEXES,
            dataset.name,
            len(known),
            ", ".join(missing[max(room, 0) :]),
        )
    models = [IndexModel([(path, 1)]) for path in missing[: max(room, 0)]]
    if models:  # all in one scan of the samples, where create_index takes one for each
        sample_collection(dataset).create_indexes(models)


def delete_fields(dataset: fo.Dataset, paths: Iterable[str]) -> list[str]:
    """Deletes those of the fields that are there and ours, with indexes and sidebar entries.

    Returns:
        The paths of the fields that went.
    """
    paths = [path for path in paths if is_marked(dataset, path)]
    indexes = dataset.get_index_information()
    for path in paths:
        if path in indexes:
            dataset.drop_index(path)
    if paths:
        hide_fields(dataset, paths)
        dataset.delete_sample_fields(paths)
    tidy_sidebar(dataset)
    return paths


def erase_values(dataset: fo.Dataset, path: str) -> None:
    """Takes the values at a path of ours that is not declared (any more) out of all samples."""
    root, _, leaf = path.rpartition(".")
    is_list = root.endswith((".detections", ".polylines"))
    wanted = {path: {"$exists": True}} | ({root: {"$type": "array"}} if is_list else {})
    place = f"{root}.$[].{leaf}" if is_list else path
    sample_collection(dataset).update_many(wanted, {"$unset": {place: ""}})
