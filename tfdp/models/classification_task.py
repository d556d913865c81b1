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
from .loading import consecutive_batches, load_batches
from .log_reading import LOST
from .parallel import own_rows
from .start_weights import download_weights, read_start_checkpoint
from .training_log import blank_rows, pack_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .checkpoints import Checkpoint
    from .class_views import Views

FAMILIES = ("resnet", "swin", "convnext")
CLASSIFIERS = tuple(name for name in models.list_models(models) if name.startswith(FAMILIES))
PIXELS = 1  # of a row of the log


class Example(NamedTuple):
    """An image that can be trained on."""

    path: Path
    label: int  # 0 = the network's first class
    row: int  # in the log


class Loaded(NamedTuple):
    """Examples as the network takes them."""

    views: torch.Tensor  # (b, 3, h, w) to learn from
    scored: torch.Tensor | None  # (b, 3, h, w) of which to log what the network says meanwhile
    examples: list[Example]


@dataclass(frozen=True)
class ClassificationTask:
    """A classifier on checked images; the other attributes are `SegmentationTask`'s.

    Attributes:
        views: what the network sees of an image.
        label_smoothing: share of the target that is spread over all classes.
        learned: where the log is what the network said when it learned: the log's rows of this
            epoch. None where it is what the network says after the epoch.
    """

    network: Any
    checkpoint: Checkpoint
    examples: list[Example]
    rows: int
    batch_size: int
    device: torch.device
    workers: int
    views: Views
    label_smoothing: float = 0.0
    learned: NDArray[np.void] | None = None
    pixels: int = PIXELS

    @property
    def groups(self) -> NDArray[np.int64]:
        """All images are of one size: any can share a batch."""
        return np.zeros(len(self.examples), np.int64)

    def batches(self, order: Iterable[NDArray[np.int64]]) -> Iterator[Loaded]:
        """Batches of views."""
        load = partial(_load_to_learn, self.views, self.learned is not None)
        return load_batches(load, self.examples, order, self.workers, _join)

    def losses(self, batch: Loaded) -> dict[str, torch.Tensor]:
        """Cross-entropy."""
        labels = self._labels(batch.examples)
        logits = self.network(batch.views.to(self.device))
        if self.learned is not None:
            self._log(batch, labels, self.learned)
        return {"loss": cross_entropy(logits, labels, label_smoothing=self.label_smoothing)}

    def score(self, part: range) -> Iterator[NDArray[np.void]]:
        """Log rows of a part of the images in order, blank for those that cannot be used.

        Raises:
            ValueError: the log is what was said while learning, and nothing was learned.
        """
        if self.learned is None:
            yield from self._score(part)
            return
        rows = [example.row for example in self.examples]
        if np.isnan(self.learned["means"][rows]).any():
            raise ValueError(f"what the network said when it learned an epoch is lost: {LOST}")
        said = self.learned.copy()
        self.learned[:] = blank_rows(self.rows, PIXELS)  # of the next epoch
        yield said

    def _labels(self, examples: list[Example]) -> torch.Tensor:
        return torch.tensor([example.label for example in examples], device=self.device)

    def _log(self, batch: Loaded, labels: torch.Tensor, log: NDArray[np.void]) -> None:
        """Log what the network says before the step: batch norms see no other view than before."""
        assert batch.scored is not None
        norms = any(isinstance(part, torch.nn.BatchNorm2d) for part in self.network.modules())
        self.network.train(not norms)  # as Dyn-Unc's released code has it
        with torch.no_grad():
            logits = self.network(batch.scored.to(self.device))
        self.network.train()
        log[[example.row for example in batch.examples]] = score_logits(logits, labels)

    def _score(self, part: range) -> Iterator[NDArray[np.void]]:
        load = partial(_load_to_score, self.views)
        order = consecutive_batches(part, self.batch_size)
        own = own_rows(part, [example.row for example in self.examples], self.rows)
        batches = load_batches(load, self.examples, order, self.workers, torch.stack)
        done = own.start
        for batch, numbers in zip(batches, order, strict=True):
            examples = [self.examples[number] for number in numbers]
            rows = np.array([example.row for example in examples])
            block = blank_rows(int(rows[-1]) + 1 - done, PIXELS)
            logits = self.network(batch.to(self.device))
            block[rows - done] = score_logits(logits, self._labels(examples))
            yield block
            done += len(block)
        yield blank_rows(own.stop - done, PIXELS)


def _load_to_learn(views: Views, logged: bool, example: Example, draw: int) -> Loaded:
    scored = views.to_score(example.path)[None] if logged else None
    return Loaded(views.to_learn(example.path, draw)[None], scored, [example])


def _join(batch: list[Loaded]) -> Loaded:
    """Few tensors: each of them takes an open file on its way from the process that loads it."""
    views, scored, examples = zip(*batch, strict=True)
    logged = torch.cat(scored) if scored[0] is not None else None
    return Loaded(torch.cat(views), logged, [example for (example,) in examples])


def _load_to_score(views: Views, example: Example, _draw: int) -> torch.Tensor:
    return views.to_score(example.path)


def score_logits(logits: torch.Tensor, labels: torch.Tensor) -> NDArray[np.void]:
    """Log rows from (n, C) logits and (n,) labels: every score from one forward pass."""
    scores = score_class_logits(logits.float(), labels)
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
