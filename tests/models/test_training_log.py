"""The log: what is written is read, and what is scored again equals the plain formulas."""

import json

import numpy as np
import pytest
from pyarrow import parquet

from tfdp.models import dynamics
from tfdp.models.epoch_files import (
    STEPS,
    EpochLayout,
    LoggedEpochs,
    decode_correct,
    decode_probability,
    epoch_path,
    mean_column,
    read_epoch,
    write_epoch,
)
from tfdp.models.log_reading import read_rows, read_run, read_targets
from tfdp.models.log_start import open_log
from tfdp.models.score_log import score_log
from tfdp.models.training_log import MEANS, LogRows, blank_rows, pack_rows
from tfdp.skipped import Skipped

E, N, P = 5, 7, 784
RUN = {
    "kind": "instance segmentation",
    "epochs": E,
    "stored": "target_probability",
    "model": "m",
    "seed": 0,
}
LAYOUT = EpochLayout(N, P)
rng = np.random.default_rng(0)
TARGET = rng.random((N, P)) < 0.4
TARGET[2] = False  # nothing of the mask is left at 28 x 28 pixels
Q = rng.random((E, N, P))
CORRECT = Q > 0.5
MEANS_OF = rng.normal(size=(E, N, 2, 4)).astype(np.float32)
MEANS_OF[:, 2, 1] = np.nan
BLANK = 6
Q_LOGGED = (np.floor(Q * STEPS) + 0.5) / STEPS


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


def write_log(folder, **run):
    run = RUN | run
    layout = LAYOUT._replace(stored=run["stored"])
    folder.mkdir(exist_ok=True)
    open_log(folder, run, N, lambda: (log_rows(), np.packbits(TARGET, axis=-1)))
    for epoch in range(run["epochs"]):
        rows = pack_rows(MEANS_OF[epoch, :BLANK], CORRECT[epoch, :BLANK], Q[epoch, :BLANK])
        write_epoch(epoch_path(folder, epoch + 1), layout, [rows[:4], rows[4:], blank_rows(1, P)])
    return folder


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path)


def test_what_is_written_is_read(log):
    epochs = LoggedEpochs(log, E, LAYOUT).read(0, LAYOUT.schema.names)
    for epoch, columns in enumerate(epochs):
        np.testing.assert_array_equal(decode_correct(columns, P)[:BLANK], CORRECT[epoch, :BLANK])
        q = decode_probability(columns)[:BLANK]
        np.testing.assert_allclose(q, Q[epoch, :BLANK], atol=0.5 / STEPS)
        for (r, region), (j, name) in (
            (a, b) for a in enumerate(("roi", "mask")) for b in enumerate(MEANS)
        ):
            found = columns[mean_column(name, region)][:BLANK]
            np.testing.assert_array_equal(found, MEANS_OF[epoch, :BLANK, r, j])
    np.testing.assert_array_equal(read_targets(log, N, P), np.packbits(TARGET, axis=-1))
    rows = read_rows(log)
    expected = log_rows()
    assert (rows.image_ids, rows.instance_ids, rows.labels) == (
        expected.image_ids,
        expected.instance_ids,
        expected.labels,
    )
    assert rows.skipped.items == expected.skipped.items
    assert rows.scorable.tolist() == expected.scorable.tolist()


def test_an_undecided_pixel_is_on_the_side_that_its_correctness_says(tmp_path):
    """q = 1/2 in float32, once of a margin of 1e-9, once of 0."""
    correct = np.array([[True, False]])
    rows = pack_rows(np.zeros((1, 2, 4)), correct, np.full((1, 2), 0.5))
    layout = EpochLayout(1, 2)
    write_epoch(tmp_path / "epoch", layout, [rows])
    (again,) = read_epoch(tmp_path / "epoch", layout)
    assert np.unpackbits(again["correct"], axis=-1, count=2).tolist() == correct.tolist()


def test_a_class_that_is_likeliest_with_less_than_a_half_is_right(tmp_path):
    layout = EpochLayout(2, 1)
    rows = pack_rows(np.zeros((2, 2, 4)), [[True], [False]], [[0.4], [0.4]])
    write_epoch(tmp_path / "epoch", layout, [rows])
    (again,) = read_epoch(tmp_path / "epoch", layout)
    assert again["correct"].tolist() == [[128], [0]]
    np.testing.assert_allclose(again["q"] / 65536, 0.4, atol=2e-5)


@pytest.mark.parametrize("stored", ["means", "correct", "target_probability"])
@pytest.mark.parametrize("pixels", [1, 784])
def test_an_epoch_read_and_written_again_is_the_same_file(tmp_path, stored, pixels):
    """Parts of any length, more rows than a row group has, and rows without a value."""
    size = EpochLayout(10**6, pixels, stored).groups[0].stop
    count = size + 9
    layout = EpochLayout(count, pixels, stored)
    q = rng.random((count, pixels))
    rows = pack_rows(rng.normal(size=(count, 2, 4)), q > 0.5, q)
    rows["means"][5] = np.nan
    first, second = tmp_path / "first", tmp_path / "second"
    write_epoch(first, layout, np.split(rows, [1, 2, 40, 40, size - 1]))
    write_epoch(second, layout, read_epoch(first, layout))
    assert first.read_bytes() == second.read_bytes()
    found = np.concatenate([*read_epoch(first, layout)])
    np.testing.assert_array_equal(found["means"], rows["means"])
    if stored != "means":
        np.testing.assert_array_equal(found["correct"], rows["correct"])


def test_a_row_takes_a_quarter_of_the_space_that_its_numbers_have(log):
    schema = parquet.read_schema(epoch_path(log, 1))
    assert schema.field("target_probability").type.byte_width == 784
    assert [schema.field(f"margin_{r}").type.bit_width for r in ("roi", "mask")] == [32, 32]


@pytest.mark.parametrize("pixels", ["mean", "sum"])
@pytest.mark.parametrize("region", ["roi", "mask"])
@pytest.mark.parametrize("window", [2, 4])
def test_scores_equal_the_plain_formulas(log, region, window, pixels):
    scores = score_log(log, window=window, region=region, pixels=pixels).instance_scores
    r = ["roi", "mask"].index(region)
    count = TARGET.sum(axis=1) if r else np.full(N, P)

    def instance_mean(values):
        return [
            np.nan
            if j == BLANK or (r and not TARGET[j].any())
            else values[j][TARGET[j] if r else slice(None)].mean()
            for j in range(N)
        ]

    expected = {
        "entropy": MEANS_OF[-1, :, r, 0],
        "loss": MEANS_OF[-1, :, r, 1],
        "el2n": MEANS_OF[1, :, r, 2],  # after 2 of 5 epochs
        "aum": MEANS_OF[:, :, r, 3].astype(float).mean(axis=0),
        "forgetting": instance_mean(dynamics.forgetting(CORRECT)),
        "dyn_unc": instance_mean(plain_windows(Q_LOGGED, window, lambda q: q.std(0, ddof=1))),
        "dual": instance_mean(
            plain_windows(Q_LOGGED, window, lambda q: q.std(0, ddof=1) * (1 - q.mean(0)))
        ),
    }
    assert set(scores) == set(expected)
    for name, values in expected.items():
        whole = np.where(np.arange(N) == BLANK, np.nan, values)
        times = count if pixels == "sum" else 1
        np.testing.assert_allclose(scores[name], whole * times, rtol=1e-9, err_msg=name)


def plain_windows(q, window, score):
    return np.mean([score(q[k : k + window]) for k in range(len(q) - window + 1)], axis=0)


def test_many_rows_are_scored_as_few(tmp_path):
    """More than are read, and more than are scored, at a time; of no whole number of parts."""
    count = 2 * LAYOUT._replace(rows=10**6).groups[0].stop + 77
    q, means = rng.random((3, count, P)), rng.normal(size=(3, count, 2, 4)).astype(np.float32)
    target = rng.random((count, P)) < 0.4
    ids = list(range(count))
    rows = LogRows(ids, ids, np.arange(count), ["a"] * count, np.ones(count, bool), Skipped())
    run = RUN | {"epochs": 3}
    open_log(tmp_path, run, count, lambda: (rows, np.packbits(target, axis=-1)))
    for epoch in range(3):
        packed = pack_rows(means[epoch], q[epoch] > 0.5, q[epoch])
        write_epoch(epoch_path(tmp_path, epoch + 1), LAYOUT._replace(rows=count), [packed])
    told = []
    found = score_log(tmp_path, region="mask", progress=lambda *step: told.append(step))
    logged = (np.floor(q * STEPS) + 0.5) / STEPS
    expected = {
        "loss": means[-1, :, 1, 1],
        "el2n": means[0, :, 1, 2],
        "aum": means[:, :, 1, 3].astype(float).mean(axis=0),
        "forgetting": (dynamics.forgetting(q > 0.5) * target).sum(-1) / target.sum(-1),
        "dyn_unc": (logged.std(0, ddof=1) * target).sum(-1) / target.sum(-1),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found.image_scores[name], values, rtol=1e-9, err_msg=name)
    assert [round(fraction * count) for fraction, _ in told] == [
        rows.stop for rows in LAYOUT._replace(rows=count).groups
    ]


def test_unscorable_instances_leave_the_image_its_others_and_an_empty_image_none(log):
    scores = score_log(log, scores=("loss",))
    assert np.isnan(scores.instance_scores["loss"][BLANK])
    np.testing.assert_allclose(
        scores.image_scores["loss"],
        [*(MEANS_OF[-1, part, 0, 1].sum() for part in (slice(3), slice(3, 6))), np.nan],
        rtol=1e-6,
    )


@pytest.mark.parametrize(
    "aggregation, combine", [("sum", np.sum), ("mean", np.mean), ("max", np.max)]
)
def test_instances_become_images_as_asked(log, aggregation, combine):
    found = score_log(log, scores=("loss", "dyn_unc"), aggregation=aggregation)
    for name, of_instances in found.instance_scores.items():
        expected = [combine(of_instances[:3]), combine(of_instances[3:6]), np.nan]
        np.testing.assert_allclose(found.image_scores[name], expected, rtol=1e-6)
    assert found.run["aggregation"] == {"loss": aggregation, "dyn_unc": aggregation}


def test_aum_of_an_image_is_the_mean_by_default_and_the_others_are_sums(log):
    found = score_log(log, scores=("loss", "aum"))
    of_instances = found.instance_scores
    assert found.image_scores["aum"][1] == pytest.approx(of_instances["aum"][3:6].mean())
    assert found.image_scores["loss"][1] == pytest.approx(of_instances["loss"][3:6].sum())
    assert found.run["aggregation"] == {"loss": "sum", "aum": "mean"}


def test_a_mask_without_a_pixel_is_reported_and_its_image_scored_by_the_others(log):
    found = score_log(log, region="mask")
    assert [tuple(item) for item in found.rows.skipped] == [
        ("annotation", "g", "empty_mask", "class b"),
        (
            "annotation",
            "c",
            "no_pixel_of_mask",
            "class b: none of the 28 x 28 pixels of its box is half covered; the region roi scores it",
        ),
    ]
    assert found.rows.scorable.tolist() == [True, True, False, True, True, True, False]
    for name, of_instances in found.instance_scores.items():
        assert np.isnan(of_instances).tolist() == (~found.rows.scorable).tolist(), name
        whole = of_instances[:2].mean() if name == "aum" else of_instances[:2].sum()
        assert found.image_scores[name][0] == pytest.approx(whole), name
    roi = score_log(log).rows
    assert roi.skipped.counts() == {"empty_mask": 1}
    assert roi.scorable[2]


def test_dual_takes_the_first_epochs_alone(log):
    found = score_log(log, scores=("dual", "dyn_unc"), dual_epochs=3, window=2)
    q = Q_LOGGED[:3, 0]
    expected = plain_windows(q, 2, lambda q: q.std(0, ddof=1) * (1 - q.mean(0))).mean()
    assert found.instance_scores["dual"][0] == pytest.approx(expected, abs=1e-9)
    assert found.instance_scores["dyn_unc"][0] == pytest.approx(
        plain_windows(Q_LOGGED[:, 0], 2, lambda q: q.std(0, ddof=1)).mean(), abs=1e-9
    )


def test_the_released_windows_lack_the_last_and_are_ten_times_as_high(log):
    found = score_log(log, scores=("dyn_unc",), window=3, windows="released")
    expected = 10 * plain_windows(Q_LOGGED[:-1, 0], 3, lambda q: q.std(0, ddof=1)).mean()
    assert found.instance_scores["dyn_unc"][0] == pytest.approx(expected, abs=1e-9)
    with pytest.raises(ValueError, match=r"expected more epochs than the window has, .* got 5"):
        score_log(log, window=5, windows="released")


@pytest.mark.parametrize(
    "asked, used",
    [
        ({}, {"window": 5, "dual_epochs": 5}),
        ({"dual_epochs": 3}, {"window": 3, "dual_epochs": 3}),
        ({"dual_epochs": 3, "scores": ("dyn_unc",)}, {"window": 5, "dual_epochs": None}),
        ({"windows": "released"}, {"window": 4, "windows": "released"}),
        ({"scores": ("aum",), "pixels": "sum"}, {"window": None, "pixels": "sum"}),
    ],
)
def test_the_run_tells_what_was_used(log, asked, used):
    run = score_log(log, **asked).run
    assert {name: run[name] for name in used} == used
    assert (run["epochs"], run["region"], run["model"]) == (5, "roi", "m")


def test_all_epochs_are_read_once_for_all_scores(log, monkeypatch):
    groups = []
    whole = LoggedEpochs.read
    monkeypatch.setattr(
        LoggedEpochs, "read", lambda log, *given: [groups.append(given[0]), whole(log, *given)][1]
    )
    score_log(log)
    assert groups == [0]


def test_progress_tells_the_rows(log):
    told = []
    score_log(log, progress=lambda *step: told.append(step))
    assert told == [(1.0, "scores from the log: row 7/7")]


@pytest.mark.parametrize(
    "stored, given, missing",
    [
        ("means", "entropy, loss, el2n, aum", "dyn_unc"),
        ("correct", "entropy, loss, el2n, forgetting, aum", "dual"),
        ("means", "entropy, loss, el2n, aum", "forgetting"),
    ],
)
def test_a_log_gives_what_it_holds_and_says_what_it_does_not(log, tmp_path, stored, given, missing):
    small = write_log(tmp_path / "small", stored=stored)
    assert epoch_path(small, 1).stat().st_size < epoch_path(log, 1).stat().st_size
    scores = score_log(small)
    assert ", ".join(scores.instance_scores) == given
    whole = score_log(log)
    for name, values in scores.instance_scores.items():
        np.testing.assert_array_equal(values, whole.instance_scores[name])
    with pytest.raises(
        ValueError, match=f"holds what {given} need, not what {missing} need: only a new training"
    ):
        score_log(small, scores=("aum", missing))


def test_choices_that_the_log_cannot_give_are_errors(log):
    with pytest.raises(ValueError, match="got 5 for a window of 6"):
        score_log(log, window=6)
    with pytest.raises(ValueError, match=r"expected dual_epochs of at most 5, .* got 6"):
        score_log(log, dual_epochs=6)
    with pytest.raises(ValueError, match="got 2 for a window of 3"):
        score_log(log, dual_epochs=2, window=3)
    with pytest.raises(ValueError, match=r"expected a score of entropy, .* got 'auc'"):
        score_log(log, scores=("auc",))
    with pytest.raises(ValueError, match="unknown region 'box'; choose one of roi, mask"):
        score_log(log, region="box")
    with pytest.raises(ValueError, match="unknown pixels 'max'; choose one of mean, sum"):
        score_log(log, pixels="max")
    with pytest.raises(ValueError, match=r"found no run.json"):
        score_log(log / "elsewhere")


def test_an_unfinished_log_says_how_to_go_on(log):
    epoch_path(log, 5).unlink()
    with pytest.raises(
        ValueError,
        match=r"expected 5 epochs .* found 4; epoch_0005.parquet .* start the same training",
    ):
        score_log(log)


def test_a_log_of_another_version_is_refused_with_what_to_do(log):
    run = json.loads((log / "run.json").read_text())
    del run["format"]  # as the first had it
    (log / "run.json").write_text(json.dumps(run))
    for work in (score_log, read_run, lambda folder: open_log(folder, RUN, N, pytest.fail)):
        with pytest.raises(
            ValueError, match=r"a training log of another version of tfdp: .* another folder"
        ):
            work(log)


def test_any_flipped_byte_is_found_or_changes_nothing(log):
    """Of the file of an epoch: its pages, which have checksums, and its frame."""
    path, expected = epoch_path(log, 2), score_log(log).instance_scores
    content = path.read_bytes()
    found = 0
    for place in range(0, len(content), 41):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            scores = score_log(log).instance_scores
        except ValueError as error:
            found += "epoch_0002.parquet is missing or damaged" in str(error)
        else:
            for name, values in expected.items():
                np.testing.assert_array_equal(scores[name], values, err_msg=f"byte {place}")
    assert found > len(content) / 41 * 0.8


def test_another_runs_folder_is_refused(log):
    with pytest.raises(ValueError, match="seed 0, not 1: choose another folder"):
        open_log(log, RUN | {"seed": 1}, N, lambda: pytest.fail("read again"))


def test_a_log_that_holds_more_than_is_asked_is_gone_on_with_and_one_that_holds_less_is_not(
    log, tmp_path
):
    rows = open_log(log, RUN | {"stored": "means"}, N, lambda: pytest.fail("read again"))
    assert len(rows.instance_ids) == N
    small = write_log(tmp_path / "small", stored="means")
    with pytest.raises(
        ValueError, match="stored 'means', not 'target_probability': choose another folder"
    ):
        open_log(small, RUN, N, lambda: pytest.fail("read again"))


def test_without_training_the_dynamic_scores_are_errors(tmp_path):
    run = RUN | {"epochs": 0, "stored": "means"}
    open_log(tmp_path, run, N, lambda: (log_rows(), np.packbits(TARGET, axis=-1)))
    rows = pack_rows(MEANS_OF[0], CORRECT[0], Q[0])
    write_epoch(epoch_path(tmp_path, 0), LAYOUT._replace(stored="means"), [rows])
    scores = score_log(tmp_path)
    np.testing.assert_array_equal(scores.instance_scores["el2n"], MEANS_OF[0, :, 0, 2])
    assert list(scores.instance_scores) == ["entropy", "loss", "el2n"]
    with pytest.raises(ValueError, match="aum need a training"):
        score_log(tmp_path, scores=("aum",))
