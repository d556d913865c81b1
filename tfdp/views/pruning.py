"""A FiftyOne view -> a boolean field, a saved view of the kept samples, and a run record."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ..selection.criteria import Criteria, Policy, Unannotated
from ..selection.selection import Selection, select_images
from ..values import check_flag, check_texts
from .candidates import score_candidates
from .changes import tell_both
from .contents import read_contents
from .database import database_errors
from .field_names import check_key
from .fields import OwnField, is_free
from .fiftyone_internals import root_dataset
from .labels import list_label_fields
from .run_documents import serialize_stages
from .run_fields import clear_values, keys_of_field, own_configs
from .run_writing import HALF_DONE, RunContent, write_run, writing_to
from .runs import PruningConfig, PruningResults, report_selection
from .saved_views import SavedView, find_saved_view, find_view_of_run
from .writing import write_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fiftyone.core.collections import SampleCollection

    from .contents import ViewContents
    from .scoring import Progress


@dataclass(frozen=True)
class PruningParameters:
    """What is asked of ``prune_view``, which documents every one."""

    pruning_rate: float | None = None
    keep: int | None = None
    threshold: float | None = None
    scorer: str = "cb_scs"
    higher_first: bool | None = None
    label_field: str | None = None
    policy: Policy = "top"
    min_per_class: int = 0
    unannotated: Unannotated = "prune"
    pinned_tags: Sequence[str] = ()
    excluded_tags: Sequence[str] = ()
    beta: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("pinned_tags", "excluded_tags"):  # lists, where they come from a database
            object.__setattr__(self, name, check_texts(name, getattr(self, name)))
        if self.higher_first is not None:
            check_flag("higher_first", self.higher_first)

    def criteria(self, held: ViewContents) -> Criteria:
        """The criteria of a selection, tags being resolved to ids."""
        return Criteria(
            pruning_rate=self.pruning_rate,
            keep=self.keep,
            threshold=self.threshold,
            policy=self.policy,
            min_per_class=self.min_per_class,
            unannotated=self.unannotated,
            pinned=held.tagged(self.pinned_tags),
            excluded=held.tagged(self.excluded_tags),
            beta=self.beta,
            seed=self.seed,
        )


def find_scored_labels(view: SampleCollection, scorer: str) -> str | None:
    """The label field that a score was computed on; or else the first that there is."""
    dataset = root_dataset(view)
    for config in own_configs(dataset).values():
        if scorer in config.fields and hasattr(config, "label_field"):
            return config.label_field
    names = [field.name for field in list_label_fields(view)]
    return names[0] if names else None


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
    )
    return select_images(candidates, parameters.criteria(held))


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
    if not is_free(dataset, path):
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


def _describe(selection: Selection) -> str:
    return (
        f"{selection.after.images} of {selection.before.images} images kept by "
        f"{selection.scorer}, {selection.after.instances} of {selection.before.instances} instances"
    )


def _make_content(
    samples: SampleCollection,
    selection: Selection,
    parameters: PruningParameters,
    brain_key: str,
    progress: Progress,
) -> RunContent:
    """What the run will write."""
    dataset = root_dataset(samples)
    description = _describe(selection)
    field = OwnField(keep_field_of(brain_key), fo.BooleanField, description)
    # of a grouped dataset the slices of this view; else any sample, whatever else the view filters
    base = samples if dataset.media_type == "group" else dataset
    saved = SavedView(brain_key, base.match({field.path: True}), f"tfdp: {description}")
    config = PruningConfig(
        field.path,
        saved_view=saved.name,
        saved_stages=serialize_stages(saved.view),
        parameters=asdict(parameters),
        fields=[field.path],
    )
    results = PruningResults(
        samples, config, brain_key, report_selection(selection), backend=config.build()
    )

    def write(renew: Callable[[Any], None]) -> None:
        clear_values(dataset, field.path)  # of an earlier view's samples
        with fo.ProgressBar(total=len(selection.keep), progress=progress) as bar:
            columns: dict[str, Any] = {field.path: selection.keep}
            write_values(dataset, selection.image_ids, columns, report=tell_both(bar.update, renew))

    return RunContent(results, [field], write, saved_view=saved)


@database_errors(HALF_DONE)
def write_pruned_view(
    samples: SampleCollection,
    parameters: PruningParameters,
    brain_key: str,
    *,
    overwrite: bool = False,
    progress: Progress = None,
) -> fo.DatasetView:
    """``prune_view`` by its parameters in one object, as a run's config keeps them."""
    dataset = root_dataset(samples)
    with writing_to(dataset):
        check_names(dataset, brain_key, overwrite=overwrite)
    if parameters.label_field is None:
        counted = find_scored_labels(samples, parameters.scorer)
        parameters = replace(parameters, label_field=counted)
    held = read_contents(samples, parameters.label_field)
    selection = select_in_view(samples, held, parameters)
    content = _make_content(samples, selection, parameters, brain_key, progress)
    with writing_to(dataset) as change:
        check_names(dataset, brain_key, overwrite=overwrite)
        write_run(change, content)
    assert content.saved_view is not None
    return content.saved_view.view


def prune_view(
    samples: SampleCollection,
    pruning_rate: float | None = None,
    *,
    keep: int | None = None,
    threshold: float | None = None,
    scorer: str = "cb_scs",
    higher_first: bool | None = None,
    label_field: str | None = None,
    policy: Policy = "top",
    min_per_class: int = 0,
    unannotated: Unannotated = "prune",
    pinned_tags: Sequence[str] = (),
    excluded_tags: Sequence[str] = (),
    beta: float = 0.0,
    seed: int = 0,
    brain_key: str = "pruned",
    overwrite: bool = False,
    progress: Progress = None,
) -> fo.DatasetView:
    """Chooses which samples of a view to keep; deletes and changes nothing of the user's.

    The boolean field ``in_<brain_key>`` is True on the samples that are kept, False on the others
    of the view; the saved view ``<brain_key>`` shows the kept ones; the brain run ``<brain_key>``
    keeps all parameters, the view and the counts, from which the selection can be rebuilt.

    Args:
        samples: a dataset or view of images.
        pruning_rate: this, ``keep`` or ``threshold``: see `tfdp.selection.criteria.Criteria`.
        keep: number of scored samples to keep.
        threshold: keep the samples that score this or better.
        scorer: a numeric field of samples, or "count", "inverse_frequency", "random" or
            "instance_matched_random".
        higher_first: whether the highest values are kept first; by default as `tfdp.scores.table`
            says, true of a field that tfdp does not know.
        label_field: whose labels are counted; by default those that the scorer was computed on.
        policy: "top", "random" or "stratified".
        min_per_class: floor of instances for each class.
        unannotated: "prune" or "keep" the samples without a score.
        pinned_tags: samples with one of these tags are kept in any case.
        excluded_tags: samples with one of these tags are removed in any case.
        beta: fraction of the hardest samples that "stratified" leaves out.
        seed: of all that is random.
        brain_key: name of the run and of the saved view.
        overwrite: whether an earlier pruned view of that name may be replaced.
        progress: True, False, None or a callback, as everywhere in FiftyOne.

    Returns:
        The saved view.

    Raises:
        ValueError: what was asked cannot be met, or the name is taken; the message says what could
            be asked for.
    """
    parameters = PruningParameters(
        pruning_rate=pruning_rate,
        keep=keep,
        threshold=threshold,
        scorer=scorer,
        higher_first=higher_first,
        label_field=label_field,
        policy=policy,
        min_per_class=min_per_class,
        unannotated=unannotated,
        pinned_tags=pinned_tags,
        excluded_tags=excluded_tags,
        beta=beta,
        seed=seed,
    )
    return write_pruned_view(samples, parameters, brain_key, overwrite=overwrite, progress=progress)
