"""Runs calls on FiftyOne datasets in children that are killed before their k-th write to MongoDB.

``python -m tests.fiftyone.killing`` reads one JSON object a line: ``dataset`` (name), ``code`` (what
to run, with ``dataset``, ``fo`` and ``tfdp`` in scope) and ``kill_at`` (number of the write; 0 for
none). It answers "status" and the child's: 0 for what came to its end, -9 for what was killed.
Children are forked, since importing FiftyOne takes seconds.
"""

import json
import os
import signal
import sys
import traceback

import pymongo.monitoring

WRITES = {"insert", "update", "delete", "findAndModify", "createIndexes", "dropIndexes", "drop"}


class Killer(pymongo.monitoring.CommandListener):
    """Ends this process, without a word to anybody, before the command that is due is sent."""

    left = 0

    def started(self, event):
        copies = any("$merge" in stage for stage in event.command.get("pipeline", ()))
        if Killer.left and (event.command_name in WRITES or copies):
            Killer.left -= 1
            if Killer.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


def run(dataset, code, kill_at):
    import fiftyone as fo
    from fiftyone.core.odm import database

    import tfdp

    database._disconnect()
    database.establish_db_conn(fo.config)
    scope = {"dataset": fo.load_dataset(dataset), "fo": fo, "tfdp": tfdp}
    Killer.left = kill_at
    exec(code, scope)
    Killer.left = 0


def main():
    pymongo.monitoring.register(Killer())
    import fiftyone  # noqa: F401 - once for all children

    import tfdp.methods  # noqa: F401

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
