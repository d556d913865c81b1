"""Progress as FiftyOne shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import fiftyone.core.utils as fou

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..progress import Progress

BarProgress = bool | Callable[[fou.ProgressBar], Any] | None  # as everywhere in FiftyOne


@contextmanager
def fiftyone_bar(progress: BarProgress, total: int) -> Iterator[Progress]:
    """A progress bar of FiftyOne's, or the callback that was given in its place.

    Args:
        progress: True, False, a callback; or None for what FiftyOne's settings say.
        total: number of samples, as the bar counts them.
    """
    with fou.ProgressBar(total=total, progress=progress) as bar:
        yield lambda fraction, _: bar.set_iteration(round(fraction * total))
