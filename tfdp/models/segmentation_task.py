"""Mask R-CNN as `training.train` takes it: batches, losses, and the scoring pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from . import pixel_scores
from .batches import Batch, join_examples, split_boxes, split_images, split_targets
from .data import TARGET_SIDE, load_example, load_image
from .loading import consecutive_batches, load_batches
from .mask_rcnn import mask_logits
from .parallel import own_rows
from .regions import REGIONS, aggregate_pixels
from .training_log import blank_rows, pack_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from ..sources.records import ImageRecord
    from .checkpoints import Checkpoint

    Loading = Callable[["Example", int], dict[str, torch.Tensor]]

PIXELS = TARGET_SIDE**2


class Example(NamedTuple):
    """A record that can be trained on."""

    record: ImageRecord
    usable: list[int]  # (r,) instances of the record, at least one
    labels: torch.Tensor  # (r,) int64, 1 = the network's first class
    first_row: int  # of the record, in the log


@dataclass(frozen=True)
class SegmentationTask:
    """A Mask R-CNN on checked records.

    Attributes:
        network: it.
        checkpoint: its model name, classes and image size.
        examples: what it is trained on and scores, in the log's order.
        rows: N of the log; those of no example stay blank.
        targets: gives (n, 784) targets of a slice of the log's rows.
        batch_size: images, of the scoring pass.
        scales: sizes in training, px of the shorter side.
        seed: of flips and sizes.
        device: where the network is.
        workers: processes that load images.
    """

    network: Any
    checkpoint: Checkpoint
    examples: list[Example]
    rows: int
    targets: Callable[[slice], NDArray[np.bool_]]
    batch_size: int
    scales: Sequence[float]
    seed: int
    device: torch.device
    workers: int
    pixels: int = PIXELS

    @property
    def groups(self) -> NDArray[np.int64]:
        """Higher than wide, or not: images of one shape need little padding in a batch."""
        return np.array([int(e.record.height > e.record.width) for e in self.examples])

    def batches(self, order: Iterable[NDArray[np.int64]]) -> Iterator[Batch]:
        """Batches of examples, each mirrored or not, and at one of the sizes."""
        load = partial(_load_to_train, self.scales, self.seed)
        return self._load(load, order)

    def losses(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Mask R-CNN's losses."""
        images, targets = split_images(batch, self.device), split_targets(batch, self.device)
        losses: dict[str, torch.Tensor] = self.network(images, targets)
        return losses

    def score(self, part: range) -> Iterator[NDArray[np.void]]:
        """Log rows of all instances in order, blank for those that cannot be used."""
        load = partial(_load_to_score, self.checkpoint.image_size)
        order = consecutive_batches(part, self.batch_size)
        own = own_rows(part, [example.first_row for example in self.examples], self.rows)
        done = own.start
        for batch, numbers in zip(self._load(load, order), order, strict=True):
            examples = [self.examples[number] for number in numbers]
            rows = np.concatenate([np.add(e.usable, e.first_row) for e in examples])
            block = slice(done, int(rows[-1]) + 1)
            scored = blank_rows(block.stop - done, PIXELS)
            scored[rows - done] = self._score_batch(batch, self.targets(block)[rows - done])
            yield scored
            done = block.stop
        yield blank_rows(own.stop - done, PIXELS)

    def _score_batch(self, batch: Batch, targets: NDArray[np.bool_]) -> NDArray[np.void]:
        images, boxes = split_images(batch, self.device), split_boxes(batch, self.device)
        labels = torch.from_numpy(batch.labels).to(self.device)
        logits = mask_logits(self.network, images, boxes, labels)
        return score_logits(logits.flatten(1), torch.from_numpy(targets).to(self.device))

    def _load(self, load: Loading, order: Iterable[NDArray[np.int64]]) -> Iterator[Batch]:
        on_gpu = self.device.type == "cuda"
        return load_batches(load, self.examples, order, self.workers, join_examples, pinned=on_gpu)


def _load_to_train(
    scales: Sequence[float], seed: int, example: Example, draw: int
) -> dict[str, torch.Tensor]:
    """What is random is drawn from the seed and the draw: the same in any process and order."""
    rng = np.random.default_rng([seed, draw])
    flip, image_size = rng.random() < 0.5, rng.choice(scales)
    loaded = load_example(example.record, example.usable, image_size, flip=flip)
    return loaded | {"labels": example.labels}


def _load_to_score(image_size: int, example: Example, _draw: int) -> dict[str, torch.Tensor]:
    image, boxes = load_image(example.record, example.usable, image_size)
    return {"image": image, "boxes": boxes, "labels": example.labels}


def score_logits(logits: torch.Tensor, target: torch.Tensor) -> NDArray[np.void]:
    """Log rows from (n, P) logits and (n, P) targets: every score from one forward pass."""
    margins = pixel_scores.margin(logits.float(), target)
    scores = (pixel_scores.entropy, pixel_scores.loss, pixel_scores.el2n)
    values = torch.stack([*(score(margins) for score in scores), margins], dim=1)  # (n, 4, P)
    means = [aggregate_pixels(values, target[:, None], region) for region in REGIONS]
    return pack_rows(
        torch.stack(means, dim=1).cpu().numpy(),
        pixel_scores.correct(margins).cpu().numpy(),
        pixel_scores.target_probability(margins).cpu().numpy(),
    )
