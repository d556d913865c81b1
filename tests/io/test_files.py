"""Output files: whole or not at all."""

import errno
import stat
from contextlib import ExitStack

import pytest

from tests.io.conftest import names_in
from tfdp.io.files import check_output
from tfdp.io.staging import write_atomically


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
