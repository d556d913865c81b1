"""Lists of files: under a folder, and in a text file."""

import os

import pytest

from tfdp.files.listing import list_files, read_list


@pytest.fixture
def tree(tmp_path):
    for name in ("b.png", "a/c.PNG", "a/d.txt", ".hidden/e.png", "a/.f.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    return tmp_path


def names(tree):
    return [path.relative_to(tree).as_posix() for path in list_files(tree, [".png"])]


def test_files_of_an_ending_are_listed_in_order_without_hidden_ones(tree):
    assert names(tree) == ["a/c.PNG", "b.png"]


def test_links_are_followed_and_every_folder_is_entered_once(tree, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "g.png").write_text("x")
    (tree / "a" / "out").symlink_to(elsewhere)
    (tree / "a" / "up").symlink_to(tree)
    (tree / "a" / "itself").symlink_to(tree / "a" / "itself")
    (elsewhere / "back").symlink_to(tree / "a")
    assert names(tree) == ["a/c.PNG", "a/out/g.png", "b.png"]


def test_a_folder_that_cannot_be_read_is_an_error(tree):
    with pytest.raises(FileNotFoundError, match="none"):
        list_files(tree / "none", [".png"])
    with pytest.raises(NotADirectoryError, match=r"b\.png"):
        list_files(tree / "b.png", [".png"])


def test_lines_of_a_list(tree):
    path = tree / "list.txt"
    path.write_bytes(b"\xef\xbb\xbf a b \r\n\n\xc3\xa9\n")
    assert read_list(path) == ["a b", "é"]
    path.write_bytes(b"a\n\xe9")
    with pytest.raises(ValueError, match=r"list\.txt is not UTF-8 at byte 2"):
        read_list(path)
    os.truncate(path, 2**28 + 1)
    with pytest.raises(OSError, match="it has 268,435,457 bytes"):
        read_list(path)
