"""Presets in forms: choosing one fills the fields of its options, which can then be changed.

The App keeps what a field showed first, so that under a preset these fields have names of their
own, ``ccs_policy`` for ``policy``; a call from Python may give the plain ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tfdp.options import options_of

from ._options import checks_of

if TYPE_CHECKING:
    from tfdp.options import Option, Preset

    from ._params import Checks


def _presets_of(cls: type) -> dict[str, Preset]:
    choices = options_of(cls)["preset"].choices
    return {} if choices is None else dict(choices())


def _field(preset: str, name: str) -> str:
    return f"{preset}_{name}"


def preset_checks(cls: type) -> Checks:
    """What checks the fields that a form has under presets."""
    checks = checks_of(cls)
    return {
        _field(preset.name, name): checks[name]
        for preset in _presets_of(cls).values()
        for name in preset.values
    }


def field_of(option: Option, asked: dict[str, Any], cls: type) -> Option:
    """The option as the form asks for it under the chosen preset."""
    preset = _presets_of(cls).get(asked["preset"])
    if preset is None or option.name not in preset.values:
        return option
    return replace(option, name=_field(preset.name, option.name))


def fill_in(asked: dict[str, Any], cls: type, *, shown: bool) -> dict[str, Any]:
    """The answers, with those of the fields under the chosen preset, or else its values.

    Args:
        asked: the parameters by their names, None for what was not given.
        cls: of the options.
        shown: whether a form is to be shown, whose plain fields hold what they did before the
            preset was chosen; or else the parameters are those that an operator runs with.
    """
    preset = _presets_of(cls).get(asked["preset"])
    if preset is None:
        return asked
    given = {name: asked[_field(preset.name, name)] for name in preset.values}
    if not shown and all(value is None for value in given.values()):
        given = {name: asked[name] for name in preset.values}  # of a call from Python
    said = {name: value for name, value in given.items() if value is not None}
    return {**asked, **preset.values, **said}
