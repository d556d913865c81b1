"""Options (`tfdp.options`) as the parameters of an operator, and as the fields of its form."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from tfdp.options import NUMBERS, TEXTS, options_of

from . import _forms as forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfdp.options import Option

    from ._params import Checks


def _check(option: Option, _name: str, value: Any) -> Any:
    return option.check(value)


def checks_of(*classes: type) -> Checks:
    """What checks the parameters that are options of dataclasses."""
    return {name: partial(_check, option) for name, option in options_of(*classes).items()}


def ask(
    inputs: types.Object,
    option: Option,
    *,
    choices: Iterable[str] | Mapping[str, Any] | None = None,
    given: Any = None,
    **shown: Any,
) -> None:
    """Adds the field of an option; it may be left empty.

    Args:
        inputs: the form.
        option: what is asked for.
        choices: those that there are now; by default the option's own.
        given: the answer so far: another text than the choices is refused.
        **shown: what this form says otherwise: ``default``, ``label``, ``description``.
    """
    if choices is None and option.choices is not None:
        choices = option.choices()
    said = {
        "default": option.default,
        "required": False,
        "label": option.label,
        "description": forms.sentence(option.help),
    } | shown
    if option.kind == TEXTS:
        dropdown = types.DropdownView(multiple=True, choices=forms.list_choices(choices or ()))
        inputs.list(option.name, types.String(), view=dropdown, **said)
    elif option.kind == NUMBERS:
        inputs.list(option.name, types.Number(), **said)
    elif choices is not None:
        forms.choose(inputs, option.name, choices, given=given, **said)
    elif option.kind is bool:
        inputs.bool(option.name, view=types.CheckboxView(), **said)
    else:
        {int: inputs.int, float: inputs.float, str: inputs.str}[option.kind](option.name, **said)
