"""Runs as FiftyOne stores them: a document with the config, the view and the results, and a list.

A dataset lists its brain runs by key. A run is listed by one update, and unlisted by one, so that
what is listed is always whole: its document is stored before, and deleted after.
"""

from __future__ import annotations

import itertools
import logging
from copy import deepcopy
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.constants as foc
import fiftyone.core.odm as foo
import gridfs
from bson import ObjectId, json_util

from .fiftyone_internals import (
    build_view,
    dataset_id,
    listed_runs,
    loaded_results,
    read_stages,
    reload_list,
    root_dataset,
)

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

    from .run_bases import FieldsRunConfig, RecordResults

logger = logging.getLogger(__name__)


def run_documents(dataset: fo.Dataset) -> dict[str, foo.RunDocument]:
    """Brain key -> document, of all runs of anyone; those whose document is gone are left out."""
    listed = listed_runs(dataset)
    gone = sorted(k for k, document in listed.items() if not isinstance(document, foo.RunDocument))
    if gone:
        _say_gone(dataset.name, ", ".join(gone))
    return {key: document for key, document in listed.items() if key not in gone}


def own_documents(dataset: fo.Dataset) -> dict[str, foo.RunDocument]:
    """Brain key -> document of every run of ours."""
    documents = sorted(run_documents(dataset).items())
    return {key: document for key, document in documents if "tfdp_version" in document.config}


@lru_cache
def _say_gone(name: str, keys: str) -> None:
    """Says it once: the runs of a dataset are looked up again and again."""
    logger.warning(
        "dataset %r lists brain runs without a record (%s); they are passed over. "
        "fiftyone.core.odm.patch_brain_runs(%r) takes them off the list",
        name,
        keys,
        name,
    )


def view_of_run(dataset: fo.Dataset, document: foo.RunDocument) -> SampleCollection:
    """What a run was computed on."""
    if document.view_stages is None:
        return dataset
    stages = [json_util.loads(stage) for stage in document.view_stages]
    return build_view(dataset, stages)


def serialize_stages(view: fo.DatasetView) -> list[str]:
    """The stages of a view, as FiftyOne stores them."""
    return [json_util.dumps(stage) for stage in read_stages(view)]


def store_run(
    samples: SampleCollection, key: str, run_id: ObjectId, results: RecordResults
) -> foo.RunDocument:
    """Stores a run with its results under ids that are known before; it is not listed yet."""
    config: FieldsRunConfig = results.config
    is_view = isinstance(samples, fo.DatasetView)
    document = foo.RunDocument(
        id=run_id,
        dataset_id=dataset_id(root_dataset(samples)),
        key=key,
        version=foc.VERSION,
        timestamp=datetime.now(timezone.utc).replace(tzinfo=None),
        config=deepcopy(config.serialize()),
        view_stages=serialize_stages(samples) if is_view else None,
    )
    content = json_util.dumps(results.serialize()).encode()
    document.results.put(content, content_type="application/json", _id=run_id)
    document.results_meta = {}
    document.save(upsert=True)
    return document


def find_run(run_id: ObjectId) -> foo.RunDocument | None:
    """A stored run, listed or not."""
    return foo.RunDocument.objects(id=run_id).first()


def list_run(dataset: fo.Dataset, document: foo.RunDocument, results: Any = None) -> None:
    """Puts a stored run on the dataset's list.

    Raises:
        ValueError: another run has come under its key.
    """
    reload_list(dataset, "brain_methods")
    other = run_documents(dataset).get(document.key)
    if other is not None and other.id != document.id:
        raise ValueError(
            f"another run has come under the key {document.key!r} meanwhile; give another name"
        )
    listed_runs(dataset)[document.key] = document
    dataset.save()
    loaded_results(dataset).pop(document.key, None)
    if results is not None:
        loaded_results(dataset)[document.key] = results


def relist_run(dataset: fo.Dataset, document: foo.RunDocument) -> None:
    """Puts a run back on the list; under another key where another run has come under its own."""
    taken, key = run_documents(dataset), document.key
    names = (f"{key}_{number}" if number > 1 else key for number in itertools.count(1))
    document.key = next(name for name in names if name not in taken)
    document.save()
    list_run(dataset, document)


def unlist_run(dataset: fo.Dataset, run_id: ObjectId) -> None:
    """Takes a run off the dataset's list, whatever its key is by now; its document stays."""
    reload_list(dataset, "brain_methods")
    for key, document in run_documents(dataset).items():
        if document.id == run_id:
            del listed_runs(dataset)[key]
            loaded_results(dataset).pop(key, None)
    dataset.save()


def is_listed(dataset: fo.Dataset, run_id: ObjectId) -> bool:
    """Whether the dataset lists the run, as the database has it now."""
    reload_list(dataset, "brain_methods")
    return any(document.id == run_id for document in run_documents(dataset).values())


def delete_document(run_id: ObjectId) -> None:
    """Deletes a run that is not listed, with its results, also where it was stored in part."""
    document = find_run(run_id)
    if document is not None:
        if document.results:
            document.results.delete()
        document.delete()
    gridfs.GridFS(foo.get_db_conn()).delete(run_id)
