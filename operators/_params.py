"""The parameters of an operator, each read in one place, as what it must be."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfdp.values import check_choice, check_text, shown

from . import _forms as forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fiftyone.operators import ExecutionContext, types

    Checks = dict[str, Callable[[str, Any], Any]]


def one_of(choices: Iterable[str]) -> Callable[[str, Any], str]:
    """A check that a parameter is one of these texts."""
    return partial(check_choice, choices=tuple(choices))


def check_path(name: str, value: Any) -> Path:
    """The path that is meant, ``~`` being the user's folder; or a ValueError."""
    text = check_text(name, value)
    try:
        text.encode()
        path = Path(text).expanduser()
        path.stat()
    except FileNotFoundError:
        return path
    except (OSError, RuntimeError, ValueError) as error:  # too long, of ~nobody, no characters
        raise ValueError(
            f"{name} must be the path of a file or folder, but got {shown(text)}: "
            f"{getattr(error, 'strerror', None) or error}"
        ) from None
    return path


def check_folder(name: str, value: Any) -> Path:
    """The path of a folder, or of nothing yet; or a ValueError."""
    path = check_path(name, value)
    if path.exists() and not path.is_dir():
        raise ValueError(f"{name} must be a folder, but {shown(str(path))} is none")
    return path


def read_parameters(ctx: ExecutionContext, checks: Checks) -> dict[str, Any]:
    """The operator's parameters by their names; None for what was not given, or left empty.

    Args:
        ctx: of the operator.
        checks: for every parameter a function of its name and value (`tfdp.values`).

    Raises:
        ValueError: a parameter is not what it must be.
    """
    values, wrong = _check_all(ctx, checks)
    if wrong:
        raise ValueError("; ".join(wrong))
    return values


def read_form(ctx: ExecutionContext, inputs: types.Object, checks: Checks) -> dict[str, Any]:
    """The same for a form: what is wrong is said in it, and then counts as not given."""
    values, wrong = _check_all(ctx, checks)
    for message in wrong:
        forms.refuse(inputs, "parameter_error", message)
    return values


def _check_all(ctx: ExecutionContext, checks: Checks) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = dict.fromkeys(checks)
    wrong = []
    for name, check in checks.items():
        value = ctx.params.get(name)
        if value is None or (isinstance(value, str) and not value):  # an emptied field of the App
            continue
        try:
            values[name] = check(name, value)
        except ValueError as error:
            wrong.append(str(error))
    return values, wrong
