"""Mask and box AP of a trained Mask R-CNN, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchvision.models.detection.roi_heads import paste_masks_in_image

from ..progress import shown
from ..sources.formats import open_sources
from ..sources.joining import unique_names
from ..sources.records import read_records
from .checkpoints import load_weights, read_checkpoint
from .data import load_image
from .images import image_problem
from .loading import consecutive_batches, default_workers, load_batches
from .mask_rcnn import blank_mask_rcnn
from .training import find_device

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..progress import Progress
    from ..sources.records import ImageRecord
    from .checkpoints import Checkpoint

KINDS = ("segm", "bbox")  # masks, boxes
METRICS = ("AP", "AP50", "AP75", "APS", "APM", "APL")  # the order of COCOeval.stats


def load_network(checkpoint: Checkpoint, source: str) -> Any:
    """The Mask R-CNN of a checkpoint of ours, in eval mode.

    Raises:
        ValueError: it does not name its model and classes, or does not fit.
    """
    if not checkpoint.model or not checkpoint.classes:
        raise ValueError(f"{source}: expected a checkpoint of ours, with its model and classes")
    network = blank_mask_rcnn(checkpoint.model, len(checkpoint.classes), pretrained=True)
    load_weights(network, checkpoint.weights, source)
    return network.eval()


def summarize(evaluation: Any, class_names: dict[int, str] | None = None) -> dict[str, Any]:
    """AP and its parts in [0, 1], NaN where the ground truth has nothing of the kind.

    Args:
        evaluation: an accumulated and summarized COCOeval.
        class_names: category id -> name, for `per_class`.
    """
    values = [float(value) if value >= 0 else float("nan") for value in evaluation.stats[:6]]
    result: dict[str, Any] = dict(zip(METRICS, values, strict=True))
    if class_names is not None:
        precision = evaluation.eval["precision"][..., 0, -1]  # (thresholds, recalls, classes)
        result["per_class"] = {
            class_names[category]: _mean_precision(precision[..., number])
            for number, category in enumerate(evaluation.params.catIds)
        }
    return result


def _mean_precision(precision: NDArray[np.float64]) -> float:
    found = precision[precision > -1]  # -1 = no ground truth
    return float(found.mean()) if found.size else float("nan")


def _load(image_size: int, record: ImageRecord, _number: int) -> torch.Tensor:
    return load_image(record, [], image_size)[0].float() / 255


def _detect(network: Any, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    """Boxes, scores, labels and 28 x 28 masks: the plain forward without its full-size masks."""
    batch, _ = network.transform(images)
    features = network.backbone(batch.tensors)
    proposals, _ = network.rpn(batch, features)
    found: list[dict[str, torch.Tensor]]
    found, _ = network.roi_heads(features, proposals, batch.image_sizes)
    return [{name: value.cpu() for name, value in output.items()} for output in found]


def _results(
    output: dict[str, torch.Tensor],
    image: torch.Tensor,
    record: ImageRecord,
    category_ids: list[int | None],
) -> list[dict[str, Any]]:
    """COCO results of one image, at its own size; classes that the file lacks are left out."""
    height, width = image.shape[-2:]
    boxes = output["boxes"] * torch.tensor([record.width / width, record.height / height] * 2)
    results = []
    for k, (label, score) in enumerate(
        zip(output["labels"].tolist(), output["scores"].tolist(), strict=True)
    ):
        x1, y1, x2, y2 = boxes[k].tolist()
        pasted = paste_masks_in_image(  # one at a time: they are of the image's full size
            output["masks"][k : k + 1], boxes[k : k + 1], (record.height, record.width)
        )
        mask = np.asfortranarray(pasted[0, 0].numpy() > 0.5, np.uint8)
        result = {
            "image_id": record.image_id,
            "category_id": category_ids[label - 1],
            "score": score,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "segmentation": coco_mask.encode(mask),
        }
        if result["category_id"] is not None:
            results.append(result)
    return results


def _evaluate(truth: COCO, results: list[dict[str, Any]], kind: str) -> COCOeval:
    """COCOeval of masks or boxes; of masks alone, areas are the masks'."""
    other = {"segm": "bbox", "bbox": "segmentation"}[kind]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        if results:
            found = truth.loadRes(
                [{key: value for key, value in r.items() if key != other} for r in results]
            )
        else:
            found = COCO()
            found.dataset = {**truth.dataset, "annotations": []}
            found.createIndex()
        evaluation = COCOeval(truth, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def evaluate_checkpoint(
    path: Path,
    annotations: Path,
    images: Path,
    *,
    per_class: bool = False,
    batch_size: int = 2,
    device: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Average precision of a checkpoint on a COCO instance file, crowds handled as COCO does.

    Args:
        path: a checkpoint of ours.
        annotations: the COCO file; classes are matched by name.
        images: folder of its images; those that cannot be read count as without a detection.
        per_class: whether to give AP of each class, too.
        batch_size: images.
        device: "cuda", "mps", "cpu"; the best there is if None.
        workers: processes that load images; 0 on the CPU, at most 8 elsewhere if None.
        progress: called with a fraction and a message; a progress bar if None.

    Returns:
        `segm` and `bbox`, each AP, AP50, AP75, APS, APM, APL in [0, 1] and, if asked for,
        `per_class`; and `unreadable`, ids of images without a detection for that reason.

    Raises:
        ValueError: the checkpoint or the file cannot be used.
    """
    checkpoint = read_checkpoint(path)
    target_device = find_device(device)
    network = load_network(checkpoint, f"{path}").to(target_device)
    loaders = default_workers(target_device) if workers is None else workers
    records, _ = read_records(open_sources(annotations), images)
    readable = [r for r in records if image_problem(r.path, (r.width, r.height)) is None]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        truth = COCO(str(annotations))
    categories = {category["id"]: category["name"] for category in truth.dataset["categories"]}
    names = dict(zip(categories, unique_names(categories), strict=True))
    id_of = {name: category for category, name in names.items()}
    category_ids = [id_of.get(name) for name in checkpoint.classes]
    results: list[dict[str, Any]] = []
    order = consecutive_batches(len(readable), batch_size)
    loaded = load_batches(partial(_load, checkpoint.image_size), readable, order, loaders)
    with shown(progress or True) as show:
        for batch, numbers in zip(loaded, order, strict=True):
            with torch.inference_mode():
                outputs = _detect(network, [image.to(target_device) for image in batch])
            for output, image, number in zip(outputs, batch, numbers, strict=True):
                results += _results(output, image, readable[number], category_ids)
            done = int(numbers[-1]) + 1
            show(done / len(readable), f"evaluating image {done}/{len(readable)}")
    scores = {
        kind: summarize(_evaluate(truth, results, kind), names if per_class else None)
        for kind in KINDS
    }
    read = {record.image_id for record in readable}
    return scores | {"unreadable": [r.image_id for r in records if r.image_id not in read]}
