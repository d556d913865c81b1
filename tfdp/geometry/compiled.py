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
from numba.core.dispatcher import Dispatcher
from numba.core.options import DefaultOptions

Function = TypeVar("Function", bound=Callable[..., Any])

# Between compiled functions, numba counts references to arrays, which takes longer than most inner
# functions do: without counting and calling, all is several times as fast. `_nrt` is private.
_INNER = {
    option: value
    for option, value in {"_nrt": False, "forceinline": True}.items()
    if hasattr(DefaultOptions, option)
}

_newest_sources: dict[Dispatcher, int] = {}


def _newest_source(function: Function) -> int:
    """The time, in ns, of the newest file that the function, or any that it calls, comes from."""
    called = (function.__globals__.get(name) for name in function.__code__.co_names)
    newest = Path(function.__code__.co_filename).stat().st_mtime_ns
    for each in called:
        if isinstance(each, Dispatcher):
            newest = max(newest, _newest_sources.get(each, 0))
    return newest


def _compile(function: Function, **options: bool | str) -> Function:
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "cannot cache function: no locator available"
        return numba.njit(**options)(function)
    # a function's machine code contains those that it calls, but to see whether it is stale, numba
    # looks only at the function's own file
    _newest_sources[dispatcher] = _newest_source(function)
    cache_file = getattr(dispatcher._cache, "_cache_file", None)  # noqa: SLF001
    if cache_file is not None:
        cache_file._source_stamp = _newest_sources[dispatcher]  # noqa: SLF001
    return dispatcher


def compiled(function: Function) -> Function:
    """Compiles a function at its first call; it releases the GIL while it runs."""
    return _compile(function)


def inner(function: Function) -> Function:
    """Compiles a function that compiled ones call, and that neither makes nor returns arrays."""
    return _compile(function, **_INNER)
