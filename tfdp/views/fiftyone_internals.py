"""What FiftyOne's public API does not do: the one module that uses its private names.

Each function says what the public API lacks. Where an upgrade of FiftyOne breaks something, it is
mended here. Ruff (SLF001) keeps private names out of all other modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import fiftyone as fo
import fiftyone.core.collections as foc

from ..values import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
    from datetime import datetime

    import fiftyone.core.odm as foo
    from bson import ObjectId
    from fiftyone.core.collections import SampleCollection
    from pymongo.collection import Collection


def root_dataset(samples: SampleCollection) -> fo.Dataset:
    """The dataset that a view is of; a public name for it there is none.

    Raises:
        ValueError: it is no view, nor a dataset.
    """
    if not isinstance(samples, foc.SampleCollection):
        raise ValueError(  # noqa: TRY004
            f"expected a FiftyOne dataset or view, but got {shown(samples)}"
        )
    return samples._root_dataset


def dataset_id(dataset: fo.Dataset) -> ObjectId:
    """The id of the dataset's document. It stays when the dataset gets another name."""
    return dataset._doc.id


def sample_collection(dataset: fo.Dataset) -> Collection[dict[str, Any]]:
    """MongoDB's collection of the samples.

    FiftyOne reads and writes values of samples as objects, or columns of the whole view at once;
    and it knows no update under a condition.
    """
    return dataset._sample_collection


def aggregate(
    samples: SampleCollection, pipeline: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The raw documents of a view, after a pipeline of MongoDB's, as they come.

    The public calls build sample objects, or hold all values at once.
    """
    return iter(samples._aggregate(pipeline=pipeline))


def last_change(dataset: fo.Dataset) -> datetime | None:
    """When a sample changed last. ``Dataset.max`` looks at all of them; this uses the index."""
    return dataset._max("last_modified_at")


def reload_samples(dataset: fo.Dataset, sample_ids: Iterable[str]) -> None:
    """Has the sample objects that anyone holds read their values again; there are calls for one."""
    fo.Sample._reload_docs(dataset._sample_collection_name, sample_ids=sample_ids)


def shows_other_than_samples(samples: SampleCollection) -> bool:
    """Whether a view shows patches, clips or frames, which have the same public face as samples."""
    return samples._is_generated or samples._is_patches


def read_stages(view: fo.DatasetView) -> list[dict[str, Any]]:
    """The stages of a view as they are stored; only views that are saved have a call for that."""
    return view._serialize(include_uuids=False)


def build_view(dataset: fo.Dataset, stages: Sequence[Mapping[str, Any]]) -> fo.DatasetView:
    """The view of these stages, likewise."""
    return fo.DatasetView._build(dataset, stages)


def set_view_name(view: fo.DatasetView, name: str) -> None:
    """Has a view know the name that it is saved under, which ``save_view`` alone does."""
    view._set_name(name)


def reload_list(dataset: fo.Dataset, name: Literal["brain_methods", "saved_views"]) -> None:
    """Reads a list of the dataset's again; ``Dataset.reload`` reads all, and all samples in use."""
    dataset._doc.reload(name)


def listed_views(dataset: fo.Dataset) -> list[foo.SavedViewDocument]:
    """The documents of the saved views; the calls give names, or what an App shows of them."""
    return dataset._doc.get_saved_views()


def listed_runs(dataset: fo.Dataset) -> MutableMapping[str, foo.RunDocument | ObjectId]:
    """Brain key -> document, to be changed in place and saved with the dataset.

    A run whose document is gone is an id. The calls give keys and configs, and write a run in
    steps that a kill leaves half-done.
    """
    return dataset._doc.brain_methods


def loaded_results(dataset: fo.Dataset) -> MutableMapping[str, Any]:
    """Brain key -> the results of runs that are held in memory; they cannot be let go singly."""
    return dataset._brain_cache


def merge_schema(dataset: fo.Dataset, schema: Mapping[str, fo.Field]) -> None:
    """``add_sample_field`` for many fields: one write and one reload instead of one for each."""
    dataset._merge_sample_field_schema(schema)


def stored_field(dataset: fo.Dataset, path: str) -> Any:
    """A field as the dataset's document has it; ``field.save()`` is a write and a reload each."""
    return dataset._sample_doc_cls._get_field_doc(path)
