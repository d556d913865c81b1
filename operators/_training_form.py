"""What the form of a training asks, and the parameters that the answers make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from tfdp.models.options import (
    NAMED_WEIGHTS,
    ClassificationOptions,
    SegmentationOptions,
)
from tfdp.models.scoring_options import default_scores
from tfdp.options import options_of
from tfdp.scores.table import SCORERS
from tfdp.values import check_text, shown
from tfdp.views.learners import list_devices, list_models
from tfdp.views.model_plan import find_defaults, find_trainer

from . import _forms as forms
from ._options import ask, checks_of
from ._params import check_path
from ._presets import field_of, fill_in, preset_checks

if TYPE_CHECKING:
    from pathlib import Path

    from tfdp.views.labels import LabelField


def _check_weights(name: str, value: Any) -> str:
    """The name of weights, or the path of a file; or a ValueError."""
    text = check_text(name, value)
    if text not in NAMED_WEIGHTS and not check_path(name, text).is_file():
        raise ValueError(
            f"{name} must be {', '.join(NAMED_WEIGHTS)} or a checkpoint's file, but got "
            f"{shown(text)}"
        )
    return text


_OPTIONS = (SegmentationOptions, ClassificationOptions)
CHECKS = {
    **checks_of(*_OPTIONS),
    **preset_checks(SegmentationOptions),
    **preset_checks(ClassificationOptions),
    "preset": check_text,  # of either
    "weights": _check_weights,
}


def chosen_options(asked: dict[str, Any], *, shown: bool) -> dict[str, Any]:
    """The options of ``compute_model_scores``; what is left empty has the library's default.

    Args:
        asked: the parameters by their names.
        shown: as `_presets.fill_in` has it.
    """
    for cls in _OPTIONS:
        asked = fill_in(asked, cls, shown=shown)
    return {name: asked[name] for name in options_of(*_OPTIONS)}


def ask_training(
    asked: dict[str, Any], inputs: types.Object, labels: LabelField, log_folder: Path
) -> None:
    """Asks for all options of a training on such labels.

    Raises:
        OSError: the log cannot be read.
        ValueError: the packages for models are missing, or the log is damaged.
    """
    _, cls = find_trainer(labels)
    defaults = find_defaults(labels, log_folder, asked["preset"])
    answers = fill_in(asked, cls, shown=True)
    epochs = defaults["epochs"] if answers["epochs"] is None else answers["epochs"]
    devices = list_devices()
    special: dict[str, dict[str, Any]] = {
        "model": {
            "choices": None,  # there are more than these
            "view": types.AutocompleteView(choices=forms.list_choices(list_models(labels))),
        },
        "weights": {"view": types.AutocompleteView(choices=forms.list_choices(NAMED_WEIGHTS))},
        "device": {
            "choices": {name: name.upper() for name in devices},
            "default": devices[0],
            "description": "Those that were found",
        },
        "scores": {"choices": {name: SCORERS[name] for name in default_scores(epochs)}},
    }
    for name, option in options_of(cls).items():
        said = {"default": defaults[name]} | special.get(name, {})
        ask(inputs, field_of(option, asked, cls), given=answers[name], **said)
