"""What a Mask R-CNN finds on images, as COCO's results."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from .data import load_image
from .images import image_problem
from .loading import consecutive_batches, load_batches
from .pasting import paste_masks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..sources.records import ImageRecord


def _load(image_size: int, record: ImageRecord, _number: int) -> torch.Tensor | None:
    """The (3, h, w) uint8 image at the network's size; None where it cannot be read."""
    if image_problem(record.path, (record.width, record.height)) is not None:
        return None
    return load_image(record, [], image_size)[0]


def _forward(network: Any, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    """Boxes, scores, labels and 28 x 28 masks: the plain forward without its full-size masks."""
    if not images:
        return []
    with torch.inference_mode():
        batch, _ = network.transform(images)
        features = network.backbone(batch.tensors)
        proposals, _ = network.rpn(batch, features)
        found, _ = network.roi_heads(features, proposals, batch.image_sizes)
    return [{name: value.cpu() for name, value in output.items()} for output in found]


def _results(
    output: dict[str, torch.Tensor],
    image: torch.Tensor,
    record: ImageRecord,
    category_ids: Sequence[int | None],
) -> list[dict[str, Any]]:
    """COCO results of one image, at its own size; classes without an id are left out."""
    height, width = image.shape[-2:]
    categories = [category_ids[label - 1] for label in output["labels"].tolist()]
    known = [row for row, category in enumerate(categories) if category is not None]
    scale = torch.tensor([record.width / width, record.height / height] * 2)
    boxes = output["boxes"][known] * scale
    masks = paste_masks(output["masks"][known], boxes, record.height, record.width)
    xywh = torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)
    return [
        {
            "image_id": record.image_id,
            "category_id": categories[row],
            "score": float(output["scores"][row]),
            "bbox": box,
            "segmentation": {"size": [record.height, record.width], "counts": mask},
        }
        for row, box, mask in zip(known, xywh.tolist(), masks, strict=True)
    ]


def detect(
    network: Any,
    records: Sequence[ImageRecord],
    category_ids: Sequence[int | None],
    image_size: int,
    *,
    batch_size: int,
    workers: int,
    device: torch.device,
) -> Iterator[list[dict[str, Any]] | None]:
    """What a network finds on each record, in order.

    Args:
        network: a Mask R-CNN in eval mode, on the device.
        records: images, whose instances are not looked at.
        category_ids: of the network's classes; None for one that is of no interest.
        image_size: px of the shorter side.
        batch_size: images.
        workers: processes that load images.
        device: where the network is.

    Yields:
        A record's results as COCO has them, boxes and masks in the frame of its annotations;
        None where its image cannot be read.
    """
    order = consecutive_batches(range(len(records)), batch_size)
    batches = load_batches(partial(_load, image_size), records, order, workers)
    for images, numbers in zip(batches, order, strict=True):
        readable = [image for image in images if image is not None]
        outputs = iter(_forward(network, [image.to(device).float() / 255 for image in readable]))
        for image, number in zip(images, numbers, strict=True):
            if image is None:
                yield None
            else:
                yield _results(next(outputs), image, records[number], category_ids)
