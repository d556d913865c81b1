"""What a killed process has left, where the dataset has changed since, or is no more."""

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import fiftyone as fo
import fiftyone.core.odm as foo
import pytest

import tfdp
from tests.views.datasets import detection, rectangle, sample
from tfdp.views import mending, run_writing
from tfdp.views.changes import unfinished_work
from tfdp.views.mending import writing_to
from tfdp.views.run_deleting import delete_run

SCORE = 'tfdp.compute_shape_scores(dataset, "gt", progress=False)'


@pytest.fixture(scope="module")
def first_kill():
    """The first write of a scoring before which a kill leaves its run unlisted; from 1 on."""
    return {"number": 1}


@pytest.fixture
def interrupted(shapes, run_killed, first_kill):
    """A dataset that was scored, and was being scored again when the process was killed."""
    shapes.persistent = True
    tfdp.compute_shape_scores(shapes, "gt", progress=False)
    while not run_killed(shapes, SCORE, first_kill["number"]) and shapes.list_brain_runs():
        first_kill["number"] += 1
    assert shapes.list_brain_runs() == []
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


def test_what_the_user_makes_before_anything_was_declared_stays(shapes, run_killed):
    shapes.persistent = True
    kill_at, noted = 1, None
    while not noted:
        mending.mend_runs(shapes)
        assert not run_killed(shapes, SCORE, kill_at)
        kill_at += 1
        noted = unfinished_work(shapes)
    assert not shapes.has_field("scs")
    shapes.set_values("scs", ["mine"] * 3)
    for view in shapes.iter_samples(autosave=True):
        for label in view.gt.detections:
            label["cb_scs"] = "mine"
    score(shapes, brain_key="other")
    assert shapes.values("scs") == ["mine"] * 3
    assert [d["cb_scs"] for s in shapes for d in s.gt.detections] == ["mine"] * 3


def test_a_run_that_has_come_under_the_key_stays(interrupted):
    stored = foo.get_db_conn().datasets
    theirs = foo.RunDocument(dataset_id=interrupted._doc.id, key="shape_scores", config={"x": 1})
    theirs.save()
    stored.update_one(
        {"_id": interrupted._doc.id}, {"$set": {"brain_methods.shape_scores": theirs.id}}
    )
    interrupted.reload()
    score(interrupted, brain_key="other")
    interrupted.reload()
    assert set(interrupted.list_brain_runs()) >= {"other", "shape_scores", "shape_scores_2"}
    assert interrupted._doc.brain_methods["shape_scores"].id == theirs.id


def test_a_mend_that_fails_is_tried_again(interrupted, monkeypatch):
    """And the process does not wait for itself."""

    def fail(*args):
        raise ConnectionError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(mending, "restore_values", fail)
        with pytest.raises(ConnectionError):
            score(interrupted, brain_key="other")
    score(interrupted, brain_key="other")
    assert interrupted.list_brain_runs() == ["other", "shape_scores"]


def test_a_call_within_a_call_is_refused(shapes):
    with writing_to(shapes), pytest.raises(ValueError, match="that this one is made in"):
        score(shapes)
    score(shapes)


def test_a_read_only_field_is_not_deleted(shapes):
    score(shapes)
    field = shapes.get_field("cb_scs")
    field.read_only = True
    field.save()
    with pytest.raises(ValueError, match="'cb_scs' is read-only"):
        delete_run(shapes, "shape_scores")
    assert shapes.list_brain_runs() == ["shape_scores"]
    field.read_only = False
    field.save()
    delete_run(shapes, "shape_scores")
    assert not shapes.has_field("cb_scs")


def test_a_zombie_is_dead_and_a_clock_that_is_set_is_no_matter(interrupted):
    notes = foo.get_db_conn()["tfdp_changes"]
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    notes.update_one({"_id": interrupted._doc.id}, {"$set": {"owner.pid": child.pid}})
    score(interrupted, brain_key="other")
    assert "other" in interrupted.list_brain_runs()
    child.wait()


def test_a_process_of_another_machine_is_dead_after_a_while(interrupted):
    notes = foo.get_db_conn()["tfdp_changes"]
    notes.update_one(
        {"_id": interrupted._doc.id},
        {
            "$set": {
                "owner.host": "far",
                "renewed_at": datetime.now(timezone.utc) - timedelta(minutes=4),
            }
        },
    )
    assert unfinished_work(interrupted) is None
    notes.update_one(
        {"_id": interrupted._doc.id},
        {"$set": {"renewed_at": datetime.now(timezone.utc) - timedelta(minutes=6)}},
    )
    assert unfinished_work(interrupted) is not None
    score(interrupted)
    assert left() == ([], 0)


def test_who_was_taken_for_dead_lists_nothing(shapes, monkeypatch):
    index = run_writing.index_fields

    def take_over(dataset, fields):
        index(dataset, fields)
        foo.get_db_conn()["tfdp_changes"].delete_one({"_id": dataset._doc.id})

    monkeypatch.setattr(run_writing, "index_fields", take_over)
    with pytest.raises(ValueError, match="taken this one for dead"):
        score(shapes)
    shapes.reload()
    assert shapes.list_brain_runs() == []
