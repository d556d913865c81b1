"""Mask R-CNN as `training.train` takes it: batches, losses, and the scoring pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from . import pixel_scores
from .data import TARGET_SIDE, flip_decision, load_example, load_image
from .loading import consecutive_batches, load_batches
from .mask_rcnn import mask_logits
from .regions import REGIONS, aggregate_pixels
from .training_log import blank_rows, pack_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ..sources.records import ImageRecord
    from .checkpoints import Checkpoint

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
        seed: of the flips.
        device: where the network is.
        workers: processes that load images.
    """

    network: Any
    checkpoint: Checkpoint
    examples: list[Example]
    rows: int
    targets: Callable[[slice], NDArray[np.bool_]]
    batch_size: int
    seed: int
    device: torch.device
    workers: int
    pixels: int = PIXELS

    def batches(self, order: list[NDArray[np.int64]], epoch: int) -> Iterator[Any]:
        """Batches of examples at the network's size, mirrored or not."""
        load = partial(_load_to_train, self.checkpoint.image_size, self.seed, epoch)
        return load_batches(load, self.examples, order, self.workers)

    def losses(self, batch: Any) -> dict[str, torch.Tensor]:
        """Mask R-CNN's losses."""
        moved = [{name: value.to(self.device) for name, value in e.items()} for e in batch]
        images = [example.pop("image") for example in moved]
        losses: dict[str, torch.Tensor] = self.network(images, moved)
        return losses

    def score(self) -> Iterator[NDArray[np.void]]:
        """Log rows of all instances in order, blank for those that cannot be used."""
        load = partial(_load_to_score, self.checkpoint.image_size)
        order = consecutive_batches(len(self.examples), self.batch_size)
        done = 0
        for batch, numbers in zip(
            load_batches(load, self.examples, order, self.workers), order, strict=True
        ):
            examples = [self.examples[number] for number in numbers]
            rows = np.concatenate([np.add(e.usable, e.first_row) for e in examples])
            block = slice(done, int(rows[-1]) + 1)
            part = blank_rows(block.stop - done, PIXELS)
            labels = torch.cat([example.labels for example in examples])
            part[rows - done] = self._score_batch(batch, labels, self.targets(block)[rows - done])
            yield part
            done = block.stop
        yield blank_rows(self.rows - done, PIXELS)

    def _score_batch(
        self,
        batch: list[tuple[torch.Tensor, torch.Tensor]],
        labels: torch.Tensor,
        targets: NDArray[np.bool_],
    ) -> NDArray[np.void]:
        images = [image.to(self.device) for image, _ in batch]
        boxes = [box.to(self.device) for _, box in batch]
        logits = mask_logits(self.network, images, boxes, labels.to(self.device))
        return score_logits(logits.flatten(1), torch.from_numpy(targets).to(self.device))


def _load_to_train(
    image_size: int, seed: int, epoch: int, example: Example, number: int
) -> dict[str, torch.Tensor]:
    flip = flip_decision(seed, epoch, number)
    loaded = load_example(example.record, example.usable, image_size, flip=flip)
    return loaded | {"labels": example.labels}


def _load_to_score(
    image_size: int, example: Example, _number: int
) -> tuple[torch.Tensor, torch.Tensor]:
    return load_image(example.record, example.usable, image_size)


def score_logits(logits: torch.Tensor, target: torch.Tensor) -> NDArray[np.void]:
    """Log rows from (n, P) logits and (n, P) targets: every score from one forward pass."""
    margins = pixel_scores.margin(logits, target)
    scores = (pixel_scores.entropy, pixel_scores.loss, pixel_scores.el2n)
    values = torch.stack([*(score(margins) for score in scores), margins], dim=1)  # (n, 4, P)
    means = [aggregate_pixels(values, target[:, None], region) for region in REGIONS]
    return pack_rows(
        torch.stack(means, dim=1).cpu().numpy(),
        pixel_scores.correct(margins).cpu().numpy(),
        pixel_scores.target_probability(margins).cpu().numpy(),
    )
