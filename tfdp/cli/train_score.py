"""`tfdp train-score`: model-based scores of a dataset, without FiftyOne, as on a GPU server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ..files.stopping import stopping
from ..files.tables import write_arrow
from ..models.packages import find_missing_packages
from ..models.scoring_options import MODEL_SCORES
from ..models.torchrun import find_started
from ..skipped import Skipped
from ..version import __version__
from .options import add_options, given_options
from .outputs import Outputs, add_skipped_option, check_names, say, stage_json, stage_skipped
from .summary import describe_accuracy, describe_skipped
from .tasks import add_task_option
from .train_tasks import TRAINED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from ..files.staging import Staging
    from ..models.class_evaluation import Accuracy
    from ..models.score_log import ModelScores
    from .train_tasks import Trained

OF_SOME_TASKS = ("instances", "keep", "report", "test")  # arguments that not every task has


def _ids(values: list[Any]) -> pa.Array[Any]:
    """Ids as a column; integers beside strings become strings."""
    one_type = len(set(map(type, values))) < 2
    return pa.array(values if one_type else [str(value) for value in values])


def _scores(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, pa.Array[Any]]:
    """Scores as columns; NaN, where there is none, becomes null."""
    return {name: pa.array(column, from_pandas=True) for name, column in columns.items()}


def tabulate_image_scores(scores: ModelScores) -> pa.Table:
    """`image_id` and the image scores."""
    return pa.table({"image_id": _ids(scores.rows.image_ids), **_scores(scores.image_scores)})


def tabulate_instance_scores(scores: ModelScores) -> pa.Table:
    """`annotation_id`, `image_id`, `category` and the instance scores."""
    rows = scores.rows
    ids = {
        "annotation_id": _ids(rows.instance_ids),
        "image_id": _ids([rows.image_ids[i] for i in rows.image_index]),
        "category": pa.array(rows.labels),
    }
    return pa.table({**ids, **_scores(scores.instance_scores)})


def _report(trained: Trained, accuracy: Accuracy, arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "tfdp_version": __version__,
        "training": trained.scores.run,
        "trained_images": int(trained.scores.rows.scorable.sum()),
        "test": str(arguments.test),
        **accuracy._asdict(),
        "skipped": [item._asdict() for item in accuracy.skipped],
    }


def _write(
    trained: Trained, skipped: Skipped, staging: Staging, arguments: argparse.Namespace
) -> None:
    with staging.open(arguments.output) as file:
        write_arrow(tabulate_image_scores(trained.scores), arguments.output, file)
    if arguments.instances is not None:
        with staging.open(arguments.instances) as file:
            write_arrow(tabulate_instance_scores(trained.scores), arguments.instances, file)
    stage_skipped(skipped, arguments.skipped, staging)
    if trained.accuracy is not None:
        stage_json(_report(trained, trained.accuracy, arguments), arguments.report, staging)


def _open_outputs(arguments: argparse.Namespace, weights: str) -> Outputs:
    """The outputs, refused where they cannot be written: before hours of training."""
    check_names(
        tables=[arguments.output, arguments.instances, arguments.skipped], json=[arguments.report]
    )
    outputs = Outputs(
        arguments.instances,
        arguments.report,
        arguments.skipped,
        arguments.output,
        inputs=[arguments.annotations, arguments.keep, arguments.test, Path(weights)],
        overwrite=arguments.overwrite,
    )
    outputs.check()
    return outputs


def _check_inputs(arguments: argparse.Namespace, epochs: int) -> None:
    if arguments.images is not None and not arguments.images.is_dir():
        raise ValueError(f"--images must be the folder of the images: {arguments.images} is none")
    if arguments.test is not None and epochs == 0:
        raise ValueError("--test needs a trained network: ask for 1 epoch or more")
    if arguments.report is not None and arguments.test is None:
        raise ValueError("--report tells of the images of --test: name these, too")


def _tell(trained: Trained, skipped: Skipped, log: Path) -> None:
    scores = trained.scores
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in scores.seconds.items())
    sys.stderr.write(f"{spent}; log in {log}; skipped: {skipped.summary()}\n")
    sys.stderr.writelines(f"{line}\n" for line in describe_skipped(scores.rows.skipped))
    if trained.accuracy is not None:
        say(describe_accuracy(trained.accuracy))


def _run(arguments: argparse.Namespace) -> int:
    task = TRAINED[arguments.task]
    if missing := find_missing_packages():
        raise ValueError(
            f"train-score needs {' and '.join(missing)}: run pip install {' '.join(missing)}"
        )
    asked = given_options(arguments, task.options)
    options = task.options.given(**asked)  # refuses before the images are read
    _check_inputs(arguments, options.epochs)
    outputs = _open_outputs(arguments, options.weights)
    stopping.outcome = (
        f"no table was written; the same command goes on from what is in {arguments.log}"
    )
    stopping.quiet = find_started().rank > 0
    trained = task.train(arguments, asked)
    if find_started().rank > 0:  # the first process writes what all have found
        return 0
    skipped = Skipped([*trained.skipped, *trained.scores.rows.skipped])
    with outputs.write() as staging:
        _write(trained, skipped, staging, arguments)
    _tell(trained, skipped, arguments.log)
    return 0


def add_train_score_parser(subparsers: Any, task: str) -> None:
    """Adds ``train-score`` to a program's sub-commands; ``arguments.run(arguments)`` runs it.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.
        task: whose arguments there are.
    """
    trained = TRAINED[task]
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train-score",
        help="train a network on a dataset and score its images by what it learned",
        description=f"Trains {trained.what}, and scores each image by what it said:"
        f" {', '.join(MODEL_SCORES)}. Started again after a kill, the same command goes on from the"
        " last epoch.",
    )
    add = parser.add_argument
    add_task_option(parser, task)
    trained.add_arguments(parser)
    add_options(parser, trained.options)
    add("-o", "--output", type=Path, required=True, help="image scores, .csv or .parquet")
    add_skipped_option(parser)
    add("--overwrite", action="store_true", help="replace the outputs where they exist")
    add("--log", type=Path, required=True, help="folder of the training log and the checkpoint")
    parser.set_defaults(run=_run, **dict.fromkeys(OF_SOME_TASKS))
