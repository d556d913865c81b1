"""A command that a signal stops: it removes what it had begun, says what is true, and ends.

All of that happens in the signal's handler. An exception from there could come while a module is
loaded or a ``finally`` block runs, and be lost, or be shown as a traceback.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


class Stopping:
    """What is to be done when this process is stopped.

    Attributes:
        outcome: what is true of the outputs, to end the message with.
        quiet: whether to say nothing: another process does.
    """

    def __init__(self) -> None:
        self.outcome = ""
        self.quiet = False
        self._process = -1
        self._cleanups: list[Callable[[], None]] = []
        self._holds = 0
        self._waiting: int | None = None

    def listen(self) -> None:
        """From now on signals stop this process here; one that it was told to ignore stays so."""
        self.outcome = "nothing was written"
        self._process = os.getpid()
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._handle)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Signals wait until the block has ended."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if self._waiting is not None:
                self._handle(self._waiting, None)

    @contextmanager
    def cleanup(self, remove: Callable[[], None]) -> Iterator[None]:
        """``remove`` is called when the block has ended, or the process is stopped in it."""
        self._cleanups.append(remove)
        try:
            yield
        finally:
            remove()
            self._cleanups.remove(remove)

    def _handle(self, number: int, _frame: Any) -> None:
        if os.getpid() != self._process:  # a process that was forked off, to load images say
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        elif self._holds:
            self._waiting = number
        else:
            self._stop(number)

    def _stop(self, number: int) -> None:
        try:
            for other in _SIGNALS:
                signal.signal(other, signal.SIG_IGN)
            for remove in reversed(self._cleanups):
                remove()
            end_of_bar = "\n" if os.isatty(2) else ""
            if not self.quiet:
                os.write(2, f"{end_of_bar}tfdp: interrupted, {self.outcome}\n".encode())
        finally:
            os._exit(128 + number)


stopping = Stopping()
"""Of this process."""
