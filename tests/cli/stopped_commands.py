"""Runs commands of ``tfdp`` in children that get a signal before their k-th step on the disk.

``python -m tests.cli.stopped_commands FOLDER ARGUMENTS``, with those of a ``score``, reads lists of
commands, one a line, and runs those of a list at once: ``arguments``, ``signal`` and ``step`` (0 for
none), ``most_bytes`` (of a file; -1 for any), ``load`` (modules to import before). It answers with
each child's ``status``, what it said on ``stderr``, and the number of ``steps`` it took in FOLDER.
Children are forked, since importing takes a second. `serve_commands` starts it.
"""

import contextlib
import importlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile

from demo.sandbox import ROOT
from tfdp.cli import main

EVENTS = {"os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.remove"}


def _is_step(event, arguments, folder):
    if event == "open":
        changes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    else:
        changes = event in EVENTS
    return changes and str(arguments[0]).startswith(folder)


def signal_before(step, folder, number=signal.SIGKILL, told=lambda: None):
    """From now on this process gets a signal before a step on the disk; calls ``told`` at each."""

    def count(event, arguments):
        if _is_step(event, arguments, folder):
            told()
            count.left -= 1
            if count.left == 0:
                os.kill(os.getpid(), number)

    count.left = step
    sys.addaudithook(count)


def _run(command, folder, steps):
    signal_before(command["step"], folder, command["signal"], lambda: os.write(steps, b"."))
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a shell has ignored in the background
    resource.setrlimit(resource.RLIMIT_FSIZE, (command["most_bytes"], resource.RLIM_INFINITY))
    sys.argv = ["tfdp", *command["arguments"]]
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os._exit(main())


def _answer(commands, folder):
    with contextlib.ExitStack() as files:
        running = []
        for command in commands:
            said, steps = (files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            child = os.fork()
            if child == 0:
                os.dup2(said.fileno(), 2)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                _run(command, folder, steps.fileno())
            running.append((child, said, steps))
        return [_read_answer(*one) for one in running]


def _read_answer(child, said, steps):
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said.seek(0)
    return {
        "status": status,
        "stderr": said.read().decode(),
        "steps": os.fstat(steps.fileno()).st_size,
    }


@contextlib.contextmanager
def serve_commands(folder, first, load=()):
    """Starts the server; gives a function that runs a command, and one that runs several at once.

    Args:
        folder: whose steps count.
        first: arguments of a ``score``, which is run once for all children.
        load: modules to import once for all children.
    """
    server = [sys.executable, "-m", "tests.cli.stopped_commands", str(folder), *map(str, first)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(server, cwd=ROOT, text=True, **pipes) as process:

        def run_all(*all_arguments, number=0, step=0, most_bytes=-1):
            common = {"signal": number, "step": step, "most_bytes": most_bytes, "load": [*load]}
            commands = [{"arguments": [*map(str, a)], **common} for a in all_arguments]
            process.stdin.write(json.dumps(commands) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        def run(arguments, number=0, step=0, most_bytes=-1):
            (done,) = run_all(arguments, number=number, step=step, most_bytes=most_bytes)
            return done

        yield run, run_all
        process.stdin.close()


def read(folder):
    """The content of all that is in a folder; None of folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def serve(folder):
    for line in sys.stdin:
        commands = json.loads(line)
        for name in commands[0]["load"]:
            importlib.import_module(name)
        sys.stdout.write(json.dumps(_answer(commands, folder)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        main(["score", *sys.argv[2:]])  # loads and compiles, once for all children
    serve(sys.argv[1])
