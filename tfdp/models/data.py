"""Images with their instance masks as a network takes them: checked, resized, mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import torch
from torchvision.ops import roi_align

from ..geometry.masks import MaskProblem, mask_runs_to_bitmaps
from ..geometry.run_lengths import mask_runs_from_rle
from .images import image_problem, image_tensor, read_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..sources.records import ImageRecord

TARGET_SIDE = 28  # pixels of the mask head's output; torchvision's and the paper's
SMALLEST_BOX = 0.01  # px; below, float32 coordinates give boxes without an area
LONGEST_SIDE = 1333 / 800  # of the image size: the usual recipe's limits


class Checked(NamedTuple):
    """What `check_record` found: targets of the usable instances, reasons for the others."""

    problem: tuple[str, str] | None  # (reason, detail): the image cannot be used
    instance_problems: list[str | None]  # (n,) reasons
    targets: NDArray[np.uint8]  # (n, 98) the 784 pixels of the target, as bits


def check_record(record: ImageRecord, classes: Sequence[str] | None = None) -> Checked:
    """Read the image and all masks once; the mask head's targets, or why there are none.

    The target is roi_align(mask) >= 0.5 on the ground-truth box, at the mask's own resolution: it
    depends neither on the image size that the network sees, nor on the epoch.

    Args:
        record: image and instances.
        classes: the network's classes; None for any.
    """
    count = len(record.instance_ids)
    targets = np.zeros((count, TARGET_SIDE**2 // 8), np.uint8)
    unreadable = image_problem(record.path, expected=(record.width, record.height))
    if unreadable is not None:
        return Checked(unreadable, [None] * count, targets)
    problems = [_instance_problem(record, j, classes) for j in range(count)]
    for j, problem in enumerate(problems):
        if problem is None:
            targets[j] = np.packbits(mask_target(decode_mask(record, j), clipped_boxes(record)[j]))
    return Checked(None, problems, targets)


def network_size(height: int, width: int, image_size: int) -> tuple[int, int]:
    """(height, width) for the shorter side image_size px, the longer at most 1333/800 of it."""
    longest = round(image_size * LONGEST_SIDE)
    scale = min(image_size / min(height, width), longest / max(height, width))
    return max(round(height * scale), 1), max(round(width * scale), 1)


def clipped_boxes(record: ImageRecord) -> NDArray[np.float64]:
    """(n, 4) x1, y1, x2, y2 px inside the image."""
    boxes = np.asarray(record.boxes, np.float64).reshape(-1, 4)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    limits = [record.width, record.height] * 2
    return np.clip(corners, 0, limits)


def decode_mask(record: ImageRecord, index: int) -> NDArray[np.bool_]:
    """(height, width) mask of an instance that has one.

    Raises:
        ValueError: it cannot be read, or is not of the image's size; its text is the reason.
    """
    counts = record.masks[index]
    assert counts is not None
    masks, problems = mask_runs_from_rle(
        [counts], np.array([record.height]), np.array([record.width])
    )
    if problems[0]:
        raise ValueError(MaskProblem(problems[0]).name.lower())
    return np.ascontiguousarray(mask_runs_to_bitmaps(masks)[0])


def mask_target(mask: NDArray[np.bool_], box: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The mask head's target, roi_align(mask) >= 0.5.

    Args:
        mask: (H, W) bool.
        box: (4,) x1, y1, x2, y2 px, inside the mask.

    Returns:
        (784,) of 28 x 28 pixels, row by row.
    """
    # on a crop: the same values as on the whole mask, with less memory
    left, top = np.maximum(np.floor(box[:2]).astype(int) - 1, 0)
    right, bottom = np.ceil(box[2:]).astype(int) + 2
    crop = torch.from_numpy(mask[top:bottom, left:right].astype(np.float32))[None, None]
    roi = torch.tensor(box - [left, top, left, top], dtype=torch.float32)[None]
    target = roi_align(crop, [roi], (TARGET_SIDE, TARGET_SIDE))[0, 0] >= 0.5
    result: NDArray[np.bool_] = target.flatten().numpy()
    return result


def load_example(
    record: ImageRecord, rows: Sequence[int], image_size: int, *, flip: bool
) -> dict[str, Any]:
    """Image, boxes and masks of some of a record's instances at the network's size.

    Args:
        record: a checked record.
        rows: the usable instances, indices into the record's.
        image_size: px of the shorter side.
        flip: mirror left and right.

    Returns:
        image (3, h, w) uint8, boxes (r, 4) x1 y1 x2 y2 px, masks (r, h, w) uint8.
    """
    image, boxes = load_image(record, rows, image_size)
    height, width = image.shape[-2:]
    masks = np.zeros((len(rows), height, width), np.uint8)
    for mask, row in zip(masks, rows, strict=True):
        full = decode_mask(record, row).view(np.uint8)
        cv2.resize(full, (width, height), mask, 0, 0, cv2.INTER_NEAREST_EXACT)
    example = {"image": image, "boxes": boxes, "masks": torch.from_numpy(masks)}
    return _flipped(example) if flip else example


def load_image(
    record: ImageRecord, rows: Sequence[int], image_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Image (3, h, w) uint8 and boxes (r, 4) x1 y1 x2 y2 px at the network's size."""
    height, width = network_size(record.height, record.width, image_size)
    frame = (record.width, record.height)
    image = image_tensor(read_image(record.path, (width, height), expected=frame))
    scale = np.array([width / record.width, height / record.height] * 2)
    boxes = clipped_boxes(record)[list(rows)] * scale
    return image, torch.from_numpy(boxes.astype(np.float32))


def _instance_problem(record: ImageRecord, index: int, classes: Sequence[str] | None) -> str | None:
    label = record.labels[index]
    x1, y1, x2, y2 = clipped_boxes(record)[index]
    if label is None:
        return "no_class"
    if classes is not None and label not in classes:
        return "class_unknown_to_model"
    if record.masks[index] is None:
        return "no_mask"
    try:
        is_empty = not decode_mask(record, index).any()
    except ValueError as error:
        return str(error)
    if is_empty:
        return "empty_mask"
    has_area = min(x2 - x1, y2 - y1) >= SMALLEST_BOX  # which NaN is not
    return None if has_area else "box_without_area"


def _flipped(example: dict[str, Any]) -> dict[str, Any]:
    boxes, width = example["boxes"], example["image"].shape[-1]
    mirrored = torch.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    return {
        "image": example["image"].flip(-1),
        "boxes": mirrored,
        "masks": example["masks"].flip(-1),
    }
