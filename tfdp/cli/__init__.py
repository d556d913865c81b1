"""The program ``tfdp``: commands on datasets on disk.

Only what is light is loaded before signals are listened to; the commands come after that.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..errors import describe_error
from ..files.stopping import stopping

if TYPE_CHECKING:
    from collections.abc import Sequence

_BAD_INPUT = 2
_STANDARD = range(3)  # stdin, stdout, stderr


def _open_missing_streams() -> None:
    """What the caller has closed leads nowhere, rather than into a file that is opened next."""
    while (number := os.open(os.devnull, os.O_RDWR)) in _STANDARD:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: its arguments; by default the program's own. Then Ctrl-C, SIGTERM and SIGHUP end the
            process with 128 + their number, nothing half-written, and a line that says so. With
            arguments of another program, that program's signals are left alone.

    Returns:
        0; or 2 for bad input, with one line on stderr that says what is wrong.
    """
    if argv is None:
        _open_missing_streams()
        stopping.listen()
    from .parser import make_parser

    words = sys.argv[1:] if argv is None else argv
    args = make_parser(words).parse_args(words)
    try:
        args.run(args)
    except BrokenPipeError:  # whoever read the summary has gone; the files are written
        return 0
    except (ValueError, OSError, MemoryError) as error:
        from ..models.torchrun import is_first_to_fail

        if is_first_to_fail():
            print(f"tfdp: error: {describe_error(error)}", file=sys.stderr, flush=True)
        return _BAD_INPUT
    return 0
