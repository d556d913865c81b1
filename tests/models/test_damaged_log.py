"""A log that was damaged: what is said, and what still helps."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.one_number import (  # noqa: E402
    EPOCHS,
    scores,
    train,
)
from tfdp.models.checkpoints import read_checkpoint  # noqa: E402
from tfdp.models.epoch_files import epoch_path  # noqa: E402
from tfdp.models.score_log import score_log  # noqa: E402


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def garble(path):
    path.write_bytes(b"\xff\xfe[")


def list_instead(path):
    path.write_bytes(b"[1, 2]")


def other_table(path):
    parquet.write_table(pa.table({"a": [1, 2]}), path)


def other_count(path):
    table = parquet.read_table(path)
    parquet.write_table(pa.concat_tables([table, table]), path)


def flipped_bit(path):
    content = bytearray(path.read_bytes())
    content[content.index(b"PAR1", 0) + 60] ^= 1  # in the first page
    path.write_bytes(content)


def odd_rows(path):
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"image_index": [0, 7]}))


def fewer_rows(path):
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"labels": ["cat"]}))


def strings(path):
    path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_bytes()), "a")))


def other_order(path):
    rows = json.loads(path.read_bytes())
    path.write_text(json.dumps(rows | {"image_index": rows["image_index"][::-1]}))


def odd_skipped(path):
    rows = json.loads(path.read_bytes())
    path.write_text(json.dumps(rows | {"skipped": [[{}, [], "x", {}]]}))


def huge_ids(path):
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"image_ids": [2**64 - 1, 2]}))


JSON = [cut, empty, garble, list_instead, strings]
ROWS_ONLY = [odd_rows, fewer_rows, other_order, odd_skipped, huge_ids]
ARRAY = [cut, empty, garble, other_table, other_count, flipped_bit]


@pytest.mark.parametrize("damage", JSON, ids=lambda d: d.__name__)
def test_a_damaged_run_names_the_file_and_the_remedy(log, damage):
    damage(log / "run.json")
    for work in (train, score_log):
        with pytest.raises(ValueError, match=r"run\.json .* damaged: choose another folder"):
            work(log)


@pytest.mark.parametrize(
    "name, damage",
    [("rows.json", d) for d in [*JSON, *ROWS_ONLY, remove]]
    + [("targets.parquet", d) for d in [*ARRAY, remove]],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_can_be_made_anew_is(log, finished, name, damage):
    damage(log / name)
    with pytest.raises(ValueError, match=rf"{name} .* start the same training again, and it makes"):
        score_log(log)
    train(log)
    assert scores(log) == scores(finished)


@pytest.mark.parametrize(
    "name", ["targets.parquet", "rows.json", "epoch_0002.parquet", "epoch_0004.parquet"]
)
def test_a_folder_in_the_place_of_a_file_is_said(log, name):
    (log / name).unlink()
    (log / name).mkdir()
    for work in (train, score_log):
        with pytest.raises((ValueError, OSError), match=r"a folder|not a file|Is a directory") as e:
            work(log)
        assert name in str(e.value)
    assert (log / name).is_dir()


@pytest.mark.parametrize("damage", [*JSON], ids=lambda d: d.__name__)
def test_damaged_wall_times_can_be_deleted(log, finished, damage):
    damage(log / "seconds.json")
    for work in (train, score_log):
        with pytest.raises(ValueError, match=r"seconds\.json .* damaged: delete it"):
            work(log)
    (log / "seconds.json").unlink()
    train(log)
    assert scores(log) == scores(finished)


@pytest.mark.parametrize("damage", [*ARRAY, remove], ids=lambda d: d.__name__)
def test_the_last_epoch_is_scored_again(log, finished, damage):
    damage(epoch_path(log, EPOCHS))
    with pytest.raises(
        ValueError, match=r"found 3; epoch_0004\.parquet .* start the same training again"
    ):
        score_log(log)
    train(log)
    assert scores(log) == scores(finished)


@pytest.mark.parametrize("damage", [*ARRAY, remove], ids=lambda d: d.__name__)
def test_an_epoch_in_the_middle_is_lost_and_that_is_said(log, damage):
    damage(epoch_path(log, 2))
    for work in (train, score_log):
        with pytest.raises(
            ValueError, match=r"epoch_0002\.parquet .* only a new training can give it"
        ):
            work(log)


def other_checkpoint(path):
    torch.save(vars(read_checkpoint(path)) | {"model": "two"}, path)


def later_checkpoint(path):
    torch.save(vars(read_checkpoint(path)) | {"epoch": EPOCHS + 1}, path)


def odd_optimizer(path):
    torch.save(vars(read_checkpoint(path)) | {"optimizer": {"state": 3}}, path)


@pytest.mark.parametrize(
    "damage",
    [cut, empty, garble, other_checkpoint, later_checkpoint, odd_optimizer],
    ids=lambda d: d.__name__,
)
def test_without_a_damaged_checkpoint_the_training_starts_from_its_first_epoch(
    log, finished, damage
):
    damage(log / "checkpoint.pt")
    with pytest.raises(ValueError, match=r"checkpoint\.pt.*Delete the file, and the same training"):
        train(log)
    (log / "checkpoint.pt").unlink()
    told = []
    train(log, told=lambda fraction, message: told.append(message))
    assert told[0].startswith("epoch 1/4")
    assert scores(log) == scores(finished)
