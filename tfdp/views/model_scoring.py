"""A FiftyOne view -> scores by a trained model in its fields, and a run that remembers how."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import object_array
from ..keywords import takes_options
from ..models.options import ClassificationOptions, SegmentationOptions
from ..progress import part_of, shown
from ..skipped import Skipped
from .database import database_errors
from .fiftyone_internals import root_dataset
from .labels import ClassField
from .mending import HALF_DONE, writing_to
from .model_plan import plan_model_scoring
from .records import read_class_rows, read_view_records
from .run_writing import RunContent, write_run
from .runs import ModelScoringResults
from .writing import LabelValues, write_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from ..models.score_log import ModelScores
    from ..progress import Progress
    from .model_plan import ModelScoringPlan

READING_SHARE, WRITING_SHARE = 0.02, 0.02  # of the whole time, for the progress


def _train(
    samples: SampleCollection, plan: ModelScoringPlan, show: Progress
) -> tuple[ModelScores, list[str], Skipped]:
    """The scores; ids of labels that are not in them; what was skipped."""
    training = part_of(show, READING_SHARE, 1 - READING_SHARE)
    folder = Path(plan.config.log_folder)
    records: Sequence[Any]
    without: list[str] = []
    skipped = Skipped()
    if isinstance(plan.labels, ClassField):
        records = read_class_rows(samples, plan.labels)
    else:
        reading = part_of(show, 0, READING_SHARE)
        records, without, skipped = read_view_records(samples, plan.labels, reading)
    scores = plan.train(records, folder, progress=training, **vars(plan.options))
    skipped.extend(scores.rows.skipped)
    return scores, without, skipped


def _write(
    dataset: fo.Dataset,
    plan: ModelScoringPlan,
    scores: ModelScores,
    without: Sequence[str],
    progress: Progress,
) -> None:
    prefix = plan.config.field_prefix
    ids = object_array(scores.rows.image_ids)
    on_samples = {prefix + name: values for name, values in scores.image_scores.items()}
    if isinstance(plan.labels, ClassField):
        labelled = np.array([label is not None for label in scores.rows.labels])
        write_values(dataset, ids, on_samples, progress=progress)
        on_labels = {
            f"{plan.labels.path}.{name}": values[labelled] for name, values in on_samples.items()
        }
        names = object_array([label for label in scores.rows.labels if label is not None])
        same = {f"{plan.labels.path}.label": names}  # where nobody has relabelled meanwhile
        write_values(dataset, ids[labelled], on_labels, where=same)
    else:
        labels = LabelValues(
            plan.labels,
            scores.rows.image_index,
            object_array(scores.rows.instance_ids),
            {prefix + name: values for name, values in scores.instance_scores.items()},
            without,
        )
        write_values(dataset, ids, on_samples, labels, progress)


def _make_content(
    samples: SampleCollection,
    brain_key: str,
    plan: ModelScoringPlan,
    trained: tuple[ModelScores, list[str], Skipped],
) -> RunContent:
    """What the run will write."""
    scores, without, skipped = trained
    record, run = _record_scores(scores, skipped), plan.config.build()
    results = ModelScoringResults(samples, plan.config, brain_key, record, backend=run)
    write = partial(_write, root_dataset(samples), plan, scores, without)
    labels = None if isinstance(plan.labels, ClassField) else plan.labels
    return RunContent(results, [*plan.on_samples, *plan.on_labels], write, labels)


def _record_scores(scores: ModelScores, skipped: Skipped) -> dict[str, Any]:
    a_score = next(iter(scores.instance_scores))
    return {
        "counts": {
            "samples": len(scores.rows.image_ids),
            "scored_samples": int(np.isfinite(scores.image_scores[a_score]).sum()),
            "instances": int(np.isfinite(scores.instance_scores[a_score]).sum()),
            "skipped": len(skipped),
        },
        "skipped": skipped.ids_by_reason(),
        "seconds": scores.seconds,
        "training": scores.run,
    }


@takes_options(SegmentationOptions, ClassificationOptions, unset=True)
@database_errors(f"{HALF_DONE}, and the training log is kept")
def compute_model_scores(
    samples: SampleCollection,
    label_field: str,
    *,
    brain_key: str = "model_scores",
    field_prefix: str | None = None,
    log_folder: str | Path | None = None,
    progress: bool | Progress | None = None,
    **options: Any,
) -> ModelScoringResults:
    """Trains a model on a view, scores its labels by what the model said, and writes the scores.

    The fields ``entropy``, ``loss``, ``el2n``, ``forgetting``, ``aum``, ``dyn_unc`` and ``dual``
    (see `tfdp.scores.table`, and `tfdp.models.score_log`) are declared, indexed and shown in the
    App's sidebar. Higher = harder, but for ``aum``, where lower = harder. None = could not be
    scored.

    Called again after a kill, with the same ``brain_key``, it goes on from the last finished epoch.
    What is not given is as in the training log that is there, or else the default.

    Args:
        samples: a dataset or view of images; what the view filters out is neither learned nor
            scored.
        label_field: Detections with ``mask`` or ``mask_path``: a Mask R-CNN learns them
            (`tfdp.models.options.SegmentationOptions` has the defaults); or a Classification: a
            classifier does (`tfdp.models.options.ClassificationOptions`), and a sample's and its
            label's scores are the same.
        **options: see these; what is not for such labels is passed over.
        brain_key: the name of the run, as in ``compute_shape_scores``.
        field_prefix: what the fields' names begin with, as in ``compute_shape_scores``.
        log_folder: where the training log and the checkpoint go: .4 kB an instance and epoch. By
            default ``tfdp/<dataset>/<brain_key>`` beside FiftyOne's folder of datasets. Deleting
            the run leaves it.
        progress: True or None for a progress bar, False for none, or a function that is called with
            a fraction and a message.

    Returns:
        The results of the run: counts, what was skipped and why, seconds, the log's place.

    Raises:
        ValueError: the view, the field, the key, the folder, a parameter or the weights can't be
            used; torch is missing; the training diverged; the GPU's memory is too small.
        OSError: the log could not be written.
    """
    dataset = root_dataset(samples)
    make_plan = partial(
        plan_model_scoring,
        samples,
        label_field,
        options,
        brain_key=brain_key,
        field_prefix=field_prefix,
        log_folder=log_folder,
    )
    with writing_to(dataset):
        plan = make_plan()
    with shown(True if progress is None else progress) as show:
        trained = _train(samples, plan, part_of(show, 0, 1 - WRITING_SHARE))
        writing = part_of(show, 1 - WRITING_SHARE, WRITING_SHARE)
        with writing_to(dataset) as change:
            content = _make_content(samples, brain_key, make_plan(), trained)
            write_run(change, content, writing)
    results: ModelScoringResults = content.results
    return results
