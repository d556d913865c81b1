"""A FiftyOne view -> a boolean field, a saved view of the kept samples, and a run record."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ..keywords import takes_options
from .contents import read_contents
from .database import database_errors
from .fields import OwnField
from .fiftyone_internals import root_dataset
from .mending import HALF_DONE, writing_to
from .progress_bars import fiftyone_bar
from .pruning_plan import (
    PruningParameters,
    check_names,
    find_scored_labels,
    keep_field_of,
    select_in_view,
)
from .run_documents import serialize_stages
from .run_fields import clear_values
from .run_writing import RunContent, write_run
from .runs import PruningConfig, PruningResults
from .saved_views import SavedView
from .writing import write_values

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

    from ..progress import Progress
    from ..selection.selection import Selection
    from .progress_bars import BarProgress


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
    record = selection.to_dict()
    del record["keep_ids"]  # the boolean field has them
    results = PruningResults(samples, config, brain_key, record, backend=config.build())

    def write(progress: Progress) -> None:
        clear_values(dataset, field.path)  # of an earlier view's samples
        columns = {field.path: selection.keep}
        write_values(dataset, selection.image_ids, columns, progress=progress)

    return RunContent(results, [field], write, saved_view=saved)


@takes_options(PruningParameters)
@database_errors(HALF_DONE)
def prune_view(
    samples: SampleCollection,
    pruning_rate: float | None = None,
    *,
    brain_key: str = "pruned",
    overwrite: bool = False,
    progress: BarProgress = None,
    **options: Any,
) -> fo.DatasetView:
    """Chooses which samples of a view to keep; deletes and changes nothing of the user's.

    The boolean field ``in_<brain_key>`` is True on the samples that are kept, False on the others
    of the view; the saved view ``<brain_key>`` shows the kept ones; the brain run ``<brain_key>``
    keeps all parameters, the view and the counts, from which the selection can be rebuilt.

    Args:
        samples: a dataset or view of images.
        pruning_rate: this, ``keep`` or ``threshold``: fraction of the scored samples to remove.
        **options: see `PruningParameters`.
        brain_key: name of the run and of the saved view.
        overwrite: whether an earlier pruned view of that name may be replaced.
        progress: True, False, None or a callback, as everywhere in FiftyOne.

    Returns:
        The saved view.

    Raises:
        ValueError: what was asked cannot be met, or the name is taken; the message says what could
            be asked for.
    """
    if pruning_rate is not None:
        options["pruning_rate"] = pruning_rate
    parameters = PruningParameters.given(**options)
    dataset = root_dataset(samples)
    with writing_to(dataset):
        check_names(dataset, brain_key, overwrite=overwrite)
    if parameters.label_field is None:
        counted = find_scored_labels(samples, parameters.scorer)
        parameters = replace(parameters, label_field=counted)
    held = read_contents(samples, parameters.label_field)
    selection = select_in_view(samples, held, parameters)
    content = _make_content(samples, selection, parameters, brain_key)
    with writing_to(dataset) as change, fiftyone_bar(progress, len(selection.keep)) as show:
        check_names(dataset, brain_key, overwrite=overwrite)
        write_run(change, content, show)
    assert content.saved_view is not None
    return content.saved_view.view
