"""What a killed run has left of its outputs: undone by the next one, and nobody else's touched."""

import json
import os
import shutil
import signal
import sys

import pytest

from tests.files.test_staging import stage
from tests.sources.conftest import names_in
from tfdp.files.outputs import check_output


def kill_at(event, name, folder):
    """A run that replaces b.txt, and makes a.txt, is killed before it does this to that file."""

    def kill(found, arguments):
        if found == event and str(arguments[event == "os.rename"]).endswith(name):
            os.kill(os.getpid(), signal.SIGKILL)

    (folder / "b.txt").write_text("old")
    child = os.fork()
    if child == 0:
        try:
            sys.addaudithook(kill)
            with stage(folder, "b.txt", overwrite=True) as staging:
                for path in ("more/a.txt", "b.txt"):
                    staging.add(folder / path, folder / "near").write_text("new")
                staging.put_in_place()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    return folder / ".b.txt.tfdp"


@pytest.fixture
def killed(tmp_path):
    """The hidden folder of a run that was killed before its last file was in place."""
    (tmp_path / "near").mkdir()
    folder = kill_at("os.rename", "/b.txt", tmp_path)
    assert (tmp_path / "more" / "a.txt").read_text() == "new"
    return folder


def read(folder):
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_what_a_killed_run_has_put_in_place_is_undone_and_said(tmp_path, killed, caplog):
    check_output(tmp_path / "b.txt", overwrite=True)
    assert names_in(tmp_path) == ["b.txt", "near"]
    assert names_in(tmp_path / "near") == []
    assert (tmp_path / "b.txt").read_text() == "old"
    assert caplog.messages == [
        f"tfdp: cleared what a run that was killed had left of {tmp_path / 'b.txt'}"
    ]


def test_what_a_killed_run_had_put_in_place_whole_stays(tmp_path, caplog):
    (tmp_path / "near").mkdir()
    kill_at("os.remove", "/moves", tmp_path)
    check_output(tmp_path / "b.txt", overwrite=True)
    assert names_in(tmp_path) == ["b.txt", "more", "near"]
    assert names_in(tmp_path / "near") == []
    assert {(tmp_path / name).read_text() for name in ("b.txt", "more/a.txt")} == {"new"}
    assert caplog.messages == [
        f"tfdp: a run that was killed had put all in place of {tmp_path / 'b.txt'}"
    ]


def test_what_others_have_written_since_a_kill_stays(tmp_path, killed):
    (tmp_path / "more" / "a.txt").write_text("theirs")
    (tmp_path / "b.txt").write_text("theirs")
    check_output(tmp_path / "b.txt", overwrite=True)
    assert names_in(tmp_path) == ["b.txt", "more", "near"]
    assert {(tmp_path / name).read_text() for name in ("more/a.txt", "b.txt")} == {"theirs"}


DAMAGED = ["[", "5", "null", '"ab"', '{"a": 1}', "[5]", "[null]", "[5, 5]", '[[["a"]], []]']
DAMAGED += ['[[["/s", "/t", [1], null]], []]', "[" * 100_000, '["/home"]', '[[], ["a\\u0000"]]']


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize("name", ["moves", "folders"])
def test_what_a_killed_run_has_left_is_not_guessed_from_a_damaged_journal(
    tmp_path, killed, name, content
):
    (killed / name).write_text(content)
    before = read(tmp_path)
    with pytest.raises(ValueError, match=r"is damaged; remove it") as caught:
        check_output(tmp_path / "b.txt", overwrite=True)
    assert str(killed) in str(caught.value)
    assert read(tmp_path) == before


def test_a_copy_of_what_a_killed_run_has_left_undoes_nothing(tmp_path, killed):
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path, copy, ignore=shutil.ignore_patterns("copy"))
    before = read(tmp_path)
    with pytest.raises(FileExistsError, match=r"copied or moved, perhaps.*; rename it"):
        check_output(copy / "b.txt", overwrite=True)
    assert read(tmp_path) == before


def test_a_journal_that_came_from_elsewhere_is_not_believed(tmp_path):
    """As out of an archive: it names folders and files of the user's."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("mine")
    folder = tmp_path / ".b.txt.tfdp"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "folders").write_text(json.dumps([str(tmp_path / "theirs")]))
    before = read(tmp_path)
    with pytest.raises(FileExistsError, match=r"was not made by tfdp in this place"):
        check_output(tmp_path / "b.txt", overwrite=True)
    assert read(tmp_path) == before


def put_a_file(killed):
    (killed / "thesis.txt").write_text("mine")


def put_a_folder(killed):
    (killed / "7").mkdir()


def link_the_lock(killed):
    (killed / "lock").unlink()
    (killed.parent / "theirs").touch()
    (killed / "lock").symlink_to("../theirs")


def fill_the_lock(killed):
    (killed / "lock").write_text("mine")


def link_the_folder(killed):
    killed.rename(killed.parent / "theirs")
    killed.symlink_to("theirs")


def put_a_file_elsewhere(killed):
    (folder,) = (killed.parent / "near").iterdir()
    (folder / "thesis.txt").write_text("mine")


def link_a_folder_elsewhere(killed):
    (folder,) = (killed.parent / "near").iterdir()
    folder.rename(killed.parent / "theirs")
    folder.symlink_to("../theirs")


@pytest.mark.parametrize(
    "change",
    [
        put_a_file,
        put_a_folder,
        link_the_lock,
        fill_the_lock,
        link_the_folder,
        put_a_file_elsewhere,
        link_a_folder_elsewhere,
    ],
    ids=lambda change: change.__name__,
)
def test_a_hidden_folder_that_holds_what_is_not_ours_is_left_alone(tmp_path, killed, change):
    change(killed)
    before = read(tmp_path)
    with pytest.raises(FileExistsError, match=r"is in the way, and not of tfdp; rename it"):
        check_output(tmp_path / "b.txt", overwrite=True)
    assert read(tmp_path) == before


def test_what_another_users_run_has_left_is_left_alone(tmp_path, killed, monkeypatch):
    before = read(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: killed.stat().st_uid + 1)
    with pytest.raises(PermissionError, match=r"\.b\.txt\.tfdp is another user's"):
        check_output(tmp_path / "b.txt", overwrite=True)
    assert read(tmp_path) == before


def test_a_run_that_was_killed_before_its_folder_was_marked_blocks_nothing(tmp_path):
    for content in (b"", b'["tfdp'):
        folder = tmp_path / ".b.txt.tfdp"
        folder.mkdir()
        (folder / "lock").touch()
        (folder / "mark").write_bytes(content)
        check_output(tmp_path / "b.txt", overwrite=True)
        assert names_in(tmp_path) == []
