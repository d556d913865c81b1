"""Scores from a training log: which epochs and pixels each score takes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..keywords import takes_options
from ..progress import shown
from ..scores.aggregation import aggregate_by_scorer, resolve_aggregation
from ..skipped import Skipped
from ..sources.ahead import run_ahead
from . import dynamics
from .epoch_files import (
    EpochLayout,
    LoggedEpochs,
    decode_correct,
    decode_probability,
    mean_column,
)
from .log_reading import read_rows, read_run, read_seconds, read_targets
from .regions import aggregate_pixels, count_pixels
from .scoring_options import SNAPSHOT_SCORES, PixelOptions, scores_of
from .training_log import CORRECT, PIXELS, PROBABILITY, LogRows, unpack_bits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..progress import Progress
    from .epoch_files import Columns

LOG_SHARE = 0.02  # of the time of a training and of scores from its log
AT_ONCE = 2**15  # pixels of which scores are computed at a time: so many stay in the cache


@dataclass(frozen=True)
class ModelScores:
    """Scores of a run, on both levels; NaN = could not be scored."""

    rows: LogRows
    instance_scores: dict[str, NDArray[np.float64]]  # name -> (N,)
    image_scores: dict[str, NDArray[np.float64]]  # name -> (I,)
    run: dict[str, Any]  # all parameters
    seconds: dict[str, float]  # of `training` and `scoring`


@dataclass(frozen=True)
class _Part:
    """Some rows of a log, as they were after each epoch."""

    epochs: list[Columns]
    target: NDArray[np.bool_]  # (n, P)

    def means(self, column: str) -> NDArray[np.float32]:
        """(E, n) values of a column."""
        return np.stack([columns[column] for columns in self.epochs])

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(E, n, P)."""
        return np.stack([decode_correct(c, self.target.shape[1]) for c in self.epochs])

    @cached_property
    def probability(self) -> NDArray[np.float64]:
        """q, (E, n, P)."""
        return np.stack([decode_probability(columns) for columns in self.epochs])


def _score_pixels(name: str, part: _Part, used: dict[str, Any]) -> NDArray[np.float64]:
    """(n, P) scores of pixels by what they were after all epochs."""
    if name == "forgetting":
        return dynamics.forgetting(part.correct)
    if name == "dual":
        return dynamics.dual(part.probability[: used["dual_epochs"]], used["window"])
    return dynamics.dyn_unc(part.probability, used["window"], used["windows"])


def _score_rows(name: str, part: _Part, used: dict[str, Any]) -> NDArray[np.float64]:
    """(n,) scores, NaN where an epoch that counts has no value."""
    region = used["region"]
    if name in SNAPSHOT_SCORES:
        half = dynamics.half_of_training(len(part.epochs)) - 1
        epoch = part.epochs[half if name == "el2n" else -1]
        scores = epoch[mean_column(name, region)].astype(np.float64)
    else:
        margins = part.means(mean_column("margin", region))
        scores = dynamics.aum(margins)
        if name != "aum":
            pixels = aggregate_pixels(_score_pixels(name, part, used), part.target, region)
            scores = np.where(np.isfinite(margins).all(axis=0), pixels, np.nan)
    return scores * count_pixels(part.target, region) if used["pixels"] == "sum" else scores


def _list_columns(used: dict[str, Any], layout: EpochLayout) -> list[str]:
    """The columns that the scores take."""
    names = set(used["scores"])
    dynamic = names - set(SNAPSHOT_SCORES)
    means = [*(names & set(SNAPSHOT_SCORES)), *(["margin"] if dynamic else [])]
    pixels = [CORRECT, PROBABILITY] if dynamic - {"aum"} else []
    return [
        *(mean_column(name, used["region"]) for name in means),
        *(name for name in pixels if name in layout.schema.names),
    ]


def _score_group(
    log: LoggedEpochs,
    targets: NDArray[np.uint8],
    used: dict[str, Any],
    numbered: tuple[int, slice],
) -> dict[str, NDArray[np.float64]]:
    """(n,) scores of a row group."""
    number, rows = numbered
    pixels = log.layout.pixels
    epochs = log.read(number, _list_columns(used, log.layout))
    target = unpack_bits(targets[rows], pixels)
    size = max(1, AT_ONCE // pixels)
    parts = [
        _Part([{n: column[k : k + size] for n, column in e.items()} for e in epochs], part)
        for k, part in ((k, target[k : k + size]) for k in range(0, len(target), size))
    ]
    return {
        name: np.concatenate([_score_rows(name, part, used) for part in parts])
        for name in used["scores"]
    }


def _score_instances(
    log: LoggedEpochs, targets: NDArray[np.uint8], used: dict[str, Any], progress: Progress
) -> dict[str, NDArray[np.float64]]:
    count, groups = log.layout.rows, log.layout.groups
    scores = {name: np.full(count, np.nan) for name in used["scores"]}
    score = partial(_score_group, log, targets, used)
    found = run_ahead(score, enumerate(groups), os.cpu_count() or 1)
    for rows, values in zip(groups, found, strict=True):
        for name, of_rows in values.items():
            scores[name][rows] = of_rows
        progress(rows.stop / count, f"scores from the log: row {rows.stop}/{count}")
    return scores


def _report_empty_masks(rows: LogRows, targets: NDArray[np.uint8], region: str) -> LogRows:
    """The rows, with those skipped that have no pixel in the region."""
    if region == "roi":
        return rows
    empty = rows.scorable & ~targets.any(axis=1)
    skipped = Skipped([*rows.skipped])
    for row in np.flatnonzero(empty).tolist():
        detail = (
            f"class {rows.labels[row]}: none of the 28 x 28 pixels of its box is half covered;"
            " the region roi scores it"
        )
        skipped.add("annotation", rows.instance_ids[row], "no_pixel_of_mask", detail)
    return replace(rows, scorable=rows.scorable & ~empty, skipped=skipped)


def _check_stored(folder: Path, scores: Sequence[str], given: Sequence[str]) -> None:
    missing = [name for name in scores if name not in given]
    if missing:
        raise ValueError(
            f"the log in {folder} holds what {', '.join(given)} need, not what"
            f" {', '.join(missing)} need: only a new training in another folder, with these among"
            " its scores, can give them"
        )


@takes_options(PixelOptions)
def score_log(
    folder: Path, *, progress: bool | Progress | None = None, **options: Any
) -> ModelScores:
    """Scores from a finished training log, without a model.

    entropy and loss are the last epoch's, el2n is that of the model at half of the epochs, the
    others take all epochs, but for dual where it is given fewer. All rank high first, aum low
    first. Each epoch is read once, in bounded memory.

    Args:
        folder: the log.
        **options: see `PixelOptions`; the scores are by default all that the log can give.
        progress: called with a fraction and a message; or True for a bar on stderr, None for one
            where that is a terminal, False for none.

    Returns:
        Scores of the N instances and I images, NaN where there is none; and, in `rows.skipped`, why
        not: with the region "mask" also the instances without a pixel of their own.

    Raises:
        ValueError: no log, an unfinished or damaged one, one of another version of tfdp, or a
            choice that it cannot give.
    """
    asked, run, rows = PixelOptions(**options), read_run(folder), read_rows(folder)
    epochs, stored = run["epochs"], run["stored"]
    used = asked.used(epochs, stored)
    _check_stored(folder, used["scores"], scores_of(stored, epochs))
    layout = EpochLayout(len(rows.instance_ids), PIXELS[run["kind"]], stored)
    targets = read_targets(folder, layout.rows, layout.pixels)
    with shown(progress) as show:
        log = LoggedEpochs(folder, epochs, layout)
        instance_scores = _score_instances(log, targets, used, show)
    ways = {name: resolve_aggregation(name, asked.aggregation) for name in instance_scores}
    image_scores = {
        name: aggregate_by_scorer(name, values, rows.image_index, len(rows.image_ids), ways[name])
        for name, values in instance_scores.items()
    }
    used["aggregation"] = ways
    reported = _report_empty_masks(rows, targets, used["region"])
    return ModelScores(reported, instance_scores, image_scores, run | used, read_seconds(folder))
