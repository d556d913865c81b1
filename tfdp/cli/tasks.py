"""The tasks that a command can be for, each with arguments and options of its own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SEGMENTATION, CLASSIFICATION = "segmentation", "classification"
TASKS = (SEGMENTATION, CLASSIFICATION)


def add_task_option(parser: argparse.ArgumentParser, task: str) -> None:
    """Adds ``--task``, which says what the images are labelled with.

    Args:
        parser: of a command whose other arguments are those of ``task``.
        task: as `find_task` found it.
    """
    others = " and ".join(f"--task {name} --help" for name in TASKS if name != task)
    parser.add_argument(
        "--task",
        choices=TASKS,
        default=task,
        help=f"instance masks, or one class an image ({SEGMENTATION}). What else there is depends "
        f"on it; see also {others}",
    )


def add_class_path(parser: argparse.ArgumentParser) -> None:
    """Adds the dataset of a command for classification."""
    parser.add_argument(
        "annotations",
        type=Path,
        metavar="PATH",
        help="a folder with a folder for each class; or a table, .csv or .parquet, with the columns"
        " file_name, label and, where the ids are other than the names, image_id",
    )


def find_task(words: Sequence[str]) -> str:
    """The task that a command's words ask for; an unknown one is refused when they are parsed."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--task", nargs="?")
    task = parser.parse_known_args(words)[0].task
    return task if task in TASKS else SEGMENTATION
