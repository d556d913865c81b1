"""The operator that trains a model on a view and scores its labels by what the model said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.values import check_text
from tfdp.views.comparison import compare_scores
from tfdp.views.database import database_errors
from tfdp.views.field_names import check_key
from tfdp.views.fiftyone_internals import root_dataset
from tfdp.views.labels import list_class_fields, list_mask_fields
from tfdp.views.model_plan import (
    estimate_seconds,
    find_log_folder,
    find_trained_labels,
    plan_model_scoring,
)
from tfdp.views.model_scoring import compute_model_scores
from tfdp.views.run_fields import own_configs

from . import _forms as forms
from ._comparison import report_comparison, show_comparison
from ._params import check_folder, read_form, read_parameters
from ._training_form import CHECKS, ask_training, chosen_options

if TYPE_CHECKING:
    from pathlib import Path

    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import ExecutionContext

LONG = 600  # s on the CPU; from there on the form warns

_CHECKS = {
    "label_field": check_text,
    "brain_key": check_text,
    "log_folder": check_folder,
    **CHECKS,
}


class ComputeModelScores(foo.Operator):
    """Form and execution of ``tfdp.compute_model_scores``."""

    @property
    def config(self) -> foo.OperatorConfig:
        return forms.operator_config(
            "compute_model_scores",
            "Compute model scores",
            "Train a model, and score labels by what it said (AUM, EL2N, Dyn-Unc, ...)",
            default_choice_to_delegated=True,
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
        results = compute_model_scores(
            view,
            _label_field(asked, view),
            **chosen_options(asked, shown=False),
            brain_key=_brain_key(asked),
            log_folder=asked["log_folder"],
            progress=forms.progress_to(ctx),
        )
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


def _label_fields(view: SampleCollection) -> list[str]:
    return [*list_mask_fields(view), *list_class_fields(view)]


def _brain_key(asked: dict[str, Any]) -> str:
    return asked["brain_key"] or "model_scores"


def _label_field(asked: dict[str, Any], view: SampleCollection) -> str:
    label_field = asked["label_field"] or next(iter(_label_fields(view)), None)
    if label_field is None:
        raise ValueError("no field of this view holds instance masks or classes to learn")
    return str(label_field)


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
        labels = find_trained_labels(view, _label_field(asked, view))
        usual = find_log_folder(root_dataset(view), _brain_key(asked))
        _ask_names(inputs, usual)
        ask_training(asked, inputs, labels, asked["log_folder"] or usual)
    except (OSError, ValueError) as error:
        forms.refuse(inputs, "labels_error", error)
        return
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


def _preview(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    label_field, brain_key = _label_field(asked, view), _brain_key(asked)
    try:
        plan = plan_model_scoring(
            view,
            label_field,
            chosen_options(asked, shown=True),
            brain_key=brain_key,
            log_folder=asked["log_folder"],
        )
        seconds = estimate_seconds(plan, view)
    except (OSError, ValueError) as error:
        forms.refuse(inputs, "plan_error", error)
        return
    names = ", ".join(field.path for field in plan.on_samples)
    forms.tell(
        inputs,
        "plan",
        f"writes {names} on {len(view)} samples, and on their labels in {label_field}",
    )
    if plan.resumes:
        forms.tell(
            inputs,
            "resumes",
            f"{plan.config.log_folder} holds the log of this training: it goes on after the last "
            "finished epoch",
        )
    if brain_key in own_configs(root_dataset(view)):
        forms.warn(
            inputs,
            "again",
            f"run {brain_key} exists: its scores of these samples are replaced",
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
