"""Progress: what is told, and that a bar is shown where one is asked for."""

import pytest

from tfdp.progress import counted, part_of, shown


def test_parts_make_a_whole():
    told = []
    first, second = (part_of(lambda *said: told.append(said), k / 2, 0.5) for k in range(2))
    add = counted(first, 4, "reading")
    add(1)
    add(3)
    counted(second, 2, "writing")(2)
    assert told == [(0.125, "reading"), (0.5, "reading"), (1, "writing")]


@pytest.mark.parametrize("total", [0, 3])
def test_what_is_more_than_expected_is_the_whole(total):
    told = []
    counted(lambda fraction, _: told.append(fraction), total, "")(5)
    assert told == [1]


@pytest.mark.parametrize("progress, has_bar", [(True, True), (False, False), (None, False)])
def test_a_bar_is_shown_where_it_is_asked_for(capsys, progress, has_bar):
    """None asks for one on a terminal, and this is none."""
    with shown(progress) as show:
        show(0.5, "half of it")
        show(1, "all of it")
    assert ("100%" in capsys.readouterr().err) is has_bar


def test_a_function_is_told_itself():
    told = []
    with shown(lambda *said: told.append(said)) as show:
        show(1, "done")
    assert told == [(1, "done")]
