"""The operator that trains a model on a view and scores its labels by what the model said."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.models.regions import REGIONS
from tfdp.models.score_log import default_scores
from tfdp.scores.table import SCORERS
from tfdp.values import check_flag, check_number, check_text, check_texts, check_whole, shown
from tfdp.views.comparison import compare_scores
from tfdp.views.database import database_errors
from tfdp.views.field_names import check_key
from tfdp.views.fiftyone_internals import root_dataset
from tfdp.views.labels import list_mask_fields
from tfdp.views.model_plan import (
    ModelParameters,
    estimate_seconds,
    find_defaults,
    find_log_folder,
    find_trained_labels,
    list_devices,
    list_models,
    plan_model_scoring,
)
from tfdp.views.model_scoring import score_with_model
from tfdp.views.records import ClassField, list_class_fields
from tfdp.views.run_fields import own_configs

from . import _forms as forms
from ._comparison import report_comparison, show_comparison
from ._params import check_folder, check_path, one_of, read_form, read_parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import ExecutionContext

    from tfdp.views.labels import LabelField

LONG = 600  # s on the CPU; from there on the form warns
REPORT_EVERY = 0.5  # s

_REGIONS = {
    "roi": ("Box", "all pixels of the instance's box, as the paper's released code averages"),
    "mask": ("Mask", "the instance's own pixels, as the paper's equation 3 says"),
}
_WEIGHTS = ("imagenet", "coco", "none")


def _check_weights(name: str, value: Any) -> str:
    """The name of weights, or the path of a file; or a ValueError."""
    text = check_text(name, value)
    if text not in _WEIGHTS and not check_path(name, text).is_file():
        raise ValueError(
            f"{name} must be {', '.join(_WEIGHTS)} or a checkpoint's file, but got {shown(text)}"
        )
    return text


_OF_TRAINING = {
    "model": check_text,
    "weights": _check_weights,
    "epochs": check_whole,
    "batch_size": partial(check_whole, least=1),
    "image_size": partial(check_whole, least=1),
    "learning_rate": check_number,
    "flips": check_flag,
    "scores": check_texts,
    "region": one_of(_REGIONS),
    "seed": check_whole,
    "device": check_text,
}
_CHECKS = {
    "label_field": check_text,
    "brain_key": check_text,
    "log_folder": check_folder,
    **_OF_TRAINING,
}


class ComputeModelScores(foo.Operator):
    """Form and execution of ``tfdp.compute_model_scores``."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="compute_model_scores",
            label="Compute model scores",
            description="Train a model, and score labels by what it said (AUM, EL2N, Dyn-Unc, ...)",
            icon=forms.ICON,
            dynamic=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            default_choice_to_delegated=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_run_name(self, ctx: ExecutionContext) -> str:
        return f"Model scores of {ctx.params.get('label_field', 'labels')}"

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        inputs = types.Object()
        asked = read_form(ctx, inputs, _CHECKS)
        view = forms.choose_view(ctx, inputs, "Score")
        if view is not None:
            _ask(asked, inputs, view)
        return forms.form(inputs, "Compute model scores", "Compute")

    @database_errors()
    def execute(self, ctx: ExecutionContext) -> dict[str, Any]:
        asked = read_parameters(ctx, _CHECKS)
        forms.mend(ctx)
        view = ctx.target_view(require_flat=True)
        results = score_with_model(view, **_arguments(asked, view), progress=_progress_to(ctx))
        counts, label_field = results.counts, results.config.label_field
        forms.finish(ctx, f"Scored {counts['instances']} of {label_field} by a trained model")
        skipped = {reason: len(ids) for reason, ids in results.skipped.items()}
        return {
            "brain_key": results.key,
            **counts,
            "skipped_by_reason": skipped,
            "skipped_text": forms.describe_counts(skipped),
            "seconds": results.seconds,
            "seconds_text": ", ".join(f"{w} {s:,.1f} s" for w, s in results.seconds.items()),
            "log_folder": results.log_folder,
            **report_comparison(compare_scores(view, label_field)),
        }

    def resolve_output(self, ctx: ExecutionContext) -> types.Property:
        outputs = types.Object()
        outputs.int("instances", label="Labels scored")
        outputs.int("scored_samples", label="Samples with a score")
        outputs.int("samples", label="Samples in all")
        outputs.str("skipped_text", label="Not scored")
        outputs.str("seconds_text", label="Wall time")
        outputs.str("log_folder", label="Training log and checkpoint")
        outputs.str("brain_key", label="Run")
        show_comparison(outputs, ctx.results or {})  # none where the operator failed
        return types.Property(outputs, view=types.View(label="Model scores"))


def _progress_to(ctx: ExecutionContext) -> Callable[[float, str], None]:
    """Tells the App, and the database of delegated runs, not more often than is of use."""
    told = 0.0

    def show(fraction: float, message: str) -> None:
        nonlocal told
        if time.monotonic() - told > REPORT_EVERY or fraction >= 1:
            told = time.monotonic()
            ctx.set_progress(progress=fraction, label=message)

    return show


def _label_fields(view: SampleCollection) -> list[str]:
    return [*list_mask_fields(view), *list_class_fields(view)]


def _brain_key(asked: dict[str, Any]) -> str:
    return asked["brain_key"] or "model_scores"


def _arguments(asked: dict[str, Any], view: SampleCollection) -> dict[str, Any]:
    """The arguments of ``score_with_model``; what is left empty has the library's default."""
    label_field = asked["label_field"] or next(iter(_label_fields(view)), None)
    if label_field is None:
        raise ValueError("no field of this view holds instance masks or classes to learn")
    return {
        "label_field": label_field,
        "parameters": ModelParameters(**{name: asked[name] for name in _OF_TRAINING}),
        "brain_key": _brain_key(asked),
        "log_folder": asked["log_folder"],
    }


def _ask(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    fields = _label_fields(view)
    if not fields:
        forms.refuse(
            inputs,
            "no_labels",
            "no field of these samples holds instance masks (Detections with mask or mask_path) or "
            "a Classification",
        )
        return
    forms.choose(
        inputs,
        "label_field",
        fields,
        default=fields[0],
        given=asked["label_field"],
        label="Label field",
        description="Instance masks, which a Mask R-CNN learns, or classes, which a classifier "
        "learns",
    )
    try:
        check_key(_brain_key(asked))
        labels = find_trained_labels(view, asked["label_field"] or fields[0])
        usual = find_log_folder(root_dataset(view), _brain_key(asked))
        defaults = find_defaults(labels, asked["log_folder"] or usual)
    except (OSError, ValueError) as error:
        forms.refuse(inputs, "labels_error", error)
        return
    _ask_names(inputs, usual)
    _ask_training(asked, inputs, labels, defaults)
    _ask_scores(asked, inputs, labels, defaults)
    _preview(asked, inputs, view)


def _ask_names(inputs: types.Object, log_folder: Path) -> None:
    inputs.str(
        "brain_key",
        default="model_scores",
        required=False,
        label="Brain key",
        description="Name of the run. One that was killed goes on when it is asked for again under "
        "its name",
    )
    inputs.str(
        "log_folder",
        required=False,
        label="Log folder",
        description=f"Of the training log and the checkpoint; {log_folder} if left empty",
    )


def _ask_training(
    asked: dict[str, Any], inputs: types.Object, labels: LabelField, defaults: dict[str, Any]
) -> None:
    forms.choose(
        inputs,
        "model",
        list_models(labels),
        default=defaults["model"],
        given=asked["model"],
        required=False,
        label="Model",
        description="A resnet18 is for quick looks",
    )
    inputs.str(
        "weights",
        default=defaults["weights"],
        required=False,
        label="Start weights",
        description="imagenet or coco (masks only), which are downloaded; none; or the path of a "
        "checkpoint, such as checkpoint.pt of a log",
        view=types.AutocompleteView(choices=[types.Choice(name, label=name) for name in _WEIGHTS]),
    )
    inputs.int(
        "epochs",
        default=defaults["epochs"],
        required=False,
        label="Epochs",
        description="0 scores the start weights as they are: entropy, loss and el2n",
    )
    for name, label, unit in (
        ("batch_size", "Batch size", "images"),
        ("image_size", "Image size", "px"),
    ):
        inputs.int(name, default=defaults[name], required=False, label=label, description=unit)
    inputs.float(
        "learning_rate",
        default=defaults["learning_rate"],
        required=False,
        label="Learning rate",
        description="Of the usual recipe; it is scaled to the batch. Lower it if training diverges",
    )
    if "flips" in defaults:
        inputs.bool(
            "flips",
            default=defaults["flips"],
            label="Mirror images at random",
            description="Not where left and right differ, as in digits",
            view=types.CheckboxView(),
        )
    devices = list_devices()
    forms.choose(
        inputs,
        "device",
        {name: name.upper() for name in devices},
        default=devices[0],
        given=asked["device"],
        required=False,
        label="Device",
        description="Those that were found",
    )


def _ask_scores(
    asked: dict[str, Any], inputs: types.Object, labels: LabelField, defaults: dict[str, Any]
) -> None:
    epochs = asked["epochs"]
    possible = default_scores(defaults["epochs"] if epochs is None else epochs)
    inputs.list(
        "scores",
        types.String(),
        required=False,
        label="Scores",
        description="Leave it empty for all: they cost one scoring pass an epoch together",
        view=types.DropdownView(
            multiple=True,
            choices=[
                types.Choice(name, label=SCORERS[name].label, description=SCORERS[name].description)
                for name in possible
            ],
        ),
    )
    if not isinstance(labels, ClassField):
        forms.choose(
            inputs,
            "region",
            {name: _REGIONS[name] for name in REGIONS},
            default="roi",
            required=False,
            label="Average over",
        )
    inputs.int("seed", default=0, required=False, label="Seed")


def _preview(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    arguments = _arguments(asked, view)
    try:
        plan = plan_model_scoring(view, **arguments)
        seconds = estimate_seconds(plan, view)
    except (OSError, ValueError) as error:
        forms.refuse(inputs, "plan_error", error)
        return
    names = ", ".join(field.path for field in plan.on_samples)
    forms.tell(
        inputs,
        "plan",
        f"writes {names} on {len(view)} samples, and on their labels in {arguments['label_field']}",
    )
    if plan.resumes:
        forms.tell(
            inputs,
            "resumes",
            f"{plan.config.log_folder} holds the log of this training: it goes on after the last "
            "finished epoch",
        )
    if arguments["brain_key"] in own_configs(root_dataset(view)):
        forms.warn(
            inputs,
            "again",
            f"run {arguments['brain_key']} exists: its scores of these samples are replaced",
        )
    if seconds is not None:
        show = forms.warn if seconds >= LONG else forms.tell
        show(inputs, "estimate", _describe_time(seconds))
    forms.tell(
        inputs,
        "delegation",
        'a scheduled run starts once "fiftyone delegated launch" runs in a terminal',
    )


def _describe_time(seconds: float) -> str:
    size, unit = (3600, "hours") if seconds >= 5400 else (60, "minutes")
    return (
        f"on the CPU this takes about {max(seconds / size, 1):,.0f} {unit}, by a rough estimate: "
        "images x epochs x the time that one image took where it was measured, at this size and by "
        "as many cores; it may be off by a factor of three"
    )
