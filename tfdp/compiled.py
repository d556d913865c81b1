"""How every compiled function is compiled: two decorators over numba.

Machine code is kept on disk, in ``__pycache__`` beside the source or in the user's cache folder
(``NUMBA_CACHE_DIR`` overrides both). Where none of them can be written, as in a read-only plugin
folder without a home, numba refuses to cache; then every process compiles the functions anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.options import DefaultOptions

Function = TypeVar("Function", bound=Callable[..., Any])

# numba looks only at a function's own file to see whether its machine code is stale, but a function
# contains those that it calls: so any newer file in this package counts
_NEWEST_SOURCE = max(path.stat().st_mtime_ns for path in Path(__file__).parent.glob("*.py"))

# Between compiled functions, numba counts references to arrays, which takes longer than most inner
# functions do: without counting and calling, all is several times as fast. `_nrt` is private.
_INNER = {
    option: value
    for option, value in {"_nrt": False, "forceinline": True}.items()
    if hasattr(DefaultOptions, option)
}


def _compile(function: Function, **options: bool | str) -> Function:
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "cannot cache function: no locator available"
        return numba.njit(**options)(function)
    cache_file = getattr(dispatcher._cache, "_cache_file", None)  # noqa: SLF001
    if cache_file is not None:
        cache_file._source_stamp = _NEWEST_SOURCE  # noqa: SLF001
    return dispatcher


def compiled(function: Function) -> Function:
    """Compiles a function at its first call; it releases the GIL while it runs."""
    return _compile(function)


def inner(function: Function) -> Function:
    """Compiles a function that compiled ones call, and that neither makes nor returns arrays."""
    return _compile(function, **_INNER)
