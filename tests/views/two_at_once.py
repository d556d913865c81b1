"""Runs code in two processes on one FiftyOne dataset, at once."""

import subprocess
import sys

import fiftyone.core.odm as foo

from demo.sandbox import ROOT

START = """
import sys
import fiftyone as fo
import tfdp
dataset = fo.load_dataset(sys.argv[1])
number = int(sys.argv[2])
print("status ready", flush=True)
sys.stdin.readline()
try:
    {code}
    print("status done", flush=True)
except ValueError as error:
    print("status refused:", error, flush=True)
"""


def run_two(dataset, code):
    """Runs code in two processes that begin at once; gives what each said."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START.format(code=code), dataset.name, str(number)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]

    def answer(process):
        return next(line for line in process.stdout if line.startswith("status"))[7:].strip()

    assert [answer(process) for process in processes] == ["ready", "ready"]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [answer(process) for process in processes]
    for process in processes:
        process.communicate()
    dataset.reload()
    assert foo.get_db_conn()["tfdp_changes"].count_documents({}) == 0
    return said
