"""All commands of the program, as one parser."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from ..version import __version__
from .compare import add_compare_parser
from .prune import add_prune_parser
from .score import add_score_parser
from .tasks import find_task
from .train_score import add_train_score_parser

if TYPE_CHECKING:
    from collections.abc import Sequence

_BAD_CALL = 2


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and whose help says what there is."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuses itself what it does not know: argparse leaves that to the program's parser."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def error(self, message: str) -> NoReturn:
        task = self.get_default("task")
        command = self.prog if task is None else f"{self.prog} --task {task}"
        self.exit(_BAD_CALL, f"{self.prog}: error: {message} (see {command} --help)\n")


def make_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """A parser whose result runs the command: ``arguments.run(arguments)``.

    Args:
        words: what it will parse: the arguments of some commands are those of their ``--task``.
    """
    parser = _Parser(prog="tfdp", description="Training-free dataset pruning (TFDP, ICLR 2025).")
    parser.add_argument("--version", action="version", version=f"tfdp {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    task = find_task(words)
    add_score_parser(subparsers)
    add_prune_parser(subparsers, task)
    add_compare_parser(subparsers)
    add_train_score_parser(subparsers, task)
    return parser
