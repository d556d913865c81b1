"""A database that goes away while a run is written: one clear error soon, and mended afterwards."""

import json
import subprocess
import sys

import pytest

from demo.sandbox import ROOT

SCRIPT = """
import json, os, subprocess, sys, time
from pathlib import Path
import psutil, pymongo.monitoring
from demo.sandbox import enter_sandbox

enter_sandbox(Path(sys.argv[1]))
(mongod,) = psutil.Process().children()
command = mongod.cmdline()

class EndAtThirdUpdate(pymongo.monitoring.CommandListener):
    left = 0
    def started(self, event):
        if self.left and event.command_name == "update" and event.command["update"].startswith("samples"):
            self.left -= 1
            if self.left == 0:
                mongod.terminate()
                mongod.wait()
    succeeded = failed = lambda self, event: None

listener = EndAtThirdUpdate()
pymongo.monitoring.register(listener)
import fiftyone as fo
import tfdp
from tests.views.datasets import detection, rectangle, sample
from tfdp.views import database

database.SECONDS, database.OPERATIONS_SECONDS = 2, 5  # or the test takes half a minute
dataset = fo.Dataset("drawn", persistent=True)
dataset.add_samples([sample(str(i), [detection("cat", rectangle(3, 7))], u=i) for i in range(600)])

def message_of(call):
    begun = time.monotonic()
    try:
        call()
    except ConnectionError as error:
        return [str(error), time.monotonic() - begun]

def score():
    return tfdp.compute_shape_scores(dataset, "gt", progress=False)

listener.left = 3
told = {"on the way": message_of(score)}
told["away"] = message_of(score)
told["compare"] = message_of(lambda: tfdp.compare_scores(dataset, "gt"))
told["export"] = message_of(lambda: tfdp.export_coco(dataset, Path(sys.argv[1]) / "out.json"))
mongod = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
score()
told["scored"] = [dataset.count("cb_scs"), dataset.list_brain_runs()]
print(json.dumps(told), flush=True)
mongod.kill()
os._exit(0)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path_factory.mktemp("sandbox")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", ["on the way", "away", "compare", "export"])
def test_the_error_says_what_to_do(told, case):
    message, _ = told[case]
    assert message.startswith("the database at 127.0.0.1:")
    assert "does not answer; start it again" in message


def test_the_next_call_mends(told):
    assert told["scored"] == [600, ["shape_scores"]]
