"""``tfdp score``: the scores of datasets as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.tables import write_table
from ..files.totals_file import dump_totals, read_totals
from ..geometry.rasterize import RASTERIZERS
from ..selection.select import SelectionOptions
from ..sources.formats import FORMATS
from ..sources.scoring import score
from .options import add_options
from .outputs import (
    Outputs,
    add_skipped_option,
    check_names,
    say,
    stage_json,
    stage_skipped,
)
from .summary import describe_scores

if TYPE_CHECKING:
    import argparse

    from ..scores.shape_scores import ShapeScores


def score_files(paths: list[Path], arguments: argparse.Namespace) -> ShapeScores:
    """The scores of files and folders, by the options of `add_scoring_options`."""
    rasterizer = arguments.rasterizer
    totals = read_totals(arguments.totals, rasterizer) if arguments.totals else None
    return score(paths, arguments.format, rasterizer, totals, split=arguments.split)


def add_format_options(parser: argparse.ArgumentParser) -> None:
    """Adds what every command that reads annotations takes."""
    parser.add_argument(
        "--format", choices=list(FORMATS), help="of what is read; told from what is there"
    )
    parser.add_argument(
        "--split", metavar="NAME", help="a part of a folder that is read alone, such as train"
    )


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Adds what every command that measures outlines takes."""
    add_format_options(parser)
    parser.add_argument(
        "--rasterizer",
        choices=list(RASTERIZERS),
        default="coco",
        help="what draws polygons: as pycocotools does, or as the paper's released code (coco)",
    )


def add_tables_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds ``--scores`` to a command that takes scores of elsewhere; ``what`` says for what."""
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help=f"tables, .csv or .parquet, {what}: with image_id, as train-score writes them",
    )


def add_scoring_options(parser: argparse.ArgumentParser) -> None:
    """Adds what every command that scores takes."""
    add_reading_options(parser)
    parser.add_argument(
        "--totals", type=Path, metavar="FILE", help="class totals of data scored before"
    )
    add_skipped_option(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace outputs that exist")


def _run(arguments: argparse.Namespace) -> None:
    check_names(
        tables=[arguments.output, arguments.instances, arguments.skipped],
        json=[arguments.save_totals],
    )
    outputs = Outputs(
        arguments.instances,
        arguments.save_totals,
        arguments.skipped,
        arguments.output,
        inputs=[*arguments.annotations, arguments.totals],
        overwrite=arguments.overwrite,
    )
    outputs.check()
    scores = score_files(arguments.annotations, arguments)
    images = scores.image_table(arguments.aggregation)
    tables = {arguments.output: images, arguments.instances: scores.instances}
    with outputs.write() as staging:
        for path, table in tables.items():
            if path is not None:
                with staging.open(path) as file:
                    write_table(table, path, file)
        stage_json(
            dump_totals(scores.class_totals, scores.rasterizer), arguments.save_totals, staging
        )
        stage_skipped(scores.skipped, arguments.skipped, staging)
    say(describe_scores(scores))


def add_score_parser(subparsers: Any) -> None:
    """Adds ``score`` to a program's sub-commands; ``arguments.run(arguments)`` runs it."""
    parser = subparsers.add_parser("score", help="score datasets, image by image")
    parser.add_argument(
        "annotations",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="; ".join(f"{known.label}: {known.description}" for known in FORMATS.values()),
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="image scores, .csv or .parquet"
    )
    parser.add_argument("--instances", type=Path, help="instance scores, .csv or .parquet")
    parser.add_argument(
        "--save-totals", type=Path, metavar="FILE", help="class totals, for --totals"
    )
    add_options(parser, SelectionOptions, "aggregation")
    add_scoring_options(parser)
    parser.set_defaults(run=_run)
