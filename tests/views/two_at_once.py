"""Runs code in two processes on one FiftyOne dataset, at once.

``python -m tests.views.two_at_once`` reads one JSON object a line: ``dataset`` (name), ``code`` (what
to run, with ``dataset``, ``tfdp`` and ``number`` in scope) and ``number``. A child of its own loads
the dataset, answers "status ready", waits for a line, runs the code, and answers "status done" or
"status refused: " and why. Children are forked, since importing FiftyOne takes seconds.
"""

import functools
import json
import os
import subprocess
import sys
import traceback

import fiftyone.core.odm as foo

from demo.sandbox import ROOT


def answer(process):
    return next(line for line in process.stdout if line.startswith("status"))[7:].strip()


def tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()


@functools.cache
def start_two():
    """Two servers; they end with this process, since nobody writes to them any more."""
    command = [sys.executable, "-m", "tests.views.two_at_once"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]


def run_two(dataset, code):
    """Runs code in two processes that begin at once; gives what each said."""
    processes = start_two()
    for number, process in enumerate(processes):
        tell(process, json.dumps({"dataset": dataset.name, "code": code, "number": number}))
    assert [answer(process) for process in processes] == ["ready", "ready"]
    for process in processes:
        tell(process, "go")
    said = [answer(process) for process in processes]
    dataset.reload()
    assert foo.get_db_conn()["tfdp_changes"].count_documents({}) == 0
    return said


def run(dataset, code, number):
    import fiftyone as fo
    from fiftyone.core.odm import database

    import tfdp

    database._disconnect()
    database.establish_db_conn(fo.config)
    scope = {"dataset": fo.load_dataset(dataset), "tfdp": tfdp, "number": number}
    print("status ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    try:
        exec(code, scope)
    except ValueError as error:
        print("status refused:", error, flush=True)  # noqa: T201
    else:
        print("status done", flush=True)  # noqa: T201


def main():
    import tfdp.views.methods  # noqa: F401 - once for all children

    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            try:
                run(**json.loads(line))
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
