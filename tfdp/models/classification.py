"""Dyn-Unc and its siblings on their own ground: a classifier is trained, each image scored by it.

The log is the masks' (`training_log.py`) with one pixel a row: a row is an image, q the probability
of its class, and the four means are the image's own values.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..keywords import takes_options
from ..progress import part_of, shown
from ..skipped import Skipped
from .checkpoints import Checkpoint
from .class_views import Views
from .classification_task import (
    PIXELS,
    ClassificationTask,
    Example,
    blank_classifier,
    classifier_classes,
    load_classifier_weights,
)
from .images import image_problem
from .loading import default_workers, load_each
from .options import ClassificationOptions
from .parallel import scoring_batch, start_fabric, who_is_told
from .recipe import make_recipe
from .score_log import LOG_SHARE, ModelScores, score_log
from .scoring_options import find_stored
from .training import find_device, seeded, train_logged
from .training_log import CHECKPOINT, LogRows, blank_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..progress import Progress
    from ..sources.class_records import ClassRecord

REFERENCE_BATCH = 256  # images; with the default options the usual ImageNet recipe of ResNets


def _check_records(
    records: Sequence[ClassRecord], classes: list[str], workers: int, progress: Progress
) -> tuple[LogRows, NDArray[np.uint8]]:
    """Read everything once: the log's rows, and what cannot be used.

    Raises:
        ValueError: nothing can be used.
    """
    skipped, scorable = Skipped(), []
    for record, problem in load_each(partial(_problem, classes), records, workers, progress):
        scorable.append(problem is None)
        if problem is not None:
            skipped.add("image", record.image_id, *problem)
    if not any(scorable):
        raise ValueError(f"expected images to train on, found none: {skipped.summary()}")
    ids = [record.image_id for record in records]
    rows = LogRows(
        image_ids=ids,
        instance_ids=ids,
        image_index=np.arange(len(ids)),
        labels=[record.label for record in records],
        scorable=np.array(scorable, bool),
        skipped=skipped,
    )
    return rows, np.full((len(ids), 1), np.packbits([1])[0])


def _problem(classes: list[str], record: ClassRecord) -> tuple[str, str] | None:
    if record.label is None:
        return "no_class", ""
    if record.label not in classes:
        return "class_unknown_to_model", f"class {record.label}"
    return image_problem(record.path)


def _fingerprint(records: Sequence[ClassRecord]) -> str:
    content = repr([(r.image_id, r.path.name, r.label) for r in records])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _check_processes(asked: ClassificationOptions, count: int) -> None:
    """Each process learns a part of the images, and knows nothing of what others said of theirs."""
    if asked.log_while_training and count > 1:
        raise ValueError(
            f"log_while_training is of one process, but there are {count}: start it without"
            " torchrun, or let the images be scored after each epoch"
        )


@takes_options(ClassificationOptions)
def train_and_score_classes(
    records: Sequence[ClassRecord],
    folder: Path,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> ModelScores:
    """Train a classifier and score every image by what it said (Dyn-Unc, He et al. 2023).

    The same call goes on from the last finished epoch after a kill. The highest dyn_unc is kept.

    Args:
        records: images with their classes.
        folder: where the training log and the checkpoint go.
        **options: see `ClassificationOptions`.
        progress: called with a fraction and a message; a progress bar if None.

    Returns:
        Scores of the images, the same on both levels.

    Raises:
        ValueError: a parameter, the weights or all of the data cannot be used; the training
            diverged; the device's memory is too small; the log is damaged, of another run, or in
            use by another training.
        OSError: the log could not be written, or an image no longer be read.
    """
    asked = ClassificationOptions.given(**options)
    fabric = start_fabric(find_device(asked.device), asked.precision)
    _check_processes(asked, fabric.world_size)
    loaders = default_workers(fabric.device) if asked.workers is None else asked.workers
    labels = sorted({record.label for record in records if record.label is not None})
    classes = classifier_classes(asked.model, asked.weights, labels)
    with seeded(asked.seed, 0):
        network = blank_classifier(asked.model, len(classes))
    if not (folder / CHECKPOINT).exists():
        load_classifier_weights(network, asked.model, asked.weights)

    def task_of(rows: LogRows) -> ClassificationTask:
        number_of = {name: number for number, name in enumerate(classes)}
        return ClassificationTask(
            network=network.to(fabric.device),
            checkpoint=Checkpoint(asked.model, classes, asked.image_size, weights={}),
            examples=[
                Example(records[row].path, number_of[rows.labels[row] or ""], row)
                for row in np.flatnonzero(rows.scorable).tolist()
            ],
            rows=len(records),
            batch_size=scoring_batch(fabric, asked.batch_size),
            device=fabric.device,
            workers=loaders,
            views=Views(asked.image_size, asked.seed, asked.flips, asked.crops, asked.auto_augment),
            label_smoothing=asked.label_smoothing,
            learned=blank_rows(len(records), PIXELS) if asked.log_while_training else None,
        )

    run = {
        "kind": "classification",
        **asked.of_log(),
        "stored": find_stored(asked.chosen_scores),
        "classes": classes,
        "data": _fingerprint(records),
    }
    recipe = make_recipe(asked, REFERENCE_BATCH)
    prepare = partial(_check_records, records, classes, loaders)
    with shown(who_is_told(fabric, progress)) as show:
        training = part_of(show, 0, 1 - LOG_SHARE)
        train_logged(task_of, recipe, folder, run, len(records), prepare, fabric, training)
        reading = part_of(show, 1 - LOG_SHARE, LOG_SHARE)
        return score_log(folder, progress=reading, **asked.used(asked.epochs))
