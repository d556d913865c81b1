"""Mask and box AP of a trained Mask R-CNN, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from typing import TYPE_CHECKING, Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ..progress import shown
from ..sources.formats import open_sources
from ..sources.joining import unique_names
from ..sources.records import read_records
from .checkpoints import load_weights, read_checkpoint
from .detection import detect
from .loading import default_workers
from .mask_rcnn import blank_mask_rcnn
from .training import find_device

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..progress import Progress
    from .checkpoints import Checkpoint

KINDS = ("segm", "bbox")  # masks, boxes
METRICS = {  # name: overlap (of 50, 55, ... 95 %) and sizes (all, small, medium, large) of COCOeval
    "AP": (slice(None), 0),
    "AP50": (0, 0),
    "AP75": (5, 0),
    "APS": (slice(None), 1),
    "APM": (slice(None), 2),
    "APL": (slice(None), 3),
}
MAX_DETECTIONS = 100  # of an image: COCO's own


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


def _mean_precision(precision: NDArray[np.float64]) -> float:
    found = precision[precision > -1]  # -1 = no ground truth
    return float(found.mean()) if found.size else float("nan")


def summarize(evaluation: Any, class_names: dict[int, str] | None = None) -> dict[str, Any]:
    """AP and its parts in [0, 1], NaN where the ground truth has nothing of the kind.

    Args:
        evaluation: an accumulated COCOeval; its largest number of detections counts.
        class_names: category id -> name, for `per_class`.
    """
    precision = evaluation.eval["precision"][..., -1]  # (overlaps, recalls, classes, sizes)
    result: dict[str, Any] = {
        name: _mean_precision(precision[overlap, ..., size])
        for name, (overlap, size) in METRICS.items()
    }
    if class_names is not None:
        result["per_class"] = {
            class_names[category]: _mean_precision(precision[:, :, number, 0])
            for number, category in enumerate(evaluation.params.catIds)
        }
    return result


def _count_instances(truth: COCO) -> Counter[Any]:
    """Image id -> number of instances."""
    annotations = truth.dataset["annotations"]
    return Counter(a["image_id"] for a in annotations if not a.get("iscrowd"))


def _evaluate(
    truth: COCO, results: list[dict[str, Any]], kind: str, max_detections: int = MAX_DETECTIONS
) -> COCOeval:
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
        evaluation.params.maxDets = [max_detections]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def evaluate_checkpoint(
    path: Path,
    annotations: Path,
    images: Path,
    *,
    per_class: bool = False,
    max_detections: int | None = MAX_DETECTIONS,
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
        max_detections: of an image that count, the surest first. Where an image has more instances
            than COCO's usual 100, the others cannot be found: None takes as many as the fullest
            image has, at least 100.
        batch_size: images.
        device: "cuda", "mps", "cpu"; the best there is if None.
        workers: processes that load images; 0 on the CPU, at most 8 elsewhere if None.
        progress: called with a fraction and a message; a progress bar if None.

    Returns:
        `segm` and `bbox`, each AP, AP50, AP75, APS, APM, APL in [0, 1] and, if asked for,
        `per_class`; `unreadable`, ids of images without a detection for that reason; `crowded`,
        ids of images with more instances than `max_detections`, which is beside it.

    Raises:
        ValueError: the checkpoint or the file cannot be used.
    """
    checkpoint = read_checkpoint(path)
    target_device = find_device(device)
    network = load_network(checkpoint, f"{path}").to(target_device)
    records, _ = read_records(open_sources(annotations), images)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        truth = COCO(str(annotations))
    instances = _count_instances(truth)
    limit = max_detections
    if limit is None:
        limit = max([MAX_DETECTIONS, *instances.values()])
    network.roi_heads.detections_per_img = limit
    categories = {category["id"]: category["name"] for category in truth.dataset["categories"]}
    names = dict(zip(categories, unique_names(categories), strict=True))
    id_of = {name: category for category, name in names.items()}
    results: list[dict[str, Any]] = []
    unreadable = []
    found = detect(
        network,
        records,
        [id_of.get(name) for name in checkpoint.classes],
        checkpoint.image_size,
        batch_size=batch_size,
        workers=default_workers(target_device) if workers is None else workers,
        device=target_device,
    )
    with shown(progress or True) as show:
        for number, (record, of_image) in enumerate(zip(records, found, strict=True), 1):
            if of_image is None:
                unreadable.append(record.image_id)
            results += of_image or []
            show(number / len(records), f"evaluating image {number}/{len(records)}")
    scores = {
        kind: summarize(_evaluate(truth, results, kind, limit), names if per_class else None)
        for kind in KINDS
    }
    crowded = [image for image, count in instances.items() if count > limit]
    return scores | {"unreadable": unreadable, "max_detections": limit, "crowded": crowded}
