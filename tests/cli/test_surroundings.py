"""Full disks, closed streams, odd names: what the machine does to a command."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import read_csv, run, run_process, the_line
from tests.sources.conftest import names_in


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


@pytest.mark.parametrize("command", ["score", "prune"])
def test_a_full_disk_leaves_nothing_half_written(annotations, out, command):
    outputs = {
        "score": ["--instances", out / "n.parquet", "-o", out / "i.csv"],
        "prune": ["--keep", 1, "-o", out / "p.json", "--report", out / "r.json"],
    }
    # as full as a disk can be made without being root: no file may grow beyond 200 bytes
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = run_process(
        command, annotations, *outputs[command], preexec_fn=limit_file_size, env=environment
    )
    assert done.returncode == 2
    assert done.stderr == f"tfdp: error: {outputs[command][-1]}: File too large\n"
    assert names_in(out) == []


def test_a_summary_that_cannot_be_written_is_an_error(annotations, out):
    code = "import sys; from tfdp.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "score", annotations, "-o", out / "i.csv"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "tfdp: error: No space left on device\n"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*command, "--overwrite"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def run_closed(numbers, *arguments):
    """A command whose caller has closed some of stdin, stdout and stderr."""
    code = "import os, sys; [os.close(number) for number in map(int, sys.argv[1])]\n"
    code += "os.execv(sys.executable, [sys.executable, '-c', sys.argv[2], *sys.argv[3:]])"
    command = "import sys; from tfdp.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, numbers, command, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("numbers", ["1", "2", "12", "012"])
def test_closed_streams_are_no_error(annotations, out, numbers):
    done = run_closed(numbers, "score", annotations, "-o", out / "i.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert [row[0] for row in read_csv(out / "i.csv")] == ["image_id", "10", "20", "30"]
    done = run_closed(numbers, "score", out / "none.json", "-o", out / "2.csv")
    assert done.returncode == 2
    assert names_in(out) == ["i.csv"]


def test_a_name_that_is_no_utf8_is_reported(annotations, out):
    odd = annotations.with_name(os.fsdecode(b"\xff.json"))
    annotations.rename(odd)
    assert run("prune", odd, "--rate", 0.5, "-o", out / "p.json", "--report", out / "r.json") == 0
    assert "?.json" in (out / "r.json").read_text(encoding="utf-8")


@pytest.fixture
def odd(tmp_path):
    """What is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["pipe", "zero", "folder"])
@pytest.mark.parametrize("command", ["score", "prune", "compare", "totals"])
def test_only_regular_files_are_read(annotations, odd, out, capsys, command, name):
    calls = {
        "score": ["score", odd / name, "-o", out / "i.csv"],
        "prune": ["prune", odd / name, "--rate", 0.5, "-o", out / "p.json"],
        "compare": ["compare", odd / name],
        "totals": ["score", annotations, "-o", out / "i.csv", "--totals", odd / name],
    }
    assert run(*calls[command]) == 2
    reason = ": expected a regular file"
    if name == "folder":
        reason = ": Is a directory" if command == "totals" else " has no format that is known"
    assert f"{odd / name}{reason}" in the_line(capsys)


@pytest.mark.parametrize("content", ["root:x:0:0", '"root', "{root: 1}", '{"a": root}', "[1] root"])
def test_what_stands_in_a_file_that_is_no_json_is_not_told(annotations, out, capsys, content):
    annotations.write_text(content)
    assert run("score", annotations, "-o", out / "i.csv") == 2
    assert "root" not in the_line(capsys).replace(str(annotations), "")
