"""The operator that scores the instance masks of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.geometry.rasterize import RASTERIZERS
from tfdp.options import options_of
from tfdp.selection.select import SelectionOptions
from tfdp.values import check_flag, check_text
from tfdp.views.database import database_errors
from tfdp.views.fiftyone_internals import root_dataset
from tfdp.views.labels import find_mask_field, list_mask_fields
from tfdp.views.run_fields import own_configs
from tfdp.views.scoring import compute_shape_scores, plan_scoring

from . import _forms as forms
from ._options import ask, checks_of
from ._params import one_of, read_form, read_parameters

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import ExecutionContext

_NO_TOTALS = "none"
_CHECKS = {
    "label_field": check_text,
    "brain_key": check_text,
    "field_prefix": check_text,
    "rasterizer": one_of(RASTERIZERS),
    "aggregation": checks_of(SelectionOptions)["aggregation"],
    "totals_from": check_text,
    "show_sorted": check_flag,
}


class ComputeShapeScores(foo.Operator):
    """Form and execution of ``tfdp.compute_shape_scores``."""

    @property
    def config(self) -> foo.OperatorConfig:
        return forms.operator_config(
            "compute_shape_scores",
            "Compute shape scores",
            "Score instance masks by the complexity of their outlines (TFDP)",
        )

    def resolve_run_name(self, ctx: ExecutionContext) -> str:
        return f"Shape scores of {ctx.params.get('label_field', 'labels')}"

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        inputs = types.Object()
        asked = read_form(ctx, inputs, _CHECKS)
        view = forms.choose_view(ctx, inputs, "Score")
        if view is not None:
            _ask(asked, inputs, view)
        return forms.form(inputs, "Compute shape scores", "Compute")

    @database_errors()
    def execute(self, ctx: ExecutionContext) -> dict[str, Any]:
        asked = read_parameters(ctx, _CHECKS)
        forms.mend(ctx)
        view = ctx.target_view(require_flat=True)
        arguments = _arguments(asked, view)
        results = compute_shape_scores(
            view, progress=forms.bar_to(ctx, "Scoring masks"), **arguments
        )
        scored = f"{results.config.field_prefix}cb_scs"
        message = (
            f"Scored {results.counts['instances']} instances of "
            f"{results.counts['scored_samples']} samples; the scores are in {scored} and its "
            "neighbors"
        )
        by_score = view.sort_by(scored, reverse=True) if asked["show_sorted"] else None
        forms.finish(ctx, message, view=by_score)
        skipped = {reason: len(ids) for reason, ids in results.skipped.items()}
        return {
            "brain_key": arguments["brain_key"],
            **results.counts,
            "skipped_by_reason": skipped,
            "skipped_text": forms.describe_counts(skipped),
            "sample_field": scored,
        }

    def resolve_output(self, ctx: ExecutionContext) -> types.Property:
        outputs = types.Object()
        outputs.int("instances", label="Instances scored")
        outputs.int("scored_samples", label="Samples with a score")
        outputs.int("samples", label="Samples in all")
        outputs.int("degenerate", label="Degenerate instances (no area; they score 0)")
        outputs.str("skipped_text", label="Not scored")
        outputs.str("sample_field", label="Sort or filter by")
        outputs.str("brain_key", label="Run")
        return types.Property(outputs, view=types.View(label="Shape scores"))


def _arguments(asked: dict[str, Any], view: SampleCollection) -> dict[str, Any]:
    """The arguments of ``compute_shape_scores``; no prefix lets it choose."""
    label_field = asked["label_field"] or next(iter(list_mask_fields(view)), None)
    if label_field is None:
        raise ValueError("no field of this view holds instance masks; give a label_field")
    totals_from = asked["totals_from"]
    return {
        "label_field": label_field,
        "brain_key": asked["brain_key"] or "shape_scores",
        "field_prefix": asked["field_prefix"],
        "rasterizer": asked["rasterizer"] or "coco",
        "aggregation": asked["aggregation"],
        "class_totals": None if totals_from in (None, _NO_TOTALS) else totals_from,
    }


def _ask(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    fields = list_mask_fields(view)
    if not fields:
        forms.refuse(
            inputs,
            "no_masks",
            "no field of these samples holds instance masks: Detections with mask or mask_path, "
            "or closed, filled Polylines",
        )
        return
    wanted = asked["label_field"]
    choices = {name: name for name in fields}
    chosen = forms.choose(
        inputs,
        "label_field",
        choices,
        default=fields[0],
        label="Label field",
        description="Whose masks to score",
    )
    if wanted is not None and wanted not in fields:
        try:
            find_mask_field(view, wanted)
        except ValueError as error:
            chosen.invalid, chosen.error_message = True, str(error)
            forms.refuse(inputs, "label_field_error", error)
            return
    if find_mask_field(view, wanted or fields[0]).kind == "polylines":
        forms.choose(
            inputs,
            "rasterizer",
            RASTERIZERS,
            default="coco",
            label="Rasterizer",
            description="What draws the polylines; the scores of small shapes depend on it",
        )
    ask(inputs, options_of(SelectionOptions)["aggregation"])
    _ask_names(asked, inputs, view)
    inputs.bool(
        "show_sorted",
        default=False,
        label="Show the samples by score afterwards",
        description="Highest CB-SCS first",
        view=types.CheckboxView(),
    )
    _preview(asked, inputs, view)


def _ask_names(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    inputs.str(
        "brain_key",
        default="shape_scores",
        required=False,
        label="Brain key",
        description="Name of the run, under which it is described, loaded and deleted",
    )
    inputs.str(
        "field_prefix",
        required=False,
        label="Field prefix",
        description="What the fields' names begin with; leave it empty, and another run's scores "
        "of these samples are never overwritten",
    )
    runs = own_configs(root_dataset(view))
    runs = {key: key for key, config in runs.items() if config.method == "shape_scores"}
    if runs:
        forms.choose(
            inputs,
            "totals_from",
            {_NO_TOTALS: "these samples alone", **runs},
            default=_NO_TOTALS,
            given=asked["totals_from"],
            required=False,
            label="Balance the classes over",
            description="Add the class totals of a run that scored other samples, so that new "
            "samples get scores on one scale with them",
        )


def _preview(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    arguments = _arguments(asked, view)
    try:
        plan = plan_scoring(view, **arguments)
    except ValueError as error:
        forms.refuse(inputs, "plan_error", error)
        return
    names = ", ".join(field.path for field in plan.on_samples)
    forms.tell(
        inputs,
        "plan",
        f"writes {names} on {len(view)} samples, and on their labels in {arguments['label_field']}",
    )
    if arguments["brain_key"] in own_configs(root_dataset(view)):
        forms.warn(
            inputs,
            "again",
            f"run {arguments['brain_key']} exists: its scores of these samples are replaced, its "
            "scores of other samples stay",
        )
