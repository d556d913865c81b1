"""``tfdp prune``: a COCO file of the best images of one, or the ids of those of any dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.image_files import HOW
from ..files.outputs import check_ending
from ..files.score_tables import read_score_tables
from ..selection.score_tables import find_score
from ..selection.select import SelectionOptions
from ..sources.coco_subset import stage_coco_subset
from ..sources.formats import find_format
from ..sources.selecting import select
from ..version import __version__
from .options import add_options, given_options
from .outputs import Outputs, check_names, say, stage_ids, stage_json, stage_skipped
from .prune_classes import add_class_pruning
from .score import add_scoring_options, add_tables_option, score_files
from .summary import describe_scores, describe_selection
from .tasks import CLASSIFICATION, SEGMENTATION, add_task_option

if TYPE_CHECKING:
    import argparse

    from ..files.staging import Staging
    from ..scores.shape_scores import ShapeScores
    from ..selection.selection import Selection

_SUBSET, _IDS = ".json", ".txt"  # what is written


def _check_output(arguments: argparse.Namespace) -> None:
    """Refuses an output that cannot be made of what is read."""
    path = arguments.output
    check_ending(path, [_SUBSET, _IDS])
    form = find_format(arguments.annotations, arguments.format)
    if path.suffix.lower() == _IDS:
        if arguments.images is not None:
            raise ValueError(f"--images goes with a pruned COCO file, but {path} holds ids alone")
    elif form.name != "coco":
        raise ValueError(
            f"{arguments.annotations} is {form.label}, of which no pruned file is written; end "
            f"{path} in {_IDS} for the ids of the images that are kept"
        )


def _report(
    arguments: argparse.Namespace, scores: ShapeScores, selection: Selection
) -> dict[str, Any]:
    return {
        "tfdp_version": __version__,
        "annotations": str(arguments.annotations),
        "output": str(arguments.output),
        "rasterizer": scores.rasterizer,
        **selection.to_dict(),
        "skipped": [item._asdict() for item in scores.skipped],
    }


def _stage_kept(arguments: argparse.Namespace, selection: Selection, staging: Staging) -> None:
    if arguments.output.suffix.lower() == _IDS:
        stage_ids(selection.keep_ids, arguments.output, staging)
        return
    stage_coco_subset(
        arguments.annotations,
        selection,
        arguments.output,
        arguments.images,
        staging,
        image_dir=arguments.image_dir,
    )


def _run(arguments: argparse.Namespace) -> None:
    asked = given_options(arguments, SelectionOptions)
    options = SelectionOptions.given(**asked)  # refuses before the work
    check_names(tables=[arguments.skipped], json=[arguments.report])
    _check_output(arguments)
    outputs = Outputs(
        arguments.report,
        arguments.skipped,
        arguments.output,
        inputs=[arguments.annotations, arguments.totals, *arguments.scores],
        overwrite=arguments.overwrite,
    )
    outputs.check()
    tables = read_score_tables(arguments.scores)
    find_score(tables, options.scorer)
    scores = score_files([arguments.annotations], arguments)
    selection = select(scores, tables=tables, **asked)
    with outputs.write() as staging:
        stage_json(_report(arguments, scores, selection), arguments.report, staging)
        stage_skipped(scores.skipped, arguments.skipped, staging)
        _stage_kept(arguments, selection, staging)
    say(describe_scores(scores))
    say(describe_selection(selection))
    say(f"written to {arguments.output}")


def _add_mask_pruning(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("annotations", type=Path, metavar="PATH", help="as tfdp score takes it")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        help="the pruned COCO file, .json; or the ids of the kept images, one a line, .txt",
    )
    parser.add_argument("--report", type=Path, help="a JSON report of what is kept and why")
    add_options(parser, SelectionOptions)
    add_tables_option(parser, "one of whose columns is the --scorer")
    parser.add_argument("--images", choices=HOW, help="put the kept images beside the output, too")
    parser.add_argument(
        "--image-dir", type=Path, metavar="DIR", help="where the images are (images, beside PATH)"
    )
    add_scoring_options(parser)
    parser.set_defaults(run=_run)


def add_prune_parser(subparsers: Any, task: str) -> None:
    """Adds ``prune`` to a program's sub-commands; ``arguments.run(arguments)`` runs it.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.
        task: whose arguments there are.
    """
    parser = subparsers.add_parser("prune", help="score a dataset and keep its best images")
    add_task_option(parser, task)
    add = {SEGMENTATION: _add_mask_pruning, CLASSIFICATION: add_class_pruning}[task]
    add(parser)
