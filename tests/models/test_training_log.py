"""The log: what is written is read, and what is scored again equals the plain formulas."""

import numpy as np
import pytest

from tfdp.models import dynamics
from tfdp.models.log_reading import open_epochs, read_rows
from tfdp.models.log_start import open_log
from tfdp.models.score_log import score_log
from tfdp.models.training_log import (
    LogRows,
    blank_rows,
    epoch_path,
    logged_correct,
    logged_probability,
    pack_rows,
    write_epoch,
)
from tfdp.skipped import Skipped

E, N, P = 5, 7, 784
RUN = {"kind": "instance segmentation", "epochs": E, "model": "m", "seed": 0}
rng = np.random.default_rng(0)
TARGET = rng.random((N, P)) < 0.4
TARGET[2] = False  # nothing of the mask is left at 28 x 28 pixels
CORRECT = rng.random((E, N, P)) < 0.5
Q = rng.random((E, N, P))
MEANS = rng.normal(size=(E, N, 2, 4)).astype(np.float32)
MEANS[:, 2, 1] = np.nan
BLANK = 6


def log_rows():
    skipped = Skipped()
    skipped.add("annotation", "g", "empty_mask", "class b")
    return LogRows(
        [10, 11, "z"],
        list("abcdefg"),
        np.array([0, 0, 0, 1, 1, 1, 1]),
        [*"aabbaa", None],
        np.arange(N) != BLANK,
        skipped,
    )


@pytest.fixture
def log(tmp_path):
    open_log(tmp_path, RUN, N, lambda: (log_rows(), np.packbits(TARGET, axis=-1)))
    for epoch in range(E):
        rows = pack_rows(MEANS[epoch, :BLANK], CORRECT[epoch, :BLANK], Q[epoch, :BLANK])
        write_epoch(tmp_path, epoch + 1, N, P, [rows[:4], rows[4:], blank_rows(1, P)])
    return tmp_path


def test_what_is_written_is_read(log):
    for epoch, rows in enumerate(open_epochs(log, E, N, P)):
        np.testing.assert_array_equal(logged_correct(rows)[:BLANK], CORRECT[epoch, :BLANK])
        np.testing.assert_allclose(logged_probability(rows)[:BLANK], Q[epoch, :BLANK], atol=7.7e-6)
        np.testing.assert_array_equal(rows["means"][:BLANK], MEANS[epoch, :BLANK])
    rows = read_rows(log)
    expected = log_rows()
    assert (rows.image_ids, rows.instance_ids, rows.labels) == (
        expected.image_ids,
        expected.instance_ids,
        expected.labels,
    )
    assert rows.skipped.items == expected.skipped.items
    assert rows.scorable.tolist() == expected.scorable.tolist()


def test_a_row_takes_the_documented_space(log):
    assert open_epochs(log, E, N, P)[0].dtype.itemsize == 1698


@pytest.mark.parametrize("region", ["roi", "mask"])
@pytest.mark.parametrize("window", [2, 4])
def test_scores_equal_the_plain_formulas(log, region, window):
    scores = score_log(log, window=window, region=region).instance_scores
    r = ["roi", "mask"].index(region)

    def instance_mean(pixels):
        return [
            np.nan
            if j == BLANK or (r and not TARGET[j].any())
            else pixels[j][TARGET[j] if r else slice(None)].mean()
            for j in range(N)
        ]

    expected = {
        "entropy": MEANS[-1, :, r, 0],
        "loss": MEANS[-1, :, r, 1],
        "el2n": MEANS[1, :, r, 2],  # after 2 of 5 epochs
        "aum": MEANS[:, :, r, 3].astype(float).mean(axis=0),
        "forgetting": instance_mean(dynamics.forgetting(CORRECT)),
        "dyn_unc": instance_mean(dynamics.dyn_unc(Q, window)),
        "dual": instance_mean(dynamics.dual(Q, window)),
    }
    assert set(scores) == set(expected)
    for name, values in expected.items():
        whole = np.where(np.arange(N) == BLANK, np.nan, values)
        np.testing.assert_allclose(scores[name], whole, atol=2e-5, err_msg=name)


def test_unscorable_instances_leave_the_image_its_others_and_an_empty_image_none(log):
    scores = score_log(log, ["loss"])
    assert np.isnan(scores.instance_scores["loss"][BLANK])
    np.testing.assert_allclose(
        scores.image_scores["loss"],
        [*(MEANS[-1, part, 0, 1].sum() for part in (slice(3), slice(3, 6))), np.nan],
        rtol=1e-6,
    )


def test_choices_that_the_log_cannot_give_are_errors(log):
    with pytest.raises(ValueError, match="got 5 for a window of 6"):
        score_log(log, window=6)
    with pytest.raises(ValueError, match=r"expected a score of entropy, .* got 'auc'"):
        score_log(log, ["auc"])
    with pytest.raises(ValueError, match="unknown region 'box'; choose one of roi, mask"):
        score_log(log, region="box")
    with pytest.raises(ValueError, match=r"found no run.json"):
        score_log(log / "elsewhere")


def test_an_unfinished_log_says_how_to_go_on(log):
    epoch_path(log, 5).unlink()
    with pytest.raises(
        ValueError, match=r"expected 5 epochs .* found 4; epoch_0005.npy .* start the same training"
    ):
        score_log(log)


def test_another_runs_folder_is_refused(log):
    with pytest.raises(ValueError, match="seed 0, not 1: choose another folder"):
        open_log(log, RUN | {"seed": 1}, N, lambda: pytest.fail("read again"))


def test_without_training_the_dynamic_scores_are_errors(tmp_path):
    open_log(tmp_path, RUN | {"epochs": 0}, N, lambda: (log_rows(), np.packbits(TARGET, axis=-1)))
    write_epoch(tmp_path, 0, N, P, [pack_rows(MEANS[0], CORRECT[0], Q[0])])
    scores = score_log(tmp_path)
    np.testing.assert_array_equal(scores.instance_scores["el2n"], MEANS[0, :, 0, 2])
    assert list(scores.instance_scores) == ["entropy", "loss", "el2n"]
    with pytest.raises(ValueError, match="aum need a training"):
        score_log(tmp_path, ["aum"])
