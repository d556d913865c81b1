"""Training dynamics: scores of what a model said over the epochs, as functions of logged arrays.

The first axis is always the epoch, E of them; the others are free: (E, N, P) for the P pixels of N
instances, (E, N) for N images of a classification set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

PAPER_WINDOW = 10  # epochs; Dyn-Unc, section 4.1


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


def dyn_unc(target_probability: Floats, window: int) -> NDArray[np.float64]:
    """Dynamic uncertainty (Dyn-Unc, He et al. 2023, eq. 1 and 2). High = harder.

    The mean over all E - J + 1 windows of std(q over the window), ddof = 1. The authors' code drops
    the last window and multiplies by 10; this does neither.

    Args:
        target_probability: (E, ...) q in [0, 1].
        window: J, epochs in a window.

    Returns:
        (...) scores in [0, sqrt(J / (4 (J - 1)))].

    Raises:
        ValueError: J < 2, or E < J.
    """
    windows = _windows(target_probability, window)
    return np.mean([_std(q) for q in windows], axis=0)


def dual(target_probability: Floats, window: int) -> NDArray[np.float64]:
    """Difficulty and uncertainty (DUAL, Cho et al. 2025). High = harder.

    The mean over all windows of std(q) x (1 - mean(q)). Args, returns and errors are `dyn_unc`'s.
    """
    windows = _windows(target_probability, window)
    return np.mean([_std(q) * (1 - np.mean(q, axis=0, dtype=np.float64)) for q in windows], axis=0)


def default_window(epochs: int) -> int:
    """J = min(10, max(2, E // 2)): the paper's 10 where the schedule is long enough."""
    return min(PAPER_WINDOW, max(2, epochs // 2))


def check_window(epochs: int, window: int) -> None:
    """Raise ValueError unless 2 <= J <= E."""
    if window < 2:
        raise ValueError(f"expected a window of at least 2 epochs, got {window}")
    if epochs < window:
        raise ValueError(
            f"expected at least as many epochs as the window has, got {epochs} for a window of"
            f" {window}: train longer, or take a smaller window"
        )


def half_of_training(epochs: int) -> int:
    """The epoch (1 is the first) whose model EL2N takes: half of E, rounded down, at least 1."""
    return max(epochs // 2, 1)


def _windows(values: Floats, window: int) -> Iterator[Floats]:
    check_window(len(values), window)
    return (values[k : k + window] for k in range(len(values) - window + 1))


def _std(values: Floats) -> NDArray[np.float64]:
    return np.std(values, axis=0, ddof=1, dtype=np.float64)
