"""Work by a few threads, in order, and never far ahead of who takes the results."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], num_threads: int = 2
) -> Iterator[Result]:
    """The results of ``function`` in the order of ``items``, `num_threads` at a time.

    Unlike `Executor.map`, it takes an item only when a thread is about to be free, so that memory
    does not grow with the number of items; and after an error no further item is begun.
    """
    with ThreadPoolExecutor(num_threads) as pool:
        running: deque[Future[Result]] = deque()
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) > num_threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
