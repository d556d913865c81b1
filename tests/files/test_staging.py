"""Output files: whole or not at all, all of a run together, and nothing of anybody else's."""

import errno
import os
import resource
import stat
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
