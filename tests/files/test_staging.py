"""Output files: whole or not at all, all of a run together, and nothing of anybody else's."""

import errno
import json
import os
import resource
import shutil
import signal
import stat
import sys
from contextlib import ExitStack

import pytest

from tests.sources.conftest import names_in
from tfdp.files.outputs import check_output
from tfdp.files.staging import stage_outputs, write_atomically


def write_and_fail(error, *paths, overwrite=False):
    with ExitStack() as files:
        for path in paths:
            files.enter_context(write_atomically(path, overwrite=overwrite)).write(b"half")
        raise error


def write_while_another_does(path):
    with write_atomically(path) as file:
        file.write(b"ours")
        path.write_bytes(b"theirs")


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    with write_atomically(path) as file:
        file.write(b"text")
        assert not path.exists()
    assert path.read_bytes() == b"text"
    assert names_in(tmp_path) == ["a.txt"]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(KeyError):
        write_and_fail(KeyError(), path, overwrite=True)
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.txt"]


def test_of_two_files_both_are_written_or_none(tmp_path):
    with pytest.raises(OSError, match="full"):
        write_and_fail(OSError(errno.ENOSPC, "full"), tmp_path / "1", tmp_path / "2")
    assert names_in(tmp_path) == []


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(FileExistsError):
        write_while_another_does(path)
    assert path.read_bytes() == b"theirs"
    assert names_in(tmp_path) == ["a.txt"]


def test_the_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    with write_atomically(tmp_path / "ours"):
        pass
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "ours")}
    assert len(modes) == 1


def test_an_error_names_the_output(tmp_path):
    with pytest.raises(OSError, match="full") as caught:
        write_and_fail(OSError(errno.ENOSPC, "full"), tmp_path / "a.txt")
    assert caught.value.filename == str(tmp_path / "a.txt")


@pytest.mark.parametrize("overwrite", [False, True])
def test_outputs_that_cannot_be_are_refused_before_the_work(tmp_path, overwrite):
    with pytest.raises(FileNotFoundError, match="no folder"):
        check_output(tmp_path / "none" / "a.txt", overwrite=overwrite)
    with pytest.raises(FileExistsError, match="not a file"):
        check_output(tmp_path, overwrite=overwrite)
    with pytest.raises(FileExistsError, match="not a file"):
        check_output(type(tmp_path)("/dev/null"), overwrite=overwrite)


def test_a_link_to_nowhere_is_no_output(tmp_path):
    (tmp_path / "a.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError, match="not a file"):
        check_output(tmp_path / "a.txt", overwrite=True)


def stage(tmp_path, *names, overwrite=False):
    """Files are staged and put in place; what else happens before that is up to the caller."""
    return stage_outputs([tmp_path / name for name in names], overwrite=overwrite)


def test_a_failure_on_the_way_puts_back_what_was_replaced(tmp_path):
    for name in ("1", "2", "3"):
        (tmp_path / name).write_bytes(b"old")
    with stage(tmp_path, "1", "2", "3", overwrite=True) as staging:
        for name in ("1", "2", "3"):
            with staging.open(tmp_path / name) as file:
                file.write(b"new")
        (tmp_path / "3").unlink()
        (tmp_path / "3").mkdir()
        with pytest.raises(FileExistsError, match="3 is not a file"):
            staging.put_in_place()
    assert (tmp_path / "3").is_dir()
    assert [(tmp_path / name).read_bytes() for name in ("1", "2")] == [b"old", b"old"]
    assert names_in(tmp_path) == ["1", "2", "3"]


def test_another_run_with_the_same_output_is_told(tmp_path):
    path = tmp_path / "a.txt"
    with write_atomically(path) as file:
        file.write(b"ours")
        with pytest.raises(OSError, match=r"another run writes .*a\.txt at this moment"):
            write_and_fail(KeyError(), path)
    assert path.read_bytes() == b"ours"
    assert names_in(tmp_path) == ["a.txt"]


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / ".a.txt.tfdp").mkdir()
    (tmp_path / ".a.txt.tfdp" / "mine").touch()
    with pytest.raises(FileExistsError, match=r"\.a\.txt\.tfdp is in the way"):
        check_output(tmp_path / "a.txt", overwrite=True)
    assert names_in(tmp_path / ".a.txt.tfdp") == ["mine"]


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


def test_two_outputs_that_are_one_file_by_a_hard_link(tmp_path):
    (tmp_path / "1").write_text("old")
    os.link(tmp_path / "1", tmp_path / "2")
    with (
        pytest.raises(ValueError, match="two outputs have one name"),
        stage(tmp_path, "1", "2", overwrite=True),
    ):
        pass
    assert names_in(tmp_path) == ["1", "2"]


def test_an_output_with_a_name_of_our_own_folders(tmp_path):
    for name in (".b.txt.tfdp", ".a.12345678.tfdp"):
        with (
            pytest.raises(ValueError, match="a name of tfdp's own folders; choose another"),
            stage(tmp_path, name, "b.txt"),
        ):
            pass
    assert names_in(tmp_path) == []


def test_an_output_in_a_link_that_leads_to_itself(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"), stage(tmp_path, "loop/a.txt"):
        pass
    assert names_in(tmp_path) == ["loop"]


def test_outputs_in_a_folder_under_two_names(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with stage(tmp_path, "link/a", "real/b") as staging:
        for name in ("link/a", "real/b"):
            staging.add(tmp_path / name).touch()
        staging.put_in_place()
    assert names_in(tmp_path / "real") == ["a", "b"]


def test_two_names_that_turn_out_to_be_one_place(tmp_path):
    """As "a" and "A" do on a disk that ignores case."""
    (tmp_path / "one").mkdir()
    with stage(tmp_path, "main", overwrite=True) as staging:
        for folder in ("one", "other"):
            staging.add(tmp_path / folder / "a", near=tmp_path).touch()
        (tmp_path / "other").symlink_to("one")
        with pytest.raises(ValueError, match="two outputs would be"):
            staging.put_in_place()
    assert names_in(tmp_path / "one") == []


def write_with_room_for(size, path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with write_atomically(path) as file:
            file.write(b"x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_the_journal_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="File too large") as caught:
        write_with_room_for(50, tmp_path / "a.txt")
    assert caught.value.filename == str(tmp_path / "a.txt")
    assert names_in(tmp_path) == []


def test_a_disk_without_hard_links(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.txt").write_text("old")
    with write_atomically(tmp_path / "a.txt", overwrite=True) as file:
        file.write(b"new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert names_in(tmp_path) == ["a.txt"]
