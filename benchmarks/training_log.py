"""What a training log costs, and what its coding costs the scores.

    python -m benchmarks.training_log ANN.json IMAGES [--model M] [--images N] [--epochs E] ...

A real training, whose margins are kept whole beside the log: bytes a row and epoch, the rank
correlation of each score from the log with that of the whole margins, and rows/s of scoring the log
against the plain way (numpy's own mean and standard deviation of each window of arrays of float32
in memory, one score after the other), on as many rows as asked, in the same run.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from scipy.stats import spearmanr

from tfdp.models import dynamics, pixel_scores, segmentation_task
from tfdp.models.epoch_files import EpochLayout, epoch_path, read_epoch, write_epoch
from tfdp.models.log_reading import read_rows, read_run, read_targets
from tfdp.models.log_start import open_log
from tfdp.models.score_log import score_log
from tfdp.models.segmentation import train_and_score
from tfdp.models.training_log import LogRows
from tfdp.scores.aggregation import aggregate_by_scorer
from tfdp.skipped import Skipped
from tfdp.sources.formats import open_sources
from tfdp.sources.records import read_records

COCO_ROWS, OLD_ROW = 860_001, 1_698  # instances of train2017; bytes of format 1
PIXELS = segmentation_task.PIXELS
PLAIN_ROWS = 512  # at a time


def train(arguments, folder):
    """Trains; returns (E, n, P) margins of all rows that were scored."""
    records, _ = read_records(open_sources(arguments.annotations), arguments.folder)
    records = [record for record in records if len(record.instance_ids)][: arguments.images]
    kept = []
    score_logits = segmentation_task.score_logits

    def keep(logits, target):
        kept.append(pixel_scores.margin(logits, target).float().cpu().numpy())
        return score_logits(logits, target)

    with mock.patch.object(segmentation_task, "score_logits", keep):
        train_and_score(
            records,
            folder,
            model=arguments.model,
            weights=arguments.weights,
            epochs=arguments.epochs,
            batch_size=4,
            image_size=arguments.image_size,
            device=arguments.device,
        )
    return np.concatenate(kept).reshape(arguments.epochs, -1, PIXELS)


def score_plainly(q, correct, window):
    """Scores of the rows from whole values, by the definitions."""
    windows = [slice(k, k + window) for k in range(len(q) - window + 1)]
    stds = [np.std(q[w], axis=0, ddof=1, dtype=np.float64) for w in windows]
    means = [np.mean(q[w], axis=0, dtype=np.float64) for w in windows]
    dual = np.mean([s * (1 - m) for s, m in zip(stds, means, strict=True)], axis=0)
    return {
        "dyn_unc": np.mean(stds, axis=0).mean(-1),
        "dual": dual.mean(-1),
        "forgetting": dynamics.forgetting(correct).mean(-1),
    }


def first_epochs(folder, epochs, into):
    """The log as it would be of a training of fewer epochs."""
    into.mkdir()
    run, rows = read_run(folder) | {"epochs": epochs}, read_rows(folder)
    targets = read_targets(folder, len(rows.instance_ids), PIXELS)
    open_log(into, run, len(rows.instance_ids), lambda: (rows, targets))
    for epoch in range(1, epochs + 1):
        shutil.copy(epoch_path(folder, epoch), into)
    return into


def show_errors(log, margins, window):
    """Rank correlation of scores from the log with those of the whole margins."""
    rows, scores = read_rows(log), score_log(log, window=window)
    exact = score_plainly(pixel_scores.target_probability(margins), margins > 0, window)
    for name, values in exact.items():
        whole = np.full(len(rows.scorable), np.nan)
        whole[rows.scorable] = values
        images = aggregate_by_scorer(name, whole, rows.image_index, len(rows.image_ids))
        pairs = (whole, scores.instance_scores[name]), (images, scores.image_scores[name])
        correlations = [spearmanr(*pair, nan_policy="omit")[0] for pair in pairs]
        print(
            f"{len(margins):3} epochs, window {window:2}, {name:10}"
            " Spearman of instances {:.5f}, of images {:.5f}".format(*correlations)
        )


def lengthen(folder, count, into):
    """A log of so many rows, which are those of another again and again."""
    into.mkdir()
    run, rows = read_run(folder), read_rows(folder)
    old = EpochLayout(len(rows.instance_ids), PIXELS)
    again = np.arange(count) % old.rows
    new = EpochLayout(count, PIXELS)
    many = LogRows(
        [*range(count)],
        [*range(count)],
        np.arange(count),
        ["a"] * count,
        rows.scorable[again],
        Skipped(),
    )
    targets = read_targets(folder, old.rows, PIXELS)[again]
    open_log(into, run, count, lambda: (many, targets))
    for epoch in range(1, run["epochs"] + 1):
        part = np.concatenate([*read_epoch(epoch_path(folder, epoch), old)])
        write_epoch(epoch_path(into, epoch), new, np.array_split(part[again], count // 16))
    return into


def show_speed(log, margins, count, window):
    """Rows/s of scoring a log, and of the plain way on arrays in memory."""
    again = np.arange(count) % margins.shape[1]
    q = pixel_scores.target_probability(margins)
    started = time.perf_counter()
    for start in range(0, count, PLAIN_ROWS):
        rows = again[start : start + PLAIN_ROWS]
        score_plainly(q[:, rows], margins[:, rows] > 0, window)
    plain = count / (time.perf_counter() - started)
    started = time.perf_counter()
    score_log(log, window=window)
    ours = count / (time.perf_counter() - started)
    for name, rate in (("the plain way", plain), ("score_log", ours)):
        reckoned = COCO_ROWS / rate
        print(f"{name:14} {rate:8,.0f} rows/s, {reckoned:6,.0f} s for {COCO_ROWS:,} rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="maskrcnn_resnet18_fpn")
    parser.add_argument("--weights", default="none")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rows", type=int, default=20_000, help="of the log that is timed")
    parser.add_argument("--device")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        margins = train(arguments, log)
        epochs, rows = margins.shape[:2]
        sizes = [epoch_path(log, e + 1).stat().st_size / rows for e in range(epochs)]
        print(f"{rows} rows, {epochs} epochs of {arguments.model}, {arguments.image_size} px")
        print("bytes a row:", ", ".join(f"{size:.0f}" for size in sizes))
        ratio, total = OLD_ROW / np.mean(sizes), np.mean(sizes) * COCO_ROWS / 1e9
        print(f"{ratio:.1f} times fewer than {OLD_ROW}; {total:.2f} GB an epoch of {COCO_ROWS:,}")
        lengths = sorted({2, 4, epochs})
        for length in lengths:
            short = first_epochs(log, length, Path(folder) / f"{length}")
            for window in sorted({2, dynamics.default_window(length)}):
                show_errors(short, margins[:length], window)
        long = lengthen(log, arguments.rows, Path(folder) / "long")
        show_speed(long, margins, arguments.rows, dynamics.default_window(epochs))


if __name__ == "__main__":
    main()
