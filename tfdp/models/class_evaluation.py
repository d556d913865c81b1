"""Top-1 of a trained classifier on images with their classes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from ..progress import shown
from ..skipped import Skipped
from .checkpoints import load_weights, read_checkpoint
from .class_views import Views
from .classification_task import blank_classifier
from .images import image_problem
from .loading import consecutive_batches, default_workers, load_batches
from .training import find_device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..progress import Progress
    from ..sources.class_records import ClassRecord
    from .checkpoints import Checkpoint

Problem = tuple[str, str]  # reason, detail


class Accuracy(NamedTuple):
    """How often a classifier is right.

    Attributes:
        top1: share of the images whose class it says, in [0, 1].
        images: their number.
        per_class: class -> top-1 of its images; 0 for a class that the network does not know.
        skipped: images without a class, and those that cannot be read: they count nowhere.
    """

    top1: float
    images: int
    per_class: dict[str, float]
    skipped: Skipped


def load_classifier(checkpoint: Checkpoint, source: str) -> torch.nn.Module:
    """The classifier of a checkpoint of ours, in eval mode.

    Raises:
        ValueError: it does not name its model and classes, or does not fit.
    """
    if not checkpoint.model or not checkpoint.classes:
        raise ValueError(f"{source}: expected a checkpoint of ours, with its model and classes")
    network = blank_classifier(checkpoint.model, len(checkpoint.classes))
    load_weights(network, checkpoint.weights, source)
    return network.eval()


def _load(views: Views, record: ClassRecord, _number: int) -> torch.Tensor | Problem:
    if record.label is None:
        return "no_class", ""
    return image_problem(record.path) or views.to_score(record.path)


def _predict(
    network: torch.nn.Module, views: list[torch.Tensor], device: torch.device
) -> list[int]:
    """The number of the class that the network says of each image."""
    if not views:
        return []
    with torch.inference_mode():
        said: list[int] = network(torch.stack(views).to(device)).argmax(dim=1).tolist()
    return said


def _summarize(labels: Sequence[str], right: NDArray[np.bool_], skipped: Skipped) -> Accuracy:
    if not len(right):
        raise ValueError(f"expected test images, found none to use: {skipped.summary()}")
    classes = np.array(labels, object)
    per_class = {name: float(right[classes == name].mean()) for name in sorted(set(labels))}
    return Accuracy(float(right.mean()), len(right), per_class, skipped)


def evaluate_classifier(
    path: Path,
    records: Sequence[ClassRecord],
    *,
    crops: bool = False,
    batch_size: int = 64,
    device: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Accuracy:
    """Top-1 of a checkpoint: on a test set, after training on the images that were kept.

    An image of a class that the network does not know is wrong: a pruning that loses a class pays.

    Args:
        path: a checkpoint of ours.
        records: images with their classes, matched by name.
        crops: whether the network was trained with crops: the central square is looked at then.
        batch_size: images.
        device: "cuda", "mps", "cpu"; the best there is if None.
        workers: processes that load images; 0 on the CPU, at most 8 elsewhere if None.
        progress: called with a fraction and a message; a progress bar if None.

    Raises:
        ValueError: the checkpoint, or all of the images, cannot be used.
    """
    checkpoint, target = read_checkpoint(path), find_device(device)
    network = load_classifier(checkpoint, f"{path}").to(target)
    loaders = default_workers(target) if workers is None else workers
    order = consecutive_batches(range(len(records)), batch_size)
    load = partial(_load, Views(checkpoint.image_size, crops=crops))
    labels: list[str] = []
    said: list[int] = []
    skipped = Skipped()
    with shown(progress or True) as show:
        for batch, numbers in zip(load_batches(load, records, order, loaders), order, strict=True):
            for number, loaded in zip(numbers.tolist(), batch, strict=True):
                if isinstance(loaded, tuple):
                    skipped.add("image", records[number].image_id, *loaded)
                else:
                    labels.append(records[number].label or "")
            views = [loaded for loaded in batch if not isinstance(loaded, tuple)]
            said += _predict(network, views, target)
            done = int(numbers[-1]) + 1
            show(done / len(records), f"testing image {done}/{len(records)}")
    right = np.array([checkpoint.classes[k] for k in said], object) == np.array(labels, object)
    return _summarize(labels, right, skipped)
