"""``tfdp prune --task classification``: the ids of the best images of those with one class each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.outputs import check_ending
from ..files.score_tables import read_score_tables
from ..selection.score_tables import find_score
from ..selection.select import SelectionOptions
from ..sources.class_records import read_class_records
from ..sources.selecting_classes import CLASS_SCORERS, select_class_images
from ..version import __version__
from .options import add_options, given_options
from .outputs import (
    Outputs,
    add_skipped_option,
    check_names,
    say,
    stage_ids,
    stage_json,
    stage_skipped,
)
from .score import add_tables_option
from .summary import describe_selection, describe_skipped
from .tasks import add_class_path

if TYPE_CHECKING:
    import argparse

    from ..selection.selection import Selection
    from ..skipped import Skipped


def _report(
    arguments: argparse.Namespace, selection: Selection, skipped: Skipped
) -> dict[str, Any]:
    return {
        "tfdp_version": __version__,
        "annotations": str(arguments.annotations),
        "output": str(arguments.output),
        **selection.to_dict(),
        "skipped": [item._asdict() for item in skipped],
    }


def _run(arguments: argparse.Namespace) -> None:
    asked = given_options(arguments, SelectionOptions)
    options = SelectionOptions.given(**asked)  # refuses before the work
    check_ending(arguments.output, [".txt"])
    check_names(tables=[arguments.skipped], json=[arguments.report])
    outputs = Outputs(
        arguments.report,
        arguments.skipped,
        arguments.output,
        inputs=[arguments.annotations, *arguments.scores],
        overwrite=arguments.overwrite,
    )
    outputs.check()
    tables = read_score_tables(arguments.scores)
    find_score(tables, options.scorer)
    records, skipped = read_class_records(arguments.annotations)
    selection = select_class_images(records, tables=tables, **asked)
    with outputs.write() as staging:
        stage_json(_report(arguments, selection, skipped), arguments.report, staging)
        stage_skipped(skipped, arguments.skipped, staging)
        stage_ids(selection.keep_ids, arguments.output, staging)
    for line in (*describe_skipped(skipped), describe_selection(selection)):
        say(line)
    say(f"written to {arguments.output}")


def add_class_pruning(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of ``prune --task classification``."""
    add_class_path(parser)
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, help="ids of the kept images, one a line, .txt")
    add("--report", type=Path, help="a JSON report of what is kept and why")
    add_options(parser, SelectionOptions)
    add_tables_option(
        parser, f"one of whose columns is the --scorer; {' and '.join(CLASS_SCORERS)} need none"
    )
    add_skipped_option(parser)
    add("--overwrite", action="store_true", help="replace outputs that exist")
    parser.set_defaults(run=_run)
