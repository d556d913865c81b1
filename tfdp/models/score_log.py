"""Scores from a training log: which epochs and pixels each score takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..scores.aggregation import AGGREGATIONS, aggregate_image_scores
from ..scores.table import higher_first
from ..values import check_choice
from . import dynamics
from .log_reading import open_epochs, open_targets, read_rows, read_run, read_seconds
from .regions import REGIONS, aggregate_pixels
from .scoring_options import SNAPSHOT_SCORES, check_scores, default_scores
from .training_log import (
    MEANS,
    PIXELS,
    LogRows,
    logged_correct,
    logged_probability,
    unpack_bits,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK = 512  # rows at a time; 512 x 784 pixels x 12 epochs in float32 are 19 MB


@dataclass(frozen=True)
class ModelScores:
    """Scores of a run, on both levels; NaN = could not be scored."""

    rows: LogRows
    instance_scores: dict[str, NDArray[np.float64]]  # name -> (N,)
    image_scores: dict[str, NDArray[np.float64]]  # name -> (I,)
    run: dict[str, Any]  # all parameters
    seconds: dict[str, float]  # of `training` and `scoring`


def _score_instances(
    folder: Path, run: dict[str, Any], count: int, names: Sequence[str], window: int, region: str
) -> dict[str, NDArray[np.float64]]:
    pixels = PIXELS[run["kind"]]
    log = open_epochs(folder, run["epochs"], count, pixels)
    targets = open_targets(folder, count, pixels)
    scores = {name: np.full(count, np.nan) for name in names}
    for start in range(0, count, CHUNK):
        rows = slice(start, start + CHUNK)
        chunk = [epoch[rows] for epoch in log]
        target = unpack_bits(targets[rows], pixels)
        for name in names:
            scores[name][rows] = _score_rows(name, chunk, target, window, region)
    return scores


def _score_rows(
    name: str,
    epochs: list[NDArray[np.void]],
    target: NDArray[np.bool_],
    window: int,
    region: str,
) -> NDArray[np.float64]:
    """(n,) scores of some rows, NaN where any epoch has no value."""
    means = np.stack([rows["means"][:, [*REGIONS].index(region)] for rows in epochs])  # (E, n, 4)
    if name in SNAPSHOT_SCORES:
        epoch = dynamics.half_of_training(len(epochs)) - 1 if name == "el2n" else -1
        return means[epoch, :, MEANS.index(name)].astype(np.float64)
    if name == "aum":
        return dynamics.aum(means[:, :, MEANS.index("margin")])
    if name == "forgetting":
        pixels = dynamics.forgetting(np.stack([logged_correct(rows) for rows in epochs]))
    else:
        probability = np.stack([logged_probability(rows) for rows in epochs])
        pixels = {"dyn_unc": dynamics.dyn_unc, "dual": dynamics.dual}[name](probability, window)
    scores = aggregate_pixels(pixels, target, region)
    return np.where(np.isfinite(means).all(axis=(0, 2)), scores, np.nan)


def score_log(
    folder: Path,
    scores: Sequence[str] | None = None,
    *,
    window: int | None = None,
    region: str = "roi",
    aggregation: str = "sum",
) -> ModelScores:
    """Scores from a finished training log, without a model.

    entropy and loss are the last epoch's, el2n is that of the model at half of the epochs, the
    others take all epochs. All rank high first, aum low first.

    Args:
        folder: the log.
        scores: names of `MODEL_SCORES`; all that the run can give if None.
        window: J of dyn_unc and dual, epochs; min(10, max(2, E // 2)) if None.
        region: "roi" averages an instance's values over its box, "mask" over its own pixels.
        aggregation: instances to images: "sum", "mean" or "max" (the hardest instance).

    Returns:
        Scores of the N instances and I images; NaN where there is none.

    Raises:
        ValueError: no log, an unfinished or damaged one, or a choice that it cannot give.
    """
    run, rows = read_run(folder), read_rows(folder)
    epochs = run["epochs"]
    names = default_scores(epochs) if scores is None else tuple(scores)
    check_scores(names, epochs, window)
    check_choice("region", region, REGIONS)
    check_choice("aggregation", aggregation, AGGREGATIONS)
    chosen = dynamics.default_window(epochs) if window is None else window
    count = len(rows.instance_ids)
    instance_scores = _score_instances(folder, run, count, names, chosen, region)
    image_scores = {
        name: aggregate_image_scores(
            values,
            rows.image_index,
            len(rows.image_ids),
            aggregation,
            higher_first=higher_first(name),
        )
        for name, values in instance_scores.items()
    }
    used = {"window": chosen, "region": region, "aggregation": aggregation}
    return ModelScores(rows, instance_scores, image_scores, run | used, read_seconds(folder))
