"""`tfdp train-score`: model-based scores of a dataset, without FiftyOne, as on a GPU server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ..files.stopping import stopping
from ..files.tables import write_arrow
from ..models.options import SegmentationOptions
from ..models.scoring_options import MODEL_SCORES
from ..skipped import Skipped
from ..sources.formats import open_sources
from .options import add_options, given_options
from .outputs import Outputs, add_skipped_option, check_names, stage_skipped
from .score import add_format_options
from .summary import describe_skipped

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from ..files.staging import Staging
    from ..models.score_log import ModelScores


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


def _write(
    scores: ModelScores, skipped: Skipped, staging: Staging, arguments: argparse.Namespace
) -> None:
    with staging.open(arguments.output) as file:
        write_arrow(tabulate_image_scores(scores), arguments.output, file)
    if arguments.instances is not None:
        with staging.open(arguments.instances) as file:
            write_arrow(tabulate_instance_scores(scores), arguments.instances, file)
    stage_skipped(skipped, arguments.skipped, staging)


def _run(arguments: argparse.Namespace) -> int:
    try:
        from ..models.segmentation import train_and_score
        from ..sources.records import read_records
    except ModuleNotFoundError as error:
        raise ValueError(
            f"train-score needs {error.name}: install the extra, pip install 'tfdp[models]'"
        ) from error
    asked = given_options(arguments, SegmentationOptions)
    options = SegmentationOptions.given(**asked)  # refuses before the images are read
    if not arguments.images.is_dir():
        raise ValueError(f"--images must be the folder of the images: {arguments.images} is none")
    check_names(tables=[arguments.output, arguments.instances, arguments.skipped])
    outputs = Outputs(
        arguments.instances,
        arguments.skipped,
        arguments.output,
        inputs=[arguments.annotations, Path(options.weights)],
        overwrite=arguments.overwrite,
    )
    outputs.check()  # before hours of training
    stopping.outcome = (
        f"no table was written; the same command goes on from what is in {arguments.log}"
    )
    sources = open_sources(arguments.annotations, arguments.format, arguments.split)
    records, crowds = read_records(sources, arguments.images)
    scores = train_and_score(records, arguments.log, **asked)
    skipped = Skipped([*crowds, *scores.rows.skipped])
    with outputs.write() as staging:
        _write(scores, skipped, staging, arguments)
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in scores.seconds.items())
    sys.stderr.write(f"{spent}; log in {arguments.log}; skipped: {skipped.summary()}\n")
    sys.stderr.writelines(f"{line}\n" for line in describe_skipped(scores.rows.skipped))
    return 0


def add_train_score_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add `train-score` to a program's sub-commands; `arguments.run(arguments)` runs it.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train-score",
        help="train Mask R-CNN on a dataset and score its images by what it learned",
        description=f"Scores by a trained Mask R-CNN: {', '.join(MODEL_SCORES)}. Started again "
        "after a kill, the same command goes on from the last epoch.",
    )
    add = parser.add_argument
    add("annotations", type=Path, metavar="PATH", help="as tfdp score takes it")
    add_format_options(parser)
    add("--images", type=Path, required=True, help="folder that the images' names are relative to")
    add_options(parser, SegmentationOptions)
    add("-o", "--output", type=Path, required=True, help="image scores, .csv or .parquet")
    add("--instances", type=Path, help="instance scores, .csv or .parquet")
    add_skipped_option(parser)
    add("--overwrite", action="store_true", help="replace the tables where they exist")
    add("--log", type=Path, required=True, help="folder of the training log and the checkpoint")
    parser.set_defaults(run=_run)
    return parser
