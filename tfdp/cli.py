"""The command line: ``tfdp score``, ``prune``, ``compare`` and ``train-score`` on COCO files."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from .balance import ClassTotals
from .compare_cli import add_compare_parser
from .criteria import POLICIES, UNANNOTATED
from .io.coco import score_coco
from .io.coco_subset import write_coco_subset
from .io.files import check_output, write_atomically
from .io.tables import check_ending, write_table
from .models.cli import add_train_score_parser
from .rasterize import Rasterizer
from .shape_scores import SCORERS, select
from .summary import describe_scores, describe_selection
from .version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .selection import Selection
    from .shape_scores import ShapeScores

_BAD_INPUT = 2
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_BAD_INPUT, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _say(text: str) -> None:
    """Prints, with "?" for what the terminal cannot show."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or it fails again at exit
        raise


def _check_outputs(outputs: Sequence[Path | None], *, overwrite: bool) -> None:
    named = [path for path in outputs if path is not None]
    if len({path.absolute() for path in named}) < len(named):
        raise ValueError("two outputs have one name; give each its own")
    for path in named:
        check_output(path, overwrite=overwrite)


def _read_totals(path: Path, rasterizer: str) -> ClassTotals:
    try:
        saved = json.loads(path.read_bytes())
        found = saved["rasterizer"]
        totals = ClassTotals.from_list(saved["class_totals"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} holds no class totals of tfdp score --save-totals") from error
    if found != rasterizer:
        raise ValueError(
            f"the totals in {path} are of the rasterizer {found!r}; score with the same one"
        )
    return totals


def _score_files(paths: list[Path], args: argparse.Namespace) -> ShapeScores:
    totals = _read_totals(args.totals, args.rasterizer) if args.totals else None
    return score_coco(paths, args.rasterizer, totals)


def _dump(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _run_score(args: argparse.Namespace) -> None:
    tables = [path for path in (args.output, args.instances) if path is not None]
    for path in tables:
        check_ending(path)
    _check_outputs([*tables, args.save_totals], overwrite=args.overwrite)
    scores = _score_files(args.annotations, args)
    columns = [scores.images, scores.instances]
    with ExitStack() as outputs:
        for path, table in zip(tables, columns, strict=False):
            file = outputs.enter_context(write_atomically(path, overwrite=args.overwrite))
            write_table(table, path, file)
        if args.save_totals is not None:
            totals = {
                "rasterizer": scores.rasterizer,
                "class_totals": scores.class_totals.to_list(),
            }
            file = outputs.enter_context(
                write_atomically(args.save_totals, overwrite=args.overwrite)
            )
            file.write(_dump(totals))
    _say(describe_scores(scores))


def _report(args: argparse.Namespace, scores: ShapeScores, selection: Selection) -> dict[str, Any]:
    return {
        "tfdp_version": __version__,
        "annotations": str(args.annotations),
        "output": str(args.output),
        "rasterizer": scores.rasterizer,
        **selection.to_dict(),
        "skipped": [item._asdict() for item in scores.skipped],
    }


def _run_prune(args: argparse.Namespace) -> None:
    _check_outputs([args.output, args.report], overwrite=args.overwrite)
    scores = _score_files([args.annotations], args)
    selection = select(
        scores,
        args.rate,
        keep=args.keep,
        threshold=args.threshold,
        scorer=args.scorer,
        policy=args.policy,
        min_per_class=args.min_per_class,
        unannotated=args.unannotated,
        beta=args.beta,
        seed=args.seed,
    )
    with ExitStack() as outputs:
        if args.report is not None:
            file = outputs.enter_context(write_atomically(args.report, overwrite=args.overwrite))
            file.write(_dump(_report(args, scores, selection)))
        write_coco_subset(
            args.annotations,
            selection,
            args.output,
            args.images,
            image_dir=args.image_dir,
            overwrite=args.overwrite,
        )
    _say(describe_scores(scores))
    _say(describe_selection(selection))
    _say(f"written to {args.output}")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rasterizer",
        choices=get_args(Rasterizer),
        default="coco",
        help="what draws polygons: as pycocotools does, or as the paper's released code (coco)",
    )
    parser.add_argument(
        "--totals", type=Path, metavar="FILE", help="class totals of data scored before"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace outputs that exist")


def _add_score_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("score", help="score COCO files, image by image")
    parser.add_argument("annotations", type=Path, nargs="+", metavar="ANN.json")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="image scores, .csv or .parquet"
    )
    parser.add_argument("--instances", type=Path, help="instance scores, .csv or .parquet")
    parser.add_argument(
        "--save-totals", type=Path, metavar="FILE", help="class totals, for --totals"
    )
    _add_common(parser)
    parser.set_defaults(run=_run_score)


def _add_prune_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("prune", help="score a COCO file and keep its best images")
    parser.add_argument("annotations", type=Path, metavar="ANN.json")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the pruned COCO file")
    parser.add_argument("--report", type=Path, help="a JSON report of what is kept and why")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--rate", type=float, help="fraction of the scored images to remove")
    budget.add_argument("--keep", type=int, metavar="N", help="number of scored images to keep")
    budget.add_argument("--threshold", type=float, help="keep images that score this or more")
    parser.add_argument("--scorer", choices=SCORERS, default="cb_scs")
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
    _add_common(parser)
    parser.set_defaults(run=_run_prune)


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tfdp", description="Training-free dataset pruning (TFDP, ICLR 2025).")
    parser.add_argument("--version", action="version", version=f"tfdp {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_parser in (
        _add_score_parser,
        _add_prune_parser,
        add_compare_parser,
        add_train_score_parser,
    ):
        add_parser(subparsers)
    return parser


def _one_line(error: Exception) -> str:
    message = str(error)
    if isinstance(error, OSError) and error.strerror is not None:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif isinstance(error, MemoryError):
        message = "there is not enough memory for this"
    return " ".join(message.split())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        0; or 2 for bad input, with one line on stderr that says what is wrong.
    """
    args = _make_parser().parse_args(argv)
    try:
        args.run(args)
    except BrokenPipeError:  # whoever read the summary has gone; the files are written
        return 0
    except (ValueError, OSError, MemoryError) as error:
        print(f"tfdp: error: {_one_line(error)}", file=sys.stderr)
        return _BAD_INPUT
    except KeyboardInterrupt:
        print("tfdp: interrupted, nothing was written", file=sys.stderr)
        return _INTERRUPTED
    return 0
