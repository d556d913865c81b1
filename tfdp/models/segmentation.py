"""Model-based scores of instance masks: train a Mask R-CNN, score it every epoch, keep the log."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..keywords import takes_options
from ..progress import part_of, shown
from ..skipped import Skipped
from .checkpoints import Checkpoint
from .data import check_record
from .loading import default_workers, load_each
from .log_reading import read_targets
from .mask_rcnn import blank_mask_rcnn
from .mask_rcnn_weights import load_start_weights, start_classes
from .options import SegmentationOptions
from .parallel import scoring_batch, start_fabric, who_is_told
from .recipe import make_recipe
from .score_log import LOG_SHARE, ModelScores, score_log
from .scoring_options import find_stored
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

REFERENCE_BATCH = 16  # images; with the default options the usual Mask R-CNN recipe


def _check_records(
    records: Sequence[ImageRecord], classes: list[str], workers: int, progress: Progress
) -> tuple[LogRows, NDArray[np.uint8]]:
    """Read everything once: the log's rows and targets, and what cannot be used.

    Raises:
        ValueError: nothing can be used.
    """
    skipped, targets, scorable = Skipped(), [np.zeros((0, PIXELS // 8), np.uint8)], []
    check = partial(check_record, classes=classes)
    for record, checked in load_each(check, records, workers, progress):
        _add_problems(record, checked, skipped)
        targets.append(checked.targets)
        scorable += [checked.problem is None and p is None for p in checked.instance_problems]
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


def _start_network(
    options: SegmentationOptions, classes: list[str], folder: Path
) -> torch.nn.Module:
    """The network as it starts; one that has a checkpoint in the log folder is loaded later."""
    pretrained = options.weights != "none"
    with seeded(options.seed, 0):
        network = blank_mask_rcnn(options.model, len(classes), pretrained=pretrained)
    if not (folder / CHECKPOINT).exists():
        load_start_weights(network, options.model, options.weights, classes)
    return network


@takes_options(SegmentationOptions)
def train_and_score(
    records: Sequence[ImageRecord],
    folder: Path,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> ModelScores:
    """Train a Mask R-CNN and score every instance and image by what it said (TFDP, section 3.2).

    The same call goes on from the last finished epoch after a kill. Without epochs, the weights are
    scored as they are.

    Args:
        records: images with their instances, of any source.
        folder: where the training log and the checkpoint go.
        **options: see `SegmentationOptions`.
        progress: called with a fraction and a message; a progress bar if None.

    Returns:
        Scores on both levels, NaN and `rows.skipped` for what could not be scored.

    Raises:
        ValueError: a parameter, the weights or all of the data cannot be used; the training
            diverged; the device's memory is too small; the log is damaged, of another run, or in
            use by another training.
        OSError: the log could not be written, or an image no longer be read.
    """
    asked = SegmentationOptions.given(**options)
    fabric = start_fabric(find_device(asked.device), asked.precision)
    loaders = default_workers(fabric.device) if asked.workers is None else asked.workers
    labels = sorted({label for record in records for label in record.labels if label is not None})
    classes = start_classes(asked.model, asked.weights, labels, train=asked.epochs > 0)
    network = _start_network(asked, classes, folder)
    count = sum(len(record.instance_ids) for record in records)

    def task_of(rows: LogRows) -> SegmentationTask:
        targets = read_targets(folder, count, PIXELS)
        return SegmentationTask(
            network=network.to(fabric.device),
            checkpoint=Checkpoint(asked.model, classes, asked.image_size, weights={}),
            examples=_make_examples(records, classes, rows),
            rows=count,
            targets=lambda part: unpack_bits(targets[part], PIXELS),
            batch_size=scoring_batch(fabric, asked.batch_size),
            scales=asked.scales or (asked.image_size,),
            seed=asked.seed,
            device=fabric.device,
            workers=loaders,
        )

    run = {
        "kind": "instance segmentation",
        **asked.of_log(),
        "stored": find_stored(asked.chosen_scores),
        "classes": classes,
        "data": _fingerprint(records),
    }
    recipe = make_recipe(asked, REFERENCE_BATCH)
    prepare = partial(_check_records, records, classes, loaders)
    with shown(who_is_told(fabric, progress)) as show:
        training = part_of(show, 0, 1 - LOG_SHARE)
        train_logged(task_of, recipe, folder, run, count, prepare, fabric, training)
        reading = part_of(show, 1 - LOG_SHARE, LOG_SHARE)
        return score_log(folder, progress=reading, **asked.used(asked.epochs))
