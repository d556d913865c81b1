"""Model-based scores of instance masks: train a Mask R-CNN, score it every epoch, keep the log."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..skipped import Skipped
from .checkpoints import Checkpoint
from .data import check_record
from .loading import consecutive_batches, default_workers, load_batches
from .log_reading import open_targets
from .mask_rcnn import blank_mask_rcnn, load_start_weights, start_classes
from .recipe import Recipe, check_settings
from .score_log import ModelScores, check_scores, default_scores, score_log
from .segmentation_task import PIXELS, Example, SegmentationTask
from .training import find_device, seeded, train_logged
from .training_log import CHECKPOINT, LogRows, unpack_bits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..progress import Progress
    from ..sources.records import ImageRecord
    from .data import Checked
    from .regions import Region

LEARNING_RATE = 0.02  # for 16 images; with the weight decay the usual Mask R-CNN recipe
REFERENCE_BATCH = 16
WEIGHT_DECAY = 1e-4


def _check_records(
    records: Sequence[ImageRecord], classes: list[str], workers: int, progress: Progress
) -> tuple[LogRows, NDArray[np.uint8]]:
    """Read everything once: the log's rows and targets, and what cannot be used.

    Raises:
        ValueError: nothing can be used.
    """
    order = consecutive_batches(len(records), 1)
    load = partial(_check, classes)
    skipped, targets, scorable = Skipped(), [np.zeros((0, PIXELS // 8), np.uint8)], []
    for number, (checked,) in enumerate(load_batches(load, records, order, workers)):
        _add_problems(records[number], checked, skipped)
        targets.append(checked.targets)
        scorable += [checked.problem is None and p is None for p in checked.instance_problems]
        progress((number + 1) / len(records), f"reading image {number + 1}/{len(records)}")
    if not any(scorable):
        raise ValueError(
            f"expected at least one image with an instance that can be scored, found none in"
            f" {len(records)} images; skipped: {skipped.summary()}"
        )
    rows = LogRows(
        image_ids=[record.image_id for record in records],
        instance_ids=[i for record in records for i in record.instance_ids],
        image_index=np.repeat(np.arange(len(records)), [len(r.instance_ids) for r in records]),
        labels=[label for record in records for label in record.labels],
        scorable=np.array(scorable, bool),
        skipped=skipped,
    )
    return rows, np.concatenate(targets)


def _check(classes: list[str], record: ImageRecord, _number: int) -> Checked:
    return check_record(record, classes)


def _add_problems(record: ImageRecord, checked: Checked, skipped: Skipped) -> None:
    if checked.problem is not None:
        skipped.add("image", record.image_id, *checked.problem)
    for instance_id, label, problem in zip(
        record.instance_ids, record.labels, checked.instance_problems, strict=True
    ):
        if problem is not None:
            skipped.add("annotation", instance_id, problem, f"class {label}")


def _make_examples(
    records: Sequence[ImageRecord], classes: list[str], rows: LogRows
) -> list[Example]:
    number_of = {name: number for number, name in enumerate(classes, 1)}
    first_row, examples = 0, []
    for record in records:
        count = len(record.instance_ids)
        usable = np.flatnonzero(rows.scorable[first_row : first_row + count]).tolist()
        if usable:
            labels = torch.tensor([number_of[record.labels[j]] for j in usable])
            examples.append(Example(record, usable, labels, first_row))
        first_row += count
    return examples


def _fingerprint(records: Sequence[ImageRecord]) -> str:
    """What the records hold, so that a log is not continued with other data."""
    digest = hashlib.sha256()
    for r in records:
        parts = (r.image_id, r.path.name, r.height, r.width, [*r.instance_ids], [*r.labels])
        digest.update(repr((*parts, r.boxes.tolist(), [*r.masks])).encode())
    return digest.hexdigest()[:16]


def train_and_score(
    records: Sequence[ImageRecord],
    folder: Path,
    *,
    model: str = "maskrcnn_resnet50_fpn",
    weights: str = "imagenet",
    epochs: int = 12,
    batch_size: int = 2,
    image_size: int = 800,
    learning_rate: float = LEARNING_RATE,
    seed: int = 0,
    device: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    scores: Sequence[str] | None = None,
    window: int | None = None,
    region: Region = "roi",
    aggregation: str = "sum",
) -> ModelScores:
    """Train a Mask R-CNN and score every instance and image by what it said (TFDP, section 3.2).

    The same call goes on from the last finished epoch after a kill. Without epochs, the weights are
    scored as they are.

    Args:
        records: images with their instances, as `tfdp.sources.records.read_records` gives them.
        folder: where the training log and the checkpoint go.
        model: one of `MASK_RCNN_MODELS`.
        weights: to start from: "none", "imagenet" (backbone), "coco", or a checkpoint's path.
        epochs: E; 0 for entropy, loss and el2n of the weights.
        batch_size: images.
        image_size: px of the shorter side; the longer is at most 1333/800 of it.
        learning_rate: for 16 images, scaled linearly to the batch.
        seed: of everything random.
        device: "cuda", "mps", "cpu"; the best there is if None.
        workers: processes that load images; 0 on the CPU, at most 8 elsewhere if None.
        progress: called with a fraction and a message; a progress bar if None.
        scores: names of `MODEL_SCORES`; all that the run can give if None.
        window: epochs, as in `score_log`.
        region: "roi" or "mask", as in `score_log`.
        aggregation: "sum", "mean" or "max", as in `score_log`.

    Returns:
        Scores on both levels, NaN and `rows.skipped` for what could not be scored.

    Raises:
        ValueError: a parameter, the weights or all of the data cannot be used; the training
            diverged; the device's memory is too small; the log is damaged, of another run, or in
            use by another training.
        OSError: the log could not be written, or an image no longer be read.
    """
    check_settings(image_size=image_size, workers=workers, window=window)
    recipe = Recipe(epochs, batch_size, learning_rate, REFERENCE_BATCH, WEIGHT_DECAY, seed=seed)
    names = default_scores(epochs) if scores is None else scores
    check_scores(names, epochs, window, region, aggregation)
    target_device = find_device(device)
    loaders = default_workers(target_device) if workers is None else workers
    labels = sorted({label for record in records for label in record.labels if label is not None})
    classes = start_classes(model, weights, labels, train=epochs > 0)
    with seeded(seed, 0):
        network = blank_mask_rcnn(model, len(classes), image_size, pretrained=weights != "none")
    if not (folder / CHECKPOINT).exists():
        load_start_weights(network, model, weights)
    run = {
        "kind": "instance segmentation",
        "model": model,
        "weights": weights,
        "epochs": epochs,
        "batch_size": batch_size,
        "image_size": image_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "classes": classes,
        "data": _fingerprint(records),
    }
    count = sum(len(record.instance_ids) for record in records)

    def task_of(rows: LogRows) -> SegmentationTask:
        targets = open_targets(folder, count, PIXELS)
        return SegmentationTask(
            network=network.to(target_device),
            checkpoint=Checkpoint(model, classes, image_size, weights={}),
            examples=_make_examples(records, classes, rows),
            rows=count,
            targets=lambda part: unpack_bits(targets[part], PIXELS),
            batch_size=batch_size,
            seed=seed,
            device=target_device,
            workers=loaders,
        )

    prepare = partial(_check_records, records, classes, loaders)
    train_logged(task_of, recipe, folder, run, count, prepare, progress)
    return score_log(folder, names, window=window, region=region, aggregation=aggregation)
