"""What `tfdp train-score` can train: how each task is read, trained and told of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..files.listing import read_list
from ..models.options import ClassificationOptions, SegmentationOptions
from ..models.torchrun import find_started
from ..sources.formats import open_sources
from .score import add_format_options
from .tasks import CLASSIFICATION, SEGMENTATION, add_class_path

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from ..models.class_evaluation import Accuracy
    from ..models.options import TrainingOptions
    from ..models.score_log import ModelScores
    from ..skipped import Skipped


class Trained(NamedTuple):
    """What a training gave.

    Attributes:
        scores: of what it learned.
        skipped: what was passed over when the dataset was read.
        accuracy: on a test set, where one was named.
    """

    scores: ModelScores
    skipped: Skipped
    accuracy: Accuracy | None = None


@dataclass(frozen=True)
class Trainable:
    """What can be trained.

    Attributes:
        what: is trained, for people.
        options: of its training.
        add_arguments: adds what the command takes beside them, the path of the dataset first.
        train: does it, with what was given of the options.
    """

    what: str
    options: type[TrainingOptions]
    add_arguments: Callable[[ArgumentParser], None]
    train: Callable[[Namespace, dict[str, Any]], Trained]


def _add_segmentation_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("annotations", type=Path, metavar="PATH", help="as tfdp score takes it")
    add_format_options(parser)
    add("--images", type=Path, required=True, help="folder that the images' names are relative to")
    add("--instances", type=Path, help="instance scores, .csv or .parquet")


def _train_segmentation(arguments: Namespace, asked: dict[str, Any]) -> Trained:
    from ..models.segmentation import train_and_score
    from ..sources.records import read_records

    sources = open_sources(arguments.annotations, arguments.format, arguments.split)
    records, crowds = read_records(sources, arguments.images)
    return Trained(train_and_score(records, arguments.log, **asked), crowds)


def _add_classification_arguments(parser: ArgumentParser) -> None:
    add_class_path(parser)
    add = parser.add_argument
    add("--images", type=Path, help="folder that a table's file names are relative to (its own)")
    add("--keep", type=Path, metavar="FILE", help="ids of the images to train on, one a line")
    add("--test", type=Path, metavar="PATH", help="other images, of which to say the top-1")
    add("--report", type=Path, metavar="FILE", help="the top-1, also of each class, .json")


def _train_classification(arguments: Namespace, asked: dict[str, Any]) -> Trained:
    from ..models.class_evaluation import evaluate_classifier
    from ..models.classification import train_and_score_classes
    from ..models.training_log import CHECKPOINT
    from ..sources.class_records import keep_records, read_class_records

    records, skipped = read_class_records(arguments.annotations, arguments.images)
    test = None if arguments.test is None else read_class_records(arguments.test)[0]
    if arguments.keep is not None:
        records = keep_records(records, read_list(arguments.keep), arguments.keep)
    scores = train_and_score_classes(records, arguments.log, **asked)
    if test is None or find_started().rank > 0:
        return Trained(scores, skipped)
    options = ClassificationOptions.given(**asked)
    accuracy = evaluate_classifier(
        arguments.log / CHECKPOINT,
        test,
        crops=options.crops,
        device=options.device,
        workers=options.workers,
    )
    return Trained(scores, skipped, accuracy)


TRAINED = {
    SEGMENTATION: Trainable(
        "a Mask R-CNN on instance masks",
        SegmentationOptions,
        _add_segmentation_arguments,
        _train_segmentation,
    ),
    CLASSIFICATION: Trainable(
        "a classifier on images with one class each",
        ClassificationOptions,
        _add_classification_arguments,
        _train_classification,
    ),
}
