"""A FiftyOne of its own in one folder: database, datasets, plugins and settings.

Must be entered before fiftyone is imported. Neither the demo nor the tests ever touch the FiftyOne
of the person who runs them.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MONGOD_SECONDS = 120  # for a first start on a busy machine


def enter_sandbox(folder: Path) -> None:
    """Points FiftyOne at ``folder``, with this clone as its only plugin.

    It has a mongod of its own, which ends with this process. Where there is none, the database that
    the environment names (``FIFTYONE_DATABASE_URI``) is used, under a name of the folder's own.
    """
    if "fiftyone" in sys.modules:
        raise RuntimeError("fiftyone was imported before enter_sandbox(); enter it first")
    folder = folder.resolve()
    plugins = folder / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    link = plugins / "tfdp"
    if not link.exists():
        link.symlink_to(ROOT, target_is_directory=True)
    settings = {
        "CONFIG_PATH": folder / "config.json",
        "APP_CONFIG_PATH": folder / "app_config.json",
        "DATABASE_NAME": f"tfdp-{zlib.crc32(bytes(folder)):08x}",
        "DEFAULT_DATASET_DIR": folder / "datasets",
        "PLUGINS_DIR": plugins,
        "DO_NOT_TRACK": "true",
        "ALLOW_LEGACY_ORCHESTRATORS": "true",
    }
    mongod = _find_mongod()
    if mongod is not None:
        settings["DATABASE_URI"] = _start_mongod(mongod, folder / "database")
    for name, value in settings.items():
        os.environ[f"FIFTYONE_{name}"] = str(value)


def find_free_port(wanted: int = 0) -> int:
    """The wanted port of this machine where nothing listens there, or else any free one."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _find_mongod() -> Path | None:
    """FiftyOne's own mongod, or that of the system."""
    fiftyone = importlib.util.find_spec("fiftyone")
    if fiftyone is not None and fiftyone.origin is not None:
        own = Path(fiftyone.origin).parent / "db" / "bin" / "mongod"
        if own.exists():
            return own
    found = shutil.which("mongod")
    return None if found is None else Path(found)


def _start_mongod(mongod: Path, folder: Path) -> str:
    """Starts a mongod on a free port of this machine; returns its address once it answers.

    FiftyOne would start one by itself, but finds it again by asking all processes, which fails on a
    busy machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = find_free_port()
    log = folder.with_suffix(".log")
    process = subprocess.Popen(
        [
            mongod,
            "--dbpath",
            folder,
            "--port",
            str(port),
            "--bind_ip",
            "127.0.0.1",
            "--logpath",
            log,
        ],
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C for this process must not end it first
    )
    atexit.register(_stop, process, os.getpid())
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # or no atexit
    deadline = time.monotonic() + MONGOD_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return f"mongodb://127.0.0.1:{port}"
    raise RuntimeError(f"mongod did not start, or another one still uses {folder}; see {log}")


def _stop(process: subprocess.Popen[bytes], owner: int) -> None:
    """Ends mongod; in a fork of the process that started it, does nothing."""
    if os.getpid() == owner:
        process.terminate()
        process.wait()
