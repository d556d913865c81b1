"""`make demo` opens the App for this machine alone."""

import os
import subprocess
import sys

import psutil
import pytest

from demo.sandbox import ROOT

pytestmark = pytest.mark.app


@pytest.fixture
def demo(tmp_path):
    """The demo's process, once it has opened the App."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", "--output", tmp_path],
        cwd=ROOT,
        env=os.environ | {"BROWSER": "true"},  # the command of that name, not a browser
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = iter(process.stdout.readline, "")
    assert any("http://" in line for line in lines), "the App was not opened"
    yield psutil.Process(process.pid)
    process.terminate()
    process.communicate(timeout=60)


def test_it_listens_on_this_machine_alone(demo):
    processes = [demo, *demo.children(recursive=True)]
    sockets = [socket for process in processes for socket in process.net_connections("inet")]
    listening = {s.laddr for s in sockets if s.status == psutil.CONN_LISTEN}
    assert len(listening) >= 2, "mongod and the App"
    assert {place.ip for place in listening} == {"127.0.0.1"}
