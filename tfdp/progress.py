"""Progress of long work: a function of a fraction and a message, shown by whoever called."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterator

Progress = Callable[[float, str], None]  # fraction in [0, 1], message


def part_of(progress: Progress, start: float, share: float) -> Progress:
    """The progress of a part that begins at `start` and is `share` of the whole."""
    return lambda fraction, message: progress(start + share * fraction, message)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on the terminal."""
    form = "{percentage:3.0f}%|{bar:20}| {elapsed} < {remaining} {postfix}"
    with tqdm(total=1.0, bar_format=form) as bar:

        def show(fraction: float, message: str) -> None:
            bar.set_postfix_str(message, refresh=False)
            bar.update(fraction - bar.n)

        yield show
