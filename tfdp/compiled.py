"""One decorator for every compiled function: numba, cached on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compiles a function at its first call, releasing the GIL while it runs.

    The machine code is kept in ``__pycache__`` or numba's user cache (``NUMBA_CACHE_DIR`` overrides
    both). Where none of them can be written, as in a read-only plugin folder without a home, numba
    refuses to cache, and the function is compiled anew in every process instead.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "cannot cache function: no locator available"
        return numba.njit(nogil=True)(function)
