"""Runs calls on FiftyOne datasets in children that are killed before their k-th write.

``python -m tests.views.killing`` reads one JSON object a line: ``dataset`` (name), ``code`` (what
to run, with ``dataset``, ``fo`` and ``tfdp`` in scope), ``kill_at`` (number of the write; 0 for
none) and ``folder`` (whose files count as writes; empty: MongoDB's commands do). It answers
"status" and the child's: 0 for what came to its end, -9 for what was killed. Children are forked,
since importing FiftyOne takes seconds. `serve_calls` starts it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import traceback

import pymongo.monitoring

from demo.sandbox import ROOT
from tests.cli.stopped_commands import signal_before

WRITES = {"insert", "update", "delete", "findAndModify", "createIndexes", "dropIndexes", "drop"}


class Killer(pymongo.monitoring.CommandListener):
    """Ends this process, without a word to anybody, before the command that is due is sent."""

    left = 0
    seen = 0  # writes so far

    def started(self, event):
        copies = any("$merge" in stage for stage in event.command.get("pipeline", ()))
        if event.command_name in WRITES or copies:
            Killer.seen += 1
            Killer.left -= 1
            if Killer.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


def run(dataset, code, kill_at, folder):
    import fiftyone as fo
    from fiftyone.core.odm import database

    import tfdp

    database._disconnect()
    database.establish_db_conn(fo.config)
    scope = {"dataset": fo.load_dataset(dataset), "fo": fo, "tfdp": tfdp}
    if folder:
        signal_before(kill_at, folder)
    else:
        Killer.left = kill_at
    exec(code, scope)
    Killer.left = 0


@contextlib.contextmanager
def serve_calls():
    """Starts the server; gives a function of a dataset, code, the write to be killed at, a folder.

    It says whether the code came to its end.
    """
    server = [sys.executable, "-m", "tests.views.killing"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(server, cwd=ROOT, text=True, **pipes) as process:

        def answer():
            return next(line for line in process.stdout if line.startswith("status")).split()[1]

        def run_killed(dataset, code, kill_at, folder=""):
            job = {"dataset": dataset.name, "code": code, "kill_at": kill_at, "folder": str(folder)}
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            status = int(answer())
            assert status in {0, -signal.SIGKILL}
            dataset.reload()
            dataset.clear_cache()  # of results that were loaded before
            return status == 0

        assert answer() == "ready"
        yield run_killed
        process.stdin.close()


def main():
    pymongo.monitoring.register(Killer())
    import fiftyone  # noqa: F401 - once for all children

    import tfdp.views.methods  # noqa: F401

    print("status ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(**json.loads(line))
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
