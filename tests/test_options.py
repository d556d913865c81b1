"""Options said once: as a dataclass, as keywords of a function, as arguments of a command."""

import argparse
import inspect
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import tfdp
from tfdp.cli.options import add_options, given_options
from tfdp.keywords import takes_options
from tfdp.options import Choice, Options, Preset, option, options_of
from tfdp.registry import Registry
from tfdp.selection.select import SelectionOptions

SHADES = {"light": Choice("Light"), "dark": Choice("Dark", "less of it")}


@dataclass(frozen=True)
class Paint(Options):
    litres: float = option(1.0, "Litres", "how much", limits={"above": 0})
    coats: int = option(2, "Coats", "one over the other", least=1, most=5, flag="--layers")
    shade: str = option("light", "Shade", "how light", choices=lambda: SHADES)
    gloss: bool = option(False, "Gloss", "whether 100 % shine")
    rooms: tuple[str, ...] = option((), "Rooms", "which")
    width: int | None = option(None, "Width", "of the brush", one_of="brush")
    brush: str | None = option(None, "Brush", "by name", one_of="brush")
    secret: str = option("", "Secret", "not on the command line", flag="")


@dataclass(frozen=True)
class Whitewash(Paint):
    coats: int = 4


def test_a_value_is_turned_into_what_is_meant():
    paint = Paint(litres=np.float32(0.5), coats=np.int64(3), rooms=["hall"])
    assert (paint.litres, paint.coats, paint.rooms) == (0.5, 3, ("hall",))
    assert [type(value) for value in (paint.litres, paint.coats)] == [float, int]


@pytest.mark.parametrize(
    "given, message",
    [
        ({"litres": 0}, "litres must be more than 0, but got 0"),
        ({"litres": "1"}, "litres must be a finite number, but got '1'"),
        ({"coats": 6}, "coats must be a whole number of 1 to 5, but got 6"),
        ({"coats": None}, "coats must be a whole number of 1 to 5, but got None"),
        ({"shade": "red"}, "unknown shade 'red'; choose one of light, dark"),
        ({"gloss": 1}, "gloss must be True or False, but got 1"),
        ({"rooms": "hall"}, "rooms must be a list of texts, but got 'hall'"),
        ({"brush": 3}, "brush must be a text, but got 3"),
    ],
)
def test_another_value_is_refused_by_name(given, message):
    with pytest.raises(ValueError, match=message):
        Paint(**given)


def test_a_subclass_changes_a_default_and_nothing_that_is_said():
    assert Whitewash().coats == 4
    said, base = options_of(Whitewash)["coats"], options_of(Paint)["coats"]
    assert (said.default, said.label, said.most) == (4, base.label, base.most)
    with pytest.raises(ValueError, match="coats must be a whole number of 1 to 5"):
        Whitewash(coats=6)


WORKS = {"barn": Preset("barn", "Barn", "cheap", {"litres": 9.0, "coats": 1})}


@dataclass(frozen=True)
class Work(Paint):
    preset: str | None = option(None, "Preset", "options that go together", choices=lambda: WORKS)
    depths: tuple[float, ...] | None = option(None, "Depths", "of which thickness")


def test_a_preset_stands_for_what_is_not_given():
    assert Work.given() == Work()
    assert Work.given(preset="barn") == Work(preset="barn", litres=9.0, coats=1)
    assert Work.given(preset="barn", coats=2) == Work(preset="barn", litres=9.0, coats=2)
    with pytest.raises(ValueError, match="unknown preset 'shed'; choose one of barn"):
        Work.given(preset="shed")
    parser = argparse.ArgumentParser()
    add_options(parser, Work)
    words = ["--width", "1", "--preset", "barn", "--litres", "3", "--depths", "1", ".5"]
    given = given_options(parser.parse_args(words), Work)
    assert Work.given(**given) == Work(preset="barn", litres=3, coats=1, depths=(1, 0.5), width=1)


def parse(cls, *words):
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_options(parser, cls)
    return cls(**given_options(parser.parse_args(words), cls))


def test_a_command_takes_them():
    assert parse(Paint, "--width", "3") == Paint(width=3)
    words = ["--brush", "big", "--layers", "1", "--gloss", "--rooms", "hall", "bath"]
    assert parse(Paint, *words) == Paint(brush="big", coats=1, gloss=True, rooms=("hall", "bath"))
    assert parse(Whitewash, "--width", "3").coats == 4


@pytest.mark.parametrize(
    "words, message",
    [
        (["--width", "3", "--shade", "red"], "invalid choice: 'red'"),
        (["--width", "3", "--coats", "1"], "unrecognized arguments: --coats 1"),
        (["--width", "3", "--secret", "x"], "unrecognized arguments: --secret x"),
        ([], "one of the arguments --width --brush is required"),
        (["--width", "3", "--brush", "x"], "not allowed with argument --width"),
    ],
)
def test_a_command_refuses(words, message, capsys):
    with pytest.raises((argparse.ArgumentError, SystemExit)) as raised:
        parse(Paint, *words)
    assert message in str(raised.value) + capsys.readouterr().err


def test_a_commands_help_tells_defaults_and_percents():
    parser = argparse.ArgumentParser()
    add_options(parser, Paint, "litres", "gloss")
    assert "how much (1.0)" in parser.format_help()
    assert "whether 100 % shine" in parser.format_help()
    assert "--layers" not in parser.format_help()


@takes_options(Paint)
def paint_house(house, coats=2, *, slowly=False, **options):
    """Paints.

    Args:
        house: which.
        coats: one over the other.
        **options: see Paint.
        slowly: or fast.
    """
    return house, slowly, Paint(coats=coats, **options)


def test_a_function_shows_them():
    shown = inspect.signature(paint_house)
    assert list(shown.parameters) == ["house", "coats", "litres", "shade", "gloss", "rooms", "width",
        "brush", "secret", "slowly"]  # fmt: skip
    assert shown.parameters["litres"].default == 1.0
    assert shown.parameters["width"].annotation == (int | None)
    lines = [line.strip() for line in paint_house.__doc__.splitlines()]
    assert "shade: how light: 'light', 'dark'." in lines
    assert lines.index("coats: one over the other.") < lines.index("litres: how much.")
    assert not any("**options" in line for line in lines)


def test_a_function_may_show_them_unset():
    shown = inspect.signature(takes_options(Paint, unset=True)(lambda **options: options))
    assert all(parameter.default is None for parameter in shown.parameters.values())
    assert shown.parameters["litres"].annotation == (float | None)


def test_a_function_takes_them():
    assert paint_house("mine", 3, shade="dark", slowly=True) == (
        "mine", True, Paint(coats=3, shade="dark"),
    )  # fmt: skip


def test_an_unknown_keyword_names_the_nearest():
    with pytest.raises(TypeError, match=r"paint_house\(\) takes no 'colts'; .* is 'coats'"):
        paint_house("mine", colts=3)
    with pytest.raises(TypeError, match=r"select\(\) takes no 'min_class'; .* 'min_per_class'"):
        tfdp.select(None, 0.5, min_class=3)
    with pytest.raises(TypeError, match=r"takes no 'higher_first'; it takes scores, pruning_rate"):
        tfdp.select(None, 0.5, higher_first=True)


@pytest.mark.parametrize("call", [tfdp.select, tfdp.prune_view])
def test_the_public_calls_show_every_criterion(call):
    assert set(options_of(SelectionOptions)) < set(inspect.signature(call).parameters)
    for name in options_of(SelectionOptions):
        assert f"    {name}: " in call.__doc__


def test_a_registry_gives_a_name_once_and_names_the_known():
    registry = Registry("colour")
    red = SimpleNamespace(name="red", label="Red", description="")
    registry.add(red)
    assert registry.find("red") is red
    with pytest.raises(ValueError, match="there is a colour 'red' already"):
        registry.add(red)
    for unknown in ("blue", ["red"], None):
        with pytest.raises(ValueError, match=r"unknown colour .*; choose one of red"):
            registry.find(unknown)
