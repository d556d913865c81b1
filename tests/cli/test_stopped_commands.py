"""Commands that are killed or stopped before any of their steps on the disk."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from demo.sandbox import ROOT
from tests.cli.stopped_commands import read, serve_commands
from tests.sources.conftest import make_document
from tfdp.cli import main

STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A COCO file and its images, in sub-folders."""
    folder = tmp_path_factory.mktemp("stopped")
    document = make_document()
    document["images"][0]["file_name"] = "sub/a.jpg"
    (folder / "images" / "sub").mkdir(parents=True)
    for image in document["images"]:
        (folder / "images" / image["file_name"]).write_text("image")
    (folder / "ann.json").write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="module")
def tfdp(workplace):
    """Runs a command, and gives its exit status, stderr and number of steps."""
    first = [workplace / "ann.json", "-o", workplace / "first.csv"]
    with serve_commands(workplace, first) as (run, _):
        yield run


def prune(workplace):
    out = workplace / "out"
    outputs = ["-o", out / "p.json", "--report", out / "more" / "r.json"]
    outputs += ["--skipped", out / "more" / "s.csv", "--images", "copy"]
    return ["prune", workplace / "ann.json", "--rate", 0, *outputs]


def score(workplace):
    out = workplace / "out"
    outputs = [
        "-o",
        out / "i.csv",
        "--instances",
        out / "n.parquet",
        "--save-totals",
        out / "t.json",
    ]
    return ["score", workplace / "ann.json", *outputs]


COMMANDS = {"prune": prune, "score": score}


@pytest.fixture(params=["new", "overwrite"])
def case(request, workplace, tfdp, command):
    """A command, what is there before it, and what it writes."""
    arguments = COMMANDS[command](workplace)
    before, after = workplace / "before", workplace / "out"
    for folder in (before, after):
        shutil.rmtree(folder, ignore_errors=True)
    (after / "more").mkdir(parents=True)
    if request.param == "overwrite":
        assert tfdp(arguments)["status"] == 0
        for path in filter(lambda path: path.is_file(), after.rglob("*")):
            path.write_text("old")
        arguments = [*arguments, "--overwrite"]
    shutil.copytree(after, before)
    done = tfdp(arguments)
    assert (done["status"], done["stderr"]) == (0, "")
    return arguments, read(before), read(after), done["steps"]


def stop(workplace, tfdp, arguments, number, step):
    """A command that got a signal before a step, from the same beginning each time."""
    shutil.rmtree(workplace / "out")
    shutil.copytree(workplace / "before", workplace / "out")
    return tfdp(arguments, number, step)


def kill(workplace, tfdp, arguments, step):
    """What is there after a kill."""
    killed = stop(workplace, tfdp, arguments, signal.SIGKILL, step)
    assert killed["status"] == -signal.SIGKILL
    return read(workplace / "out")


@pytest.mark.parametrize("command", COMMANDS)
def test_of_a_killed_command_the_next_one_leaves_all_or_nothing(workplace, tfdp, case):
    arguments, before, after, steps = case
    sources = read(workplace / "images")
    for step in range(1, steps + 1):
        left = kill(workplace, tfdp, arguments, step)
        assert all(left[name] in {content, after[name]} for name, content in before.items())
        failed = tfdp([*arguments, "--totals", workplace / "none.json"])
        assert failed["status"] == 2
        assert read(workplace / "out") in (before, after)
    assert read(workplace / "images") == sources


@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_command_can_be_run_again(workplace, tfdp, case):
    arguments, _, after, steps = case
    for step in range(1, steps + 1, 3):
        left = kill(workplace, tfdp, arguments, step)
        done = tfdp(arguments)
        finished = left.items() >= after.items()  # before it was killed
        assert done["status"] == 0 or (finished and "exists" in done["stderr"])
        assert read(workplace / "out") == after


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stopped_command_has_written_all_or_nothing_and_says_which(workplace, tfdp, case):
    arguments, before, after, steps = case
    for step in range(1, steps + 1):
        number = STOPS[step % 3]
        stopped = stop(workplace, tfdp, arguments, number, step)
        assert stopped["status"] == 128 + number
        outcome = {
            "tfdp: interrupted, nothing was written\n": before,
            "tfdp: interrupted, but all was written\n": after,
        }
        assert read(workplace / "out") == outcome[stopped["stderr"]]


@pytest.mark.parametrize("number", STOPS)
def test_a_command_that_is_stopped_while_it_loads_has_written_nothing(tmp_path, number):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "numpy.py").write_text(f"open({str(pipe)!r}).read()")
    command = [sys.executable, "-c", "from tfdp.cli import main; main()", "score", "x", "-o", "y"]
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True
    ) as process:
        with pipe.open("w"):  # as soon as it loads
            process.send_signal(number)
            assert process.wait() == 128 + number
        assert process.stderr.read() == "tfdp: interrupted, nothing was written\n"


def test_a_signal_that_is_ignored_stays_ignored():
    code = """if True:
        import signal
        from tfdp.files.stopping import stopping
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        stopping.listen()
        signal.raise_signal(signal.SIGHUP)
        print("goes on")
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b"goes on\n"


def test_a_signal_to_a_child_that_was_forked_is_the_childs():
    code = """if True:
        import os, signal
        from tfdp.files.stopping import stopping
        stopping.listen()
        if os.fork() == 0:
            signal.raise_signal(signal.SIGTERM)
        print(os.waitstatus_to_exitcode(os.wait()[1]))
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"-15\n", b"")


def test_the_signals_of_a_program_that_calls_a_command_are_its_own(tmp_path):
    before = [signal.getsignal(number) for number in STOPS]
    assert main(["score", str(tmp_path / "none.json"), "-o", str(tmp_path / "i.csv")]) == 2
    assert [signal.getsignal(number) for number in STOPS] == before
