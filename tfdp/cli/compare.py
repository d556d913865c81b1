"""``tfdp compare``: the scores of a dataset, and those of tables, side by side."""

from __future__ import annotations

import time
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..files.comparison_file import check_comparison_ending, write_comparison_to
from ..files.tables import read_table
from ..scores.shape_scores import SHAPE_SCORES, list_scorers
from ..scores.table import higher_first
from ..selection.comparison import RATES, Comparison, compare_scorers
from ..selection.select import SelectionOptions, make_candidates
from ..selection.selection import Candidates
from ..sources.scoring import score
from .options import add_options
from .outputs import Outputs, say
from .score import add_reading_options

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

    from ..scores.shape_scores import ShapeScores

ID = "image_id"
_CELL = 11  # columns of text


def _find_rows(path: Path, table: pa.Table, image_ids: NDArray[Any]) -> NDArray[np.int64]:
    """Row of each of the table's images in the dataset."""
    row_of = {str(image_id): row for row, image_id in enumerate(image_ids.tolist())}
    named = [str(image_id) for image_id in table[ID].to_pylist()]
    if len(set(named)) < len(named):
        raise ValueError(f"{path} must have one row an image, but names some of them twice")
    unknown = [image_id for image_id in named if image_id not in row_of]
    if unknown:
        raise ValueError(
            f"{len(unknown)} images of {path} are not in the dataset, the first of them "
            f"{unknown[0]!r}; compare scores of the same images"
        )
    return np.array([row_of[image_id] for image_id in named], np.int64)


def _name_apart(column: str, path: Path, taken: set[str]) -> str:
    """A name that is not taken: the column's, or with the file's before it, or with a number."""
    names = (f"{path.stem}.{column}" + (f" ({k})" if k > 1 else "") for k in count(1))
    return next(name for name in chain([column], names) if name not in taken)


def _read_candidates(path: Path, scores: ShapeScores, taken: set[str]) -> list[Candidates]:
    """One for each numeric column; its name begins with the file's where it is taken already."""
    table = read_table(path, ID)
    image_ids = scores.images.image_id
    rows = _find_rows(path, table, image_ids)
    found = []
    for column in table.column_names:
        kind = table[column].type
        if column == ID or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            continue
        values = np.full(len(image_ids), np.nan)
        values[rows] = table[column].cast(pa.float64()).to_numpy()  # null becomes NaN
        name = _name_apart(column, path, taken)
        scored = ~np.isnan(values)
        contents = scores.contents
        found.append(Candidates(image_ids, values, scored, contents, name, higher_first(column)))
        taken.add(name)
    if not found:
        raise ValueError(f"{path} has no column of numbers beside {ID}")
    return found


def _compare(arguments: argparse.Namespace) -> Comparison:
    started = time.perf_counter()
    scores = score(
        arguments.annotations, arguments.format, arguments.rasterizer, split=arguments.split
    )
    seconds = dict.fromkeys(SHAPE_SCORES, time.perf_counter() - started)
    candidates = [make_candidates(scores, name, arguments.seed or 0) for name in list_scorers()]
    taken = set(list_scorers())
    for path in arguments.scores:
        candidates += _read_candidates(path, scores, taken)
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


def add_compare_parser(subparsers: Any) -> None:
    """Adds ``compare`` to a program's sub-commands; ``arguments.run(arguments)`` runs it."""
    parser = subparsers.add_parser("compare", help="set scorers side by side: what they keep")
    add = parser.add_argument
    add("annotations", type=Path, metavar="PATH", help="as tfdp score takes it")
    add_reading_options(parser)
    add(
        "--scores",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="tables, .csv or .parquet, with the column image_id and columns of scores, as "
        "train-score writes them",
    )
    add("--reference", default="cb_scs", help="what the others are compared with (cb_scs)")
    add("--rates", type=float, nargs="+", default=RATES, help="pruning rates (0.2 0.3 0.4 0.5)")
    add("-o", "--output", type=Path, help="the table, .json, .csv or .parquet")
    add_options(parser, SelectionOptions, "seed")
    add("--overwrite", action="store_true", help="replace an output that exists")
    parser.set_defaults(run=_run)
