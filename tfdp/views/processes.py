"""Which process writes to a database, and whether it is still there."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NamedTuple

import psutil


class Owner(NamedTuple):
    """A process.

    Attributes:
        host: where process numbers mean the same: a container has numbers of its own.
        pid: its number.
        started: when it began, by which it is told from a later one of that number.
    """

    host: str
    pid: int
    started: str


def _this_host() -> str:
    try:
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str:
    """When a process began; empty for one that is gone."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        status = Path(f"/proc/{pid}/stat")
        if status.exists():  # in ticks since the start of the machine: its clock may be set
            return status.read_text().rpartition(")")[2].split()[19]
        return str(process.create_time())
    except (psutil.NoSuchProcess, OSError):
        return ""


def this_process() -> Owner:
    """The process that runs this."""
    return Owner(_this_host(), os.getpid(), _started(os.getpid()))


def is_running(owner: Owner) -> bool | None:
    """Whether a process is still there; None for one of another host, where nobody can tell."""
    if owner.host != _this_host():
        return None
    return owner.started == _started(owner.pid)
