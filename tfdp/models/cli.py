"""`tfdp train-score`: model-based scores of a COCO file, without FiftyOne, as on a GPU server."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..skipped import Skipped
from .aggregation import AGGREGATIONS, REGIONS

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

    from .score_log import ModelScores


def _write_csv(path: Path, columns: dict[str, Any]) -> None:
    """One row an entry; an empty cell for NaN."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*map(_cells, columns.values()), strict=True))


def _cells(values: list[Any] | NDArray[np.float64]) -> list[Any]:
    if isinstance(values, list):
        return ["" if value is None else value for value in values]
    return ["" if np.isnan(value) else repr(value) for value in values.tolist()]


def write_image_scores(scores: ModelScores, path: Path) -> None:
    """Write `image_id` and the image scores."""
    _write_csv(path, {"image_id": scores.rows.image_ids, **scores.image_scores})


def write_instance_scores(scores: ModelScores, path: Path) -> None:
    """Write `annotation_id`, `image_id`, `category` and the instance scores."""
    rows = scores.rows
    columns = {
        "annotation_id": rows.instance_ids,
        "image_id": [rows.image_ids[i] for i in rows.image_index],
        "category": rows.labels,
    }
    _write_csv(path, columns | scores.instance_scores)


def _run(arguments: argparse.Namespace) -> int:
    try:
        from .records import read_coco_records
        from .segmentation import train_and_score
    except ModuleNotFoundError as error:
        raise ValueError(
            f"train-score needs {error.name}: install the extra, pip install 'tfdp[models]'"
        ) from error
    records, crowds = read_coco_records(arguments.annotations, arguments.images)
    scores = train_and_score(
        records,
        arguments.log,
        model=arguments.model,
        weights=arguments.weights,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        image_size=arguments.image_size,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
        device=arguments.device,
        workers=arguments.workers,
        scores=arguments.scores,
        window=arguments.window,
        region=arguments.region,
        aggregation=arguments.aggregation,
    )
    write_image_scores(scores, arguments.output)
    if arguments.instances is not None:
        write_instance_scores(scores, arguments.instances)
    skipped = Skipped([*crowds, *scores.rows.skipped])
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in scores.seconds.items())
    sys.stderr.write(f"{spent}; log in {arguments.log}; skipped: {skipped.summary()}\n")
    for item in scores.rows.skipped:
        sys.stderr.write(f"  {item.kind} {item.id}: {item.reason} {item.detail}\n")
    return 0


def add_train_score_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add `train-score` to a program's sub-commands; `arguments.run(arguments)` runs it.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train-score",
        help="train Mask R-CNN on a COCO file and score its images by what it learned",
        description="Scores by a trained Mask R-CNN: entropy, loss, el2n, forgetting, aum, dyn_unc,"
        " dual. Started again after a kill, the same command goes on from the last epoch.",
    )
    add = parser.add_argument
    add("annotations", type=Path, help="COCO instance file")
    add("--images", type=Path, required=True, help="folder of the images")
    add(
        "--model", default="maskrcnn_resnet50_fpn", help="maskrcnn_resnet50_fpn[_v2], _resnet18_fpn"
    )
    add("--weights", default="imagenet", help="none, imagenet, coco or a checkpoint's path")
    add("--epochs", type=int, default=12, help="0 scores the weights as they are")
    add("--batch-size", type=int, default=2, help="images")
    add("--image-size", type=int, default=800, help="shorter side, px")
    add("--learning-rate", type=float, default=0.02, help="for 16 images; scaled to the batch")
    add("--seed", type=int, default=0)
    add("--device", help="cuda, mps or cpu; the best there is by default")
    add("--workers", type=int, help="processes that load images")
    add("--scores", nargs="+", metavar="SCORE", help="all that the run can give by default")
    add("--window", type=int, help="epochs of dyn_unc and dual; min(10, max(2, epochs / 2))")
    add("--region", choices=REGIONS, default="roi", help="pixels of the box, or of the mask")
    add("--aggregation", choices=AGGREGATIONS, default="sum", help="instances to images")
    add("-o", "--output", type=Path, required=True, help="image scores, CSV")
    add("--instances", type=Path, help="instance scores, CSV")
    add("--log", type=Path, required=True, help="folder of the training log and the checkpoint")
    parser.set_defaults(run=_run)
    return parser
