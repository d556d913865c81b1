"""Progress of long work: a function of a fraction and a message, shown by whoever called."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterator

Progress = Callable[[float, str], None]  # fraction in [0, 1], message


def unseen(fraction: float, message: str) -> None:
    """The progress that nobody looks at."""


def part_of(progress: Progress, start: float, share: float) -> Progress:
    """The progress of a part that begins at `start` and is `share` of the whole."""
    return lambda fraction, message: progress(start + share * fraction, message)


def counted(progress: Progress, total: int, message: str) -> Callable[[int], None]:
    """A function that is told how many more of ``total`` are done."""
    done = 0

    def add(number: int) -> None:
        nonlocal done
        done += number
        progress(min(done / total, 1.0) if total > 0 else 1.0, message)

    return add


@contextmanager
def _terminal_bar(*, always: bool) -> Iterator[Progress]:
    form = "{percentage:3.0f}%|{bar:20}| {elapsed} < {remaining} {postfix}"
    with tqdm(total=1.0, bar_format=form, disable=False if always else None) as bar:

        def show(fraction: float, message: str) -> None:
            bar.set_postfix_str(message, refresh=False)
            bar.update(fraction - bar.n)

        yield show


@contextmanager
def shown(progress: bool | Progress | None) -> Iterator[Progress]:
    """What is to be told of the progress.

    Args:
        progress: the function itself; or True for a bar on stderr, None for one where that is a
            terminal, False for none.
    """
    if callable(progress):
        yield progress
    elif progress is False:
        yield unseen
    else:
        with _terminal_bar(always=progress is True) as show:
            yield show
