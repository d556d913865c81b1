"""Training dynamics: scores of what a model said over the epochs, as functions of logged arrays.

The first axis is always the epoch, E of them; the others are free: (E, N, P) for the P pixels of N
instances, (E, N) for N images of a classification set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..options import Choice
from ..values import check_choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

LEAST_WINDOW = 2  # epochs that have a standard deviation
PAPER_WINDOW = 10  # epochs; Dyn-Unc, section 4.1
RELEASED_FACTOR = 10
WINDOWS = {
    "all": Choice("All", "all E - J + 1 windows"),
    "released": Choice(
        "As released", "without the last, and times 10, as the authors' code has it"
    ),
}


def aum(margins: Floats) -> NDArray[np.float64]:
    """Mean over the epochs of the margin (AUM, Pleiss et al. 2020). Low = harder.

    Args:
        margins: (E, ...) logit of the target, less the largest of the others.

    Returns:
        (...) scores.
    """
    return np.mean(margins, axis=0, dtype=np.float64)


def forgetting(correct: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Number of epochs that unlearn it (Toneva et al. 2019). High = harder.

    Args:
        correct: (E, ...) whether the epoch's model was right.

    Returns:
        (...) number of epochs e with correct(e - 1) and not correct(e); E where never correct.
    """
    events = np.sum(correct[:-1] & ~correct[1:], axis=0)
    return np.where(correct.any(axis=0), events, len(correct)).astype(np.float64)


def dyn_unc(target_probability: Floats, window: int, windows: str = "all") -> NDArray[np.float64]:
    """Dynamic uncertainty (Dyn-Unc, He et al. 2023, eq. 1 and 2). High = harder.

    The mean over all E - J + 1 windows of std(q over the window), ddof = 1; with the windows
    "released", as the authors' code has it, over all but the last, times 10.

    Args:
        target_probability: (E, ...) q in [0, 1].
        window: J, epochs in a window.
        windows: "all" or "released".

    Returns:
        (...) scores in [0, sqrt(J / (4 (J - 1)))], with "released" 10 times as high.

    Raises:
        ValueError: J < 2, E too small for one window, or an unknown choice of windows.
    """
    released = check_choice("windows", windows, WINDOWS) == "released"
    check_window(len(target_probability), window, windows)
    used = target_probability[:-1] if released else target_probability
    stds = [std for _, std in _windows(used, window)]
    return np.mean(stds, axis=0) * (RELEASED_FACTOR if released else 1)


def dual(target_probability: Floats, window: int) -> NDArray[np.float64]:
    """Difficulty and uncertainty (DUAL, Cho et al. 2025). High = harder.

    The mean over all windows of std(q) x (1 - mean(q)). The authors give it the first T epochs of a
    training alone. Args, returns and errors are those of `dyn_unc` with all windows.
    """
    check_window(len(target_probability), window)
    return np.mean([std * (1 - mean) for mean, std in _windows(target_probability, window)], axis=0)


def default_window(epochs: int, windows: str = "all") -> int:
    """J = 10, as in the paper, or what fits into fewer epochs; at least 2."""
    return max(LEAST_WINDOW, min(PAPER_WINDOW, epochs - (windows == "released")))


def check_window(epochs: int, window: int, windows: str = "all") -> None:
    """Raise ValueError unless 2 <= J <= E; without the last window, J < E."""
    if window < LEAST_WINDOW:
        raise ValueError(f"expected a window of at least {LEAST_WINDOW} epochs, got {window}")
    if epochs < window:
        raise ValueError(
            f"expected at least as many epochs as the window has, got {epochs} for a window of"
            f" {window}: train longer, or take a smaller window"
        )
    if windows == "released" and epochs == window:
        raise ValueError(
            f"expected more epochs than the window has, for the released code drops the last"
            f" window, got {epochs} for a window of {window}: train longer, take a smaller window,"
            ' or the windows "all"'
        )


def half_of_training(epochs: int) -> int:
    """The epoch (1 is the first) whose model EL2N takes: half of E, rounded down, at least 1."""
    return max(epochs // 2, 1)


def _windows(
    values: Floats, window: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Mean and standard deviation, ddof = 1, of each window, by running sums.

    Of values in 32 steps or of 16 bits, as a log has them, the sums are without error; of others
    the deviation may be off by 1e-7 where it is near 0.
    """
    q = np.asarray(values, np.float64)
    total, squares = q[:window].sum(axis=0), np.square(q[:window]).sum(axis=0)
    for k in range(len(q) - window + 1):
        if k:
            first, last = q[k - 1], q[k + window - 1]
            total += last - first
            squares += (last - first) * (last + first)
        mean = total / window
        yield mean, np.sqrt(np.maximum(squares - total * mean, 0) / (window - 1))
