"""What a pruning will keep of a FiftyOne view, and under which names, before it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..options import option
from ..selection.select import SelectionOptions
from ..selection.selection import Selection, select_images
from .candidates import score_candidates
from .field_names import check_key
from .fields import find_taken
from .fiftyone_internals import root_dataset
from .labels import list_label_fields
from .run_fields import keys_of_field, own_configs
from .saved_views import find_saved_view, find_view_of_run

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from .contents import ViewContents


@dataclass(frozen=True)
class PruningParameters(SelectionOptions):
    """What is asked of ``prune_view``: a selection, by fields and tags; a run's config keeps it."""

    scorer: str = option(
        "cb_scs", "Scorer", "a numeric field of samples, or a plain scorer to compare it with"
    )
    higher_first: bool | None = option(
        None,
        "Highest first",
        "whether the highest values are kept first; by default as `tfdp.scores.table` says, true "
        "of a field that tfdp does not know",
    )
    label_field: str | None = option(
        None,
        "Label field",
        "whose instances and classes are counted; by default those that the scorer was computed on",
    )
    pinned_tags: tuple[str, ...] = option(
        (), "Always keep", "samples with one of these tags are kept in any case"
    )
    excluded_tags: tuple[str, ...] = option(
        (), "Always remove", "samples with one of these tags are removed in any case"
    )

    def resolve_tags(self, held: ViewContents) -> PruningParameters:
        """The same with the ids of the tagged samples among the pinned and the excluded ones."""
        return replace(
            self,
            pinned=(*self.pinned, *held.tagged(self.pinned_tags)),
            excluded=(*self.excluded, *held.tagged(self.excluded_tags)),
        )


def find_scored_labels(view: SampleCollection, scorer: str) -> str | None:
    """The label field that a score was computed on; or else the first that there is."""
    dataset = root_dataset(view)
    for config in own_configs(dataset).values():
        if scorer in config.fields and hasattr(config, "label_field"):
            return config.label_field
    names = [field.name for field in list_label_fields(view)]
    return names[0] if names else None


def check_names(dataset: fo.Dataset, brain_key: str, *, overwrite: bool) -> None:
    """Raises ValueError where a run, field or saved view of the name exists and may not go."""
    check_key(brain_key)
    config = own_configs(dataset).get(brain_key)
    if brain_key in dataset.list_brain_runs():
        if not hasattr(config, "keep_field"):
            raise ValueError(f"brain run {brain_key!r} is no pruned view; give another name")
        if not overwrite:
            raise ValueError(
                f"there is a pruned view {brain_key!r} already; give another name, or overwrite it"
            )
    path = keep_field_of(brain_key)
    others = [key for key in keys_of_field(dataset, path) if key != brain_key]
    if others:
        raise ValueError(f"field {path!r} belongs to run {others[0]!r}; give another name")
    if find_taken(dataset, [path]):
        raise ValueError(f"the dataset has a field {path!r} of another origin; give another name")
    found = find_saved_view(dataset, brain_key)
    if found is not None and find_view_of_run(dataset, vars(config) if config else {}) is None:
        raise ValueError(
            f"the dataset has a saved view {found.name!r} of another origin; give another name"
        )


def is_name_free(dataset: fo.Dataset, brain_key: str) -> bool:
    """Whether a new pruned view can bear the name."""
    try:
        check_names(dataset, brain_key, overwrite=False)
    except ValueError:
        return False
    return True


def keep_field_of(brain_key: str) -> str:
    """The boolean field of a pruned view: True on the samples that are in it."""
    return f"in_{brain_key}"


def select_in_view(
    view: SampleCollection, held: ViewContents, parameters: PruningParameters
) -> Selection:
    """What ``prune_view`` would keep of a view; nothing is written.

    Raises:
        ValueError: what was asked cannot be met; the message says what could be.
    """
    candidates = score_candidates(
        view,
        held,
        parameters.scorer,
        scorer_higher_first=parameters.higher_first,
        seed=parameters.seed,
        aggregation=parameters.aggregation,
    )
    return select_images(candidates, parameters.resolve_tags(held))
