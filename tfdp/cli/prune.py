"""``tfdp prune``: a COCO file of the best images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..selection.select import SelectionOptions, select
from ..sources.coco_subset import stage_coco_subset
from ..version import __version__
from .options import add_options, given_options
from .outputs import Outputs, check_names, say, stage_json, stage_skipped
from .score import add_scoring_options, score_files
from .summary import describe_scores, describe_selection

if TYPE_CHECKING:
    import argparse

    from ..scores.shape_scores import ShapeScores
    from ..selection.selection import Selection


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


def _run(arguments: argparse.Namespace) -> None:
    asked = given_options(arguments, SelectionOptions)
    SelectionOptions(**asked)  # refuses before the work
    check_names(tables=[arguments.skipped], json=[arguments.output, arguments.report])
    outputs = Outputs(
        arguments.report,
        arguments.skipped,
        arguments.output,
        inputs=[arguments.annotations, arguments.totals],
        overwrite=arguments.overwrite,
    )
    outputs.check()
    scores = score_files([arguments.annotations], arguments)
    selection = select(scores, **asked)
    with outputs.write() as staging:
        stage_json(_report(arguments, scores, selection), arguments.report, staging)
        stage_skipped(scores.skipped, arguments.skipped, staging)
        stage_coco_subset(
            arguments.annotations,
            selection,
            arguments.output,
            arguments.images,
            staging,
            image_dir=arguments.image_dir,
        )
    say(describe_scores(scores))
    say(describe_selection(selection))
    say(f"written to {arguments.output}")


def add_prune_parser(subparsers: Any) -> None:
    """Adds ``prune`` to a program's sub-commands; ``arguments.run(arguments)`` runs it."""
    parser = subparsers.add_parser("prune", help="score a COCO file and keep its best images")
    parser.add_argument("annotations", type=Path, metavar="ANN.json")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the pruned COCO file")
    parser.add_argument("--report", type=Path, help="a JSON report of what is kept and why")
    add_options(parser, SelectionOptions)
    parser.add_argument(
        "--images", choices=("copy", "symlink"), help="put the kept images beside the output, too"
    )
    parser.add_argument(
        "--image-dir", type=Path, metavar="DIR", help="where the images are (images, beside ANN)"
    )
    add_scoring_options(parser)
    parser.set_defaults(run=_run)
