"""Runs commands of ``tfdp`` in children that get a signal before their k-th step on the disk.

``python -m tests.stopped_commands FOLDER ARGUMENTS``, with those of a ``score``, reads one JSON object a line: ``arguments``, ``signal``
and ``step`` (0 for none). It answers with the child's ``status``, what it said on ``stderr`` and the
number of ``steps`` it took in FOLDER. Children are forked, since importing takes a second.
"""

import contextlib
import io
import json
import os
import sys
import tempfile

from tfdp.cli import main

EVENTS = {"os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.remove"}


def is_step(event, arguments, folder):
    if event == "open":
        changes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    else:
        changes = event in EVENTS
    return changes and str(arguments[0]).startswith(folder)


def run(command, folder, steps):
    def count(event, arguments):
        if is_step(event, arguments, folder):
            os.write(steps, b".")
            count.left -= 1
            if count.left == 0:
                os.kill(os.getpid(), command["signal"])

    count.left = command["step"]
    sys.addaudithook(count)
    sys.argv = ["tfdp", *command["arguments"]]
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os._exit(main())


def answer(command, folder):
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as steps:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            run(command, folder, steps.fileno())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return {
            "status": status,
            "stderr": said.read().decode(),
            "steps": os.fstat(steps.fileno()).st_size,
        }


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        main(["score", *sys.argv[2:]])  # loads and compiles, once for all children
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line), sys.argv[1])) + "\n")
        sys.stdout.flush()
