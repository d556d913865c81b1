"""What a killed process has left, where the dataset has changed since, or is no more."""

import fiftyone as fo
import fiftyone.core.odm as foo
import pytest

import tfdp
from tests.fiftyone.datasets import detection, rectangle, sample

SCORE = 'tfdp.compute_shape_scores(dataset, "gt", progress=False)'


@pytest.fixture
def interrupted(shapes, run_killed):
    """A dataset that was scored, and was being scored again when the process was killed."""
    shapes.persistent = True
    tfdp.compute_shape_scores(shapes, "gt", progress=False)
    kill_at = 1
    while shapes.list_brain_runs():
        assert not run_killed(shapes, SCORE, kill_at)
        kill_at += 1
    return shapes


def left():
    database = foo.get_db_conn()
    backups = [n for n in database.list_collection_names() if n.startswith("tfdp_backup")]
    return backups, database["tfdp_changes"].count_documents({})


def score(dataset, **kwargs):
    return tfdp.compute_shape_scores(dataset, "gt", progress=False, **kwargs)


def test_another_dataset_is_not_in_the_way(interrupted):
    other = interrupted.clone()
    try:
        assert score(other).counts["instances"] == 3
    finally:
        other.delete()
    assert interrupted.list_brain_runs() == []
    score(interrupted, brain_key="other")
    assert interrupted.list_brain_runs() == ["other", "shape_scores"]
    assert left() == ([], 0)


def test_samples_that_are_gone_or_new_are_no_trouble(interrupted):
    interrupted.delete_samples(interrupted.first().id)
    interrupted.add_sample(fo.Sample("/images/new.png"))
    before = interrupted.values("cb_scs")
    score(interrupted, brain_key="other")
    assert interrupted.list_brain_runs() == ["other", "shape_scores"]
    assert interrupted.values("cb_scs") == before
    assert left() == ([], 0)


def test_a_deleted_dataset_leaves_nothing(interrupted, make_dataset):
    assert left() != ([], 0)
    fo.delete_dataset(interrupted.name)
    score(make_dataset([sample("a", [detection("cat", rectangle(4, 4))])]))
    assert left() == ([], 0)


def test_a_note_that_cannot_be_mended_is_said_and_goes(interrupted, caplog):
    notes = foo.get_db_conn()["tfdp_changes"]
    notes.update_one({"_id": interrupted._doc.id}, {"$unset": {"facts.old": ""}})
    score(interrupted, brain_key="other")
    assert "can't be undone" in caplog.text
    assert interrupted.list_brain_runs() == ["other"]
    assert notes.count_documents({}) == 0
    for name in left()[0]:
        foo.get_db_conn().drop_collection(name)
