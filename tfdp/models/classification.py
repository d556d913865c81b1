"""Dyn-Unc as published, and its siblings: a classifier is trained, every image scored each epoch.

The log is the masks' (`training_log.py`) with one pixel a row: a row is an image, q the probability
of its class, and the four means are the image's own values.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..skipped import Skipped
from .checkpoints import Checkpoint
from .classification_task import (
    ClassificationTask,
    Example,
    blank_classifier,
    classifier_classes,
    load_classifier_weights,
)
from .data import image_problem
from .loading import consecutive_batches, default_workers, load_batches
from .recipe import Recipe, check_settings
from .score_log import ModelScores, check_scores, default_scores, score_log
from .training import find_device, seeded, train_logged
from .training_log import CHECKPOINT, LogRows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..progress import Progress
    from ..sources.source import Id

LEARNING_RATE = 0.1  # for 256 images; with the weight decay the usual ImageNet recipe of ResNets
REFERENCE_BATCH = 256
WEIGHT_DECAY = 1e-4


class ClassRecord(NamedTuple):
    """One image with its class; None for no class."""

    image_id: Id
    path: Path
    label: str | None


def _check_records(
    records: Sequence[ClassRecord], classes: list[str], workers: int, progress: Progress
) -> tuple[LogRows, NDArray[np.uint8]]:
    """Read everything once: the log's rows, and what cannot be used.

    Raises:
        ValueError: nothing can be used.
    """
    order = consecutive_batches(len(records), 1)
    load = partial(_problem, classes)
    skipped = Skipped()
    scorable = np.ones(len(records), bool)
    for number, (problem,) in enumerate(load_batches(load, records, order, workers)):
        if problem is not None:
            scorable[number] = False
            skipped.add("image", records[number].image_id, *problem)
        progress((number + 1) / len(records), f"reading image {number + 1}/{len(records)}")
    if not scorable.any():
        raise ValueError(f"expected images to train on, found none: {skipped.summary()}")
    ids = [record.image_id for record in records]
    rows = LogRows(
        image_ids=ids,
        instance_ids=ids,
        image_index=np.arange(len(ids)),
        labels=[record.label for record in records],
        scorable=scorable,
        skipped=skipped,
    )
    return rows, np.full((len(ids), 1), np.packbits([1])[0])


def _problem(classes: list[str], record: ClassRecord, _number: int) -> tuple[str, str] | None:
    if record.label is None:
        return "no_class", ""
    if record.label not in classes:
        return "class_unknown_to_model", f"class {record.label}"
    return image_problem(record.path)


def _fingerprint(records: Sequence[ClassRecord]) -> str:
    content = repr([(r.image_id, r.path.name, r.label) for r in records])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def train_and_score_classes(
    records: Sequence[ClassRecord],
    folder: Path,
    *,
    model: str = "resnet18",
    weights: str = "imagenet",
    epochs: int = 20,
    batch_size: int = 64,
    image_size: int = 224,
    learning_rate: float = LEARNING_RATE,
    flips: bool = True,
    seed: int = 0,
    device: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    scores: Sequence[str] | None = None,
    window: int | None = None,
) -> ModelScores:
    """Train a classifier and score every image by what it said (Dyn-Unc, He et al. 2023).

    The same call goes on from the last finished epoch after a kill. The highest dyn_unc is kept.

    Args:
        records: images with their classes.
        folder: where the training log and the checkpoint go.
        model: one of `CLASSIFIERS`: a ResNet, Swin or ConvNeXt.
        weights: to start from: "none", "imagenet", or a checkpoint's path.
        epochs: E; 0 for entropy, loss and el2n of the weights.
        batch_size: images.
        image_size: px; images are resized to a square.
        learning_rate: of SGD for 256 images, scaled linearly to the batch.
        flips: whether training mirrors images at random; False where left and right differ.
        seed: of everything random.
        device: "cuda", "mps", "cpu"; the best there is if None.
        workers: processes that load images; 0 on the CPU, at most 8 elsewhere if None.
        progress: called with a fraction and a message; a progress bar if None.
        scores: names of `MODEL_SCORES`; all that the run can give if None.
        window: J of dyn_unc and dual, epochs, as in `score_log`.

    Returns:
        Scores of the images, the same on both levels.

    Raises:
        ValueError: a parameter, the weights or all of the data cannot be used; the training
            diverged; the device's memory is too small; the log is damaged, of another run, or in
            use by another training.
        OSError: the log could not be written, or an image no longer be read.
    """
    check_settings(image_size=image_size, workers=workers, window=window)
    recipe = Recipe(epochs, batch_size, learning_rate, REFERENCE_BATCH, WEIGHT_DECAY, seed=seed)
    names = default_scores(epochs) if scores is None else scores
    check_scores(names, epochs, window)
    target_device = find_device(device)
    loaders = default_workers(target_device) if workers is None else workers
    labels = sorted({record.label for record in records if record.label is not None})
    classes = classifier_classes(model, weights, labels)
    with seeded(seed, 0):
        network = blank_classifier(model, len(classes))
    if not (folder / CHECKPOINT).exists():
        load_classifier_weights(network, model, weights)
    run = {
        "kind": "classification",
        "model": model,
        "weights": weights,
        "epochs": epochs,
        "batch_size": batch_size,
        "image_size": image_size,
        "learning_rate": learning_rate,
        "flips": flips,
        "seed": seed,
        "classes": classes,
        "data": _fingerprint(records),
    }

    def task_of(rows: LogRows) -> ClassificationTask:
        number_of = {name: number for number, name in enumerate(classes)}
        return ClassificationTask(
            network=network.to(target_device),
            checkpoint=Checkpoint(model, classes, image_size, weights={}),
            examples=[
                Example(records[row].path, number_of[rows.labels[row] or ""], row)
                for row in np.flatnonzero(rows.scorable).tolist()
            ],
            rows=len(records),
            batch_size=batch_size,
            seed=seed,
            device=target_device,
            workers=loaders,
            flips=flips,
        )

    prepare = partial(_check_records, records, classes, loaders)
    train_logged(task_of, recipe, folder, run, len(records), prepare, progress)
    return score_log(folder, names, window=window)
