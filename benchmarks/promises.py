"""What docs/promises.md promises, tried: kills, full disks, damage, two at once.

    python -m benchmarks.promises [--seconds N] [--seed N] [--only "kill score"]

Each trial checks all promises that apply to it. What is random comes from the seed and the trial's
name, so that a trial that does not hold can be repeated alone. When time is up, or on Ctrl-C, what
was not tried is said. The exit status is 1 where something did not hold.
"""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from demo.sandbox import enter_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SECONDS = 20 * 60


class Row(NamedTuple):
    """A kind of trials.

    Attributes:
        what: is done to what.
        names: of its trials.
        attempt: tries one, by its name; raises where a promise does not hold.
    """

    what: str
    names: Iterable[object]
    attempt: Callable[[str, random.Random], None]


class Trial(NamedTuple):
    """One trial of a row."""

    row: Row
    name: str

    def __hash__(self):
        return hash((self.row.what, self.name))

    def __str__(self):
        return f"{self.row.what}: {self.name}"

    def run(self, seed):
        """What went wrong, for a person to read; empty where all promises held."""
        try:
            self.row.attempt(self.name, random.Random(f"{seed} {self}"))
        except Exception as error:  # noqa: BLE001
            place = traceback.extract_tb(error.__traceback__)[-1]
            found = f"{type(error).__name__} {error}".strip().partition("\n")[0][:300]
            return f"{found}\n    at {place.filename}:{place.lineno}: {place.line}"
        return ""


def make_rows(folder, closing):
    """All rows; FiftyOne is imported here, after its sandbox was entered."""
    from benchmarks.promises_of_commands import Commands, command_rows
    from benchmarks.promises_of_damage import Damage, damage_rows
    from benchmarks.promises_of_views import Views, view_rows

    commands = Commands(folder / "commands", closing)
    rows = [
        *command_rows(commands),
        *damage_rows(Damage(commands)),
        *view_rows(Views(folder / "views", closing)),
    ]
    return [Row(*row) for row in rows]


def try_all(trials, seed, deadline):
    """Trial -> what went wrong with it, of those that there was time for."""
    wrong = {}
    for trial in trials:
        if time.monotonic() > deadline:
            break
        try:
            wrong[trial] = trial.run(seed)
        except KeyboardInterrupt:
            break
        if wrong[trial]:
            print(f"DOES NOT HOLD {trial}", file=sys.stderr, flush=True)
    return wrong


def report(rows, trials, wrong, seed):
    tried = Counter(trial.row.what for trial in wrong)
    held = Counter(trial.row.what for trial, text in wrong.items() if not text)
    width = max(len(row.what) for row in rows)
    print(f"{'what':{width}}  tried   held")
    for what in [row.what for row in rows if any(trial.row is row for trial in trials)]:
        print(f"{what:{width}}  {tried[what]:5}  {held[what]:5}")
    print(f"{'all':{width}}  {tried.total():5}  {held.total():5}")
    for trial, text in wrong.items():
        if text:
            again = f'python -m benchmarks.promises --seed {seed} --only "{trial}"'
            print(f"\ndid not hold: {trial}\n    {text}\n    again: {again}")
    left = Counter(trial.row.what for trial in trials if trial not in wrong)
    if left:
        print("\nnot tried, since time was up or it was stopped:")
        print("\n".join(f"    {count} of {what}" for what, count in left.items()))


def main():
    parser = argparse.ArgumentParser(description="Tries what docs/promises.md promises.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="no trial begins after that")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", nargs="+", default=[""], help="trials whose names begin so")
    arguments = parser.parse_args()
    deadline = time.monotonic() + arguments.seconds
    print(f"seed {arguments.seed}", flush=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # for many short trainings, one after another
    folder = Path(tempfile.mkdtemp(prefix="tfdp-promises-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after mongod has ended
    enter_sandbox(folder / "fiftyone")
    logging.disable(logging.WARNING)  # of what is interrupted and mended, again and again
    with ExitStack() as closing:
        rows = make_rows(folder, closing)
        trials = [Trial(row, str(name)) for row in rows for name in row.names]
        trials = [trial for trial in trials if str(trial).startswith(tuple(arguments.only))]
        random.Random(arguments.seed).shuffle(trials)  # of every row some, however short the time
        wrong = try_all(trials, arguments.seed, deadline)
    report(rows, trials, wrong, arguments.seed)
    sys.exit(any(wrong.values()))


if __name__ == "__main__":
    main()
