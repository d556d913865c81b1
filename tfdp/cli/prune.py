"""``tfdp prune``: a COCO file of the best images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..scores.shape_scores import list_scorers
from ..selection.criteria import POLICIES, UNANNOTATED
from ..selection.select import select
from ..sources.coco_subset import stage_coco_subset
from ..version import __version__
from .outputs import Outputs, check_names, say, stage_json, stage_skipped
from .score import add_scoring_options, score_files
from .summary import describe_scores, describe_selection

if TYPE_CHECKING:
    import argparse

    from ..scores.shape_scores import ShapeScores
    from ..selection.selection import Selection


def _select(scores: ShapeScores, arguments: argparse.Namespace) -> Selection:
    return select(
        scores,
        arguments.rate,
        keep=arguments.keep,
        threshold=arguments.threshold,
        scorer=arguments.scorer,
        policy=arguments.policy,
        min_per_class=arguments.min_per_class,
        unannotated=arguments.unannotated,
        beta=arguments.beta,
        seed=arguments.seed,
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


def _run(arguments: argparse.Namespace) -> None:
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
    selection = _select(scores, arguments)
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
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--rate", type=float, help="fraction of the scored images to remove")
    budget.add_argument("--keep", type=int, metavar="N", help="number of scored images to keep")
    budget.add_argument("--threshold", type=float, help="keep images that score this or more")
    parser.add_argument("--scorer", choices=list_scorers(), default="cb_scs")
    parser.add_argument("--policy", choices=POLICIES, default="top")
    parser.add_argument("--min-per-class", type=int, default=0, metavar="N")
    parser.add_argument("--unannotated", choices=UNANNOTATED, default="prune")
    parser.add_argument("--beta", type=float, default=0.0, help="of the policy stratified")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--images", choices=("copy", "symlink"), help="put the kept images beside the output, too"
    )
    parser.add_argument(
        "--image-dir", type=Path, metavar="DIR", help="where the images are (images, beside ANN)"
    )
    add_scoring_options(parser)
    parser.set_defaults(run=_run)
