"""``tfdp compare``: the scores of a dataset, and those of tables, side by side."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.comparison_file import check_comparison_ending, write_comparison_to
from ..files.score_tables import read_score_tables
from ..scores.shape_scores import SHAPE_SCORES, list_scorers
from ..scores.table import SCORERS
from ..selection.comparison import RATES, Comparison, compare_scorers
from ..selection.score_tables import make_table_candidates
from ..selection.select import SelectionOptions, make_candidates
from ..sources.scoring import score
from .options import add_options
from .outputs import Outputs, say
from .score import add_reading_options, add_tables_option

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..scores.shape_scores import ShapeScores
    from ..selection.score_tables import ScoreTable
    from ..selection.selection import Candidates

_CELL = 11  # columns of text


def _name_apart(column: str, table: ScoreTable, taken: list[str]) -> str:
    """A name that is not taken: the column's, or with the file's before it, or with a number."""
    stem = Path(table.name).stem
    names = (f"{stem}.{column}" + (f" ({k})" if k > 1 else "") for k in count(1))
    return next(name for name in chain([column], names) if name not in taken)


def _gather_candidates(
    scores: ShapeScores, tables: Sequence[ScoreTable], seed: int, aggregation: str | None
) -> list[Candidates]:
    """By every scorer, and by every column of the tables."""
    ids, candidates = scores.images.image_id, []
    for name in list_scorers():
        way = aggregation if SCORERS[name].level == "instance" else None
        candidates.append(make_candidates(scores, name, seed, way))
    for table in tables:
        way = aggregation if table.is_of_instances else None
        for column in table.list_scores():
            name = _name_apart(column, table, [known.scorer for known in candidates])
            found = make_table_candidates(table, column, ids, scores.contents, way)
            candidates.append(replace(found, scorer=name))
    return candidates


def _compare(arguments: argparse.Namespace) -> Comparison:
    tables = read_score_tables(arguments.scores)
    started = time.perf_counter()
    scores = score(
        arguments.annotations, arguments.format, arguments.rasterizer, split=arguments.split
    )
    seconds = dict.fromkeys(SHAPE_SCORES, time.perf_counter() - started)
    candidates = _gather_candidates(scores, tables, arguments.seed or 0, arguments.aggregation)
    return compare_scorers(candidates, arguments.reference, arguments.rates, seconds)


def _describe(comparison: Comparison) -> str:
    rates = [f"{kept.pruning_rate:.0%}" for kept in comparison.rows[0].kept]
    wide = _CELL * len(rates)
    groups = f"{'correlation':>{2 * _CELL}}{'in common':>{wide}}{'instances':>{wide}}"
    header = ["seconds", "Spearman", "Kendall", *rates, *rates]
    lines = [
        f"compared with {comparison.reference}: rank correlations; at each pruning rate the part",
        "of its kept images that is kept, too (in common), and the part of all instances kept",
        f"{'':{24 + _CELL}}{groups}",
        f"{'':24}" + "".join(f"{name:>{_CELL}}" for name in header),
    ]
    for row in comparison.rows:
        spent = "-" if row.seconds is None else f"{row.seconds:.2f}"
        cells = [spent, f"{row.spearman:.3f}", f"{row.kendall:.3f}"]
        cells += [f"{kept.overlap:.0%}" for kept in row.kept]
        cells += [f"{kept.instances:.0%}" for kept in row.kept]
        lines.append(f"{row.scorer:24}" + "".join(f"{cell:>{_CELL}}" for cell in cells))
    return "\n".join(lines)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.output is not None:
        check_comparison_ending(arguments.output)
    outputs = Outputs(
        arguments.output,
        inputs=[arguments.annotations, *arguments.scores],
        overwrite=arguments.overwrite,
    )
    outputs.check()
    comparison = _compare(arguments)
    if arguments.output is not None:
        with outputs.write() as staging, staging.open(arguments.output) as file:
            write_comparison_to(file, comparison, arguments.output)
    say(_describe(comparison))
    if arguments.aggregation is not None and arguments.scores:
        say("tables of scores of images are taken as they are, whatever the aggregation")


def add_compare_parser(subparsers: Any) -> None:
    """Adds ``compare`` to a program's sub-commands; ``arguments.run(arguments)`` runs it."""
    parser = subparsers.add_parser("compare", help="set scorers side by side: what they keep")
    add = parser.add_argument
    add("annotations", type=Path, metavar="PATH", help="as tfdp score takes it")
    add_reading_options(parser)
    add_tables_option(parser, "whose columns are compared, too")
    add("--reference", default="cb_scs", help="what the others are compared with (cb_scs)")
    add("--rates", type=float, nargs="+", default=RATES, help="pruning rates (0.2 0.3 0.4 0.5)")
    add("-o", "--output", type=Path, help="the table, .json, .csv or .parquet")
    add_options(parser, SelectionOptions, "aggregation", "seed")
    add("--overwrite", action="store_true", help="replace an output that exists")
    parser.set_defaults(run=_run)
