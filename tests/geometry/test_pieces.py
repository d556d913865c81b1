from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfdp.geometry.pieces import in_pieces


def pieces_of(sizes, limit):
    found = in_pieces(np.array(sizes, np.int64), limit)
    return [list(range(len(sizes)))[piece] for piece in found]


def do_in_pieces(work, sizes, limit):
    for piece in in_pieces(np.array(sizes), limit):
        work(piece)


@pytest.mark.parametrize(
    "sizes, limit, pieces",
    [
        ([], 5, []),
        ([0, 0, 0], 5, [[0, 1, 2]]),
        ([2, 2, 2, 2, 2], 4, [[0, 1], [2, 3], [4]]),
        ([9, 1, 1], 4, [[0], [1, 2]]),
        ([1, 9, 1], 4, [[0, 1], [2]]),
    ],
)
def test_pieces_by_hand(sizes, limit, pieces):
    assert pieces_of(sizes, limit) == pieces


@given(st.lists(st.integers(0, 30)), st.integers(1, 20))
def test_every_item_is_in_one_piece_in_order_and_no_piece_is_large(sizes, limit):
    pieces = pieces_of(sizes, limit)
    assert [item for piece in pieces for item in piece] == list(range(len(sizes)))
    assert all(sum(sizes[item] for item in piece[:-1]) <= limit for piece in pieces)


def do_in_two_threads(work, size):
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(do_in_pieces, work, [size], 10) for _ in range(2)]
    return [run.result() for run in runs]


def test_pieces_are_done_side_by_side():
    barrier = Barrier(2)
    do_in_two_threads(lambda _: barrier.wait(timeout=60), 20)


def test_large_pieces_are_done_one_at_a_time():
    inside = []

    def work(_):
        inside.append(1)
        assert sum(1 for _ in range(10**6)) == 10**6  # long enough for the threads to take turns
        assert len(inside) == 1
        inside.pop()

    do_in_two_threads(work, 21)


def test_a_large_piece_that_fails_does_not_keep_the_others_waiting():
    def fail(_):
        raise ValueError("on purpose")

    for _ in range(2):
        with pytest.raises(ValueError, match="on purpose"), ThreadPoolExecutor(1) as pool:
            pool.submit(do_in_pieces, fail, [21], 10).result()


def test_a_large_piece_may_be_cut_further():
    found = []
    do_in_pieces(lambda _: do_in_pieces(found.append, [99], 10), [99], 10)
    assert found == [slice(0, 1)]
