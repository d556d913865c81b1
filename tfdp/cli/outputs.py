"""What the commands share: outputs that appear together, a list of what was skipped, a summary."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.outputs import check_ending, check_outputs
from ..files.staging import stage_outputs
from ..files.stopping import stopping
from ..files.tables import check_table, write_skipped

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from ..files.staging import Staging
    from ..skipped import Skipped


class Outputs:
    """The outputs of one command.

    Attributes:
        files: those that are asked for, the main one last.
    """

    def __init__(self, *files: Path | None, inputs: Iterable[Path | None], overwrite: bool) -> None:
        self.files = [path for path in files if path is not None]
        self._inputs = [path for path in inputs if path is not None]
        self._overwrite = overwrite

    def check(self) -> None:
        """Refuses outputs that cannot, or must not, be written; before the work."""
        if self.files:
            check_outputs(self.files, inputs=self._inputs, overwrite=self._overwrite)

    @contextmanager
    def write(self) -> Iterator[Staging]:
        """Files to write; they are put in place together when the block has ended."""
        with stage_outputs(self.files, inputs=self._inputs, overwrite=self._overwrite) as staging:
            yield staging
            with stopping.hold():
                staging.put_in_place()
                stopping.outcome = "but all was written"


def add_skipped_option(parser: argparse.ArgumentParser) -> None:
    """Adds ``--skipped``."""
    parser.add_argument(
        "--skipped", type=Path, metavar="FILE", help="all that was skipped, .csv or .parquet"
    )


def check_names(*, tables: Iterable[Path | None] = (), json: Iterable[Path | None] = ()) -> None:
    """Refuses outputs whose names do not say what they are."""
    for path in filter(None, tables):
        check_table(path)
    for path in filter(None, json):
        check_ending(path, [".json"])


def stage_skipped(skipped: Skipped, path: Path | None, staging: Staging) -> None:
    """Stages the list of all that was skipped, where it is asked for."""
    if path is not None:
        with staging.open(path) as file:
            write_skipped(skipped, path, file)


def stage_json(document: Any, path: Path | None, staging: Staging) -> None:
    """Stages a JSON file for people to read, where it is asked for."""
    if path is not None:
        with staging.open(path) as file:
            file.write(
                (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode(errors="replace")
            )


def stage_ids(ids: list[Any], path: Path, staging: Staging) -> None:
    """Stages ids, one a line."""
    lines = list(map(str, ids))
    broken = [line for line in lines if line.splitlines() != [line]]
    if broken:
        raise ValueError(
            f"the image id {broken[0]!r} is no line; a list of ids holds one in each line"
        )
    with staging.open(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def say(text: str) -> None:
    """Prints, with "?" for what the terminal cannot show."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or it fails again at exit
        raise
