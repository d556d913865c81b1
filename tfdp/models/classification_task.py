"""A classifier as `training.train` takes it: batches, losses, and the scoring pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torchvision import models

from .checkpoints import load_weights
from .class_scores import score_class_logits
from .data import flip_decision
from .images import image_tensor, read_image
from .loading import consecutive_batches, load_batches
from .start_weights import download_weights, read_start_checkpoint
from .training_log import blank_rows, pack_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .checkpoints import Checkpoint

FAMILIES = ("resnet", "swin", "convnext")
CLASSIFIERS = tuple(name for name in models.list_models(models) if name.startswith(FAMILIES))
MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]  # of ImageNet, RGB
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
PIXELS = 1  # of a row of the log


class Example(NamedTuple):
    """An image that can be trained on."""

    path: Path
    label: int  # 0 = the network's first class
    row: int  # in the log


@dataclass(frozen=True)
class ClassificationTask:
    """A classifier on checked images; the attributes are `SegmentationTask`'s.

    Attributes:
        flips: whether training mirrors images at random.
    """

    network: Any
    checkpoint: Checkpoint
    examples: list[Example]
    rows: int
    batch_size: int
    seed: int
    device: torch.device
    workers: int
    flips: bool
    pixels: int = PIXELS

    def batches(self, order: list[NDArray[np.int64]], epoch: int) -> Iterator[Any]:
        """Batches of square images, mirrored or not, with their labels."""
        flip_epoch = epoch if self.flips else None
        load = partial(_load, self.checkpoint.image_size, self.seed, flip_epoch)
        return load_batches(load, self.examples, order, self.workers)

    def losses(self, batch: Any) -> dict[str, torch.Tensor]:
        """Cross-entropy."""
        logits, labels = self._forward(batch)
        return {"loss": cross_entropy(logits, labels)}

    def score(self) -> Iterator[NDArray[np.void]]:
        """Log rows of all images in order, blank for those that cannot be used."""
        load = partial(_load, self.checkpoint.image_size, self.seed, None)
        order = consecutive_batches(len(self.examples), self.batch_size)
        batches = load_batches(load, self.examples, order, self.workers)
        done = 0
        for batch, numbers in zip(batches, order, strict=True):
            rows = np.array([self.examples[number].row for number in numbers])
            part = blank_rows(int(rows[-1]) + 1 - done, PIXELS)
            part[rows - done] = score_logits(*self._forward(batch))
            yield part
            done += len(part)
        yield blank_rows(self.rows - done, PIXELS)

    def _forward(self, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        images, labels = zip(*batch, strict=True)
        logits = self.network(torch.stack(images).to(self.device))
        return logits, torch.tensor(labels, device=self.device)


def score_logits(logits: torch.Tensor, labels: torch.Tensor) -> NDArray[np.void]:
    """Log rows from (n, C) logits and (n,) labels: every score from one forward pass."""
    scores = score_class_logits(logits, labels)
    means = torch.stack([scores.entropy, scores.loss, scores.el2n, scores.margin], dim=1)
    return pack_rows(
        means[:, None].expand(-1, 2, -1).cpu().numpy(),  # one pixel: both regions are the same
        (scores.margin > 0)[:, None].cpu().numpy(),
        scores.target_probability[:, None].cpu().numpy(),
    )


def blank_classifier(model: str, num_classes: int) -> torch.nn.Module:
    """A torchvision classifier without trained weights.

    Raises:
        ValueError: it is not one of `CLASSIFIERS`.
    """
    if model not in CLASSIFIERS:
        raise ValueError(f"expected a model of {', '.join(CLASSIFIERS)}, got {model!r}")
    network: torch.nn.Module = models.get_model(model, weights=None, num_classes=num_classes)
    return network


def classifier_classes(model: str, weights: str, labels: Sequence[str]) -> list[str]:
    """The classes of a classifier that starts from `weights`: a checkpoint's own, or the labels.

    Raises:
        ValueError: fewer than two, no label is among them, or the checkpoint does not fit.
    """
    checkpoint = read_start_checkpoint(weights, model)
    classes = list(checkpoint.classes if checkpoint and checkpoint.classes else labels)
    if len(classes) < 2 or not set(classes) & set(labels):
        raise ValueError(
            f"expected images of two classes or more, known to the model"
            f" ({', '.join(classes[:5])}), found {', '.join(labels[:5]) or 'none'}"
        )
    return classes


def load_classifier_weights(network: torch.nn.Module, model: str, weights: str) -> None:
    """Load what the classifier starts from; a head of other classes stays random.

    Raises:
        ValueError: the weights are not there, or do not fit.
    """
    checkpoint = read_start_checkpoint(weights, model)
    if checkpoint is not None:
        load_weights(network, checkpoint.weights, weights)
    elif weights == "imagenet":
        published = models.get_model_weights(model).DEFAULT
        state, own = download_weights(published), network.state_dict()
        for name in [n for n in state if n in own and state[n].shape != own[n].shape]:
            state[name] = own[name]  # the head
        load_weights(network, state, f"{published}")
    elif weights != "none":
        raise ValueError(f'expected weights "none", "imagenet" or a file, got {weights!r}')


def _load(
    image_size: int, seed: int, flip_epoch: int | None, example: Example, number: int
) -> tuple[torch.Tensor, int]:
    image = image_tensor(read_image(example.path, (image_size, image_size)))
    image = (image - MEAN) / STD
    flip = flip_epoch is not None and flip_decision(seed, flip_epoch, number)
    return (image.flip(-1) if flip else image), example.label
