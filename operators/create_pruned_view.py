"""The operator that chooses which samples of a view to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.selection.composition import rank_class_losses
from tfdp.views.database import database_errors
from tfdp.views.pruning import prune_view
from tfdp.views.pruning_plan import check_names, keep_field_of, select_in_view

from . import _forms as forms
from ._contents import remember_contents
from ._params import read_form, read_parameters
from ._pruning_form import (
    ask_budget,
    ask_exceptions,
    ask_name,
    ask_policy,
    ask_preset,
    ask_scorer,
    chosen_name,
    chosen_parameters,
    list_checks,
    read_answers,
)

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import ExecutionContext

    from tfdp.selection.selection import Selection

MAX_CLASSES_SHOWN = 10


class CreatePrunedView(foo.Operator):
    """Form and execution of ``tfdp.prune_view``."""

    @property
    def config(self) -> foo.OperatorConfig:
        return forms.operator_config(
            "create_pruned_view",
            "Create pruned view",
            "Choose the samples to keep by a score, and save them as a view",
        )

    def resolve_run_name(self, ctx: ExecutionContext) -> str:
        return f"Pruned view {ctx.params.get('brain_key', '')}"

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        inputs = types.Object()
        asked = read_form(ctx, inputs, list_checks())
        view = forms.choose_view(ctx, inputs, "Prune")
        if view is not None:
            ask_preset(inputs)
            asked = read_answers(asked, view, shown=True)
            ask_scorer(asked, inputs, view)
            ask_budget(asked, inputs)
            _preview(asked, inputs, view)
            ask_policy(asked, inputs)
            ask_exceptions(inputs, view)
            ask_name(asked, inputs, ctx.dataset)
            _check_name(asked, inputs, ctx.dataset)
        return forms.form(inputs, "Create pruned view", "Create")

    @database_errors()
    def execute(self, ctx: ExecutionContext) -> dict[str, Any]:
        asked = read_parameters(ctx, list_checks())
        forms.mend(ctx)
        view = ctx.target_view(require_flat=True)
        parameters = chosen_parameters(read_answers(asked, view), view)
        brain_key = chosen_name(asked, ctx.dataset)
        prune_view(
            view,
            **vars(parameters),
            brain_key=brain_key,
            overwrite=bool(asked["overwrite"]),
            progress=forms.bar_to(ctx, "Marking samples"),
        )
        results = ctx.dataset.load_brain_results(brain_key)
        counts = results.counts
        message = f"Kept {counts['kept_images']} of {counts['images']} samples in view {brain_key}"
        forms.finish(ctx, message, name=brain_key)
        return {
            "brain_key": brain_key,
            "saved_view": brain_key,
            "keep_field": keep_field_of(brain_key),
            **counts,
            "images_by_reason": results.record["images_by_reason"],
            "reasons_text": forms.describe_counts(results.record["images_by_reason"]),
        }

    def resolve_output(self, ctx: ExecutionContext) -> types.Property:
        outputs = types.Object()
        outputs.int("kept_images", label="Samples kept")
        outputs.int("images", label="Samples before")
        outputs.int("kept_instances", label="Instances kept")
        outputs.int("instances", label="Instances before")
        outputs.str("reasons_text", label="Samples by reason")
        outputs.str("saved_view", label="Saved view")
        outputs.str("keep_field", label="Field that is true on the samples kept")
        return types.Property(outputs, view=types.View(label="Pruned view"))


def _preview(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    """What would be kept, or why it can't be."""
    try:
        parameters = chosen_parameters(asked, view)
        held = remember_contents(view, parameters.label_field)
        selection = select_in_view(view, held, parameters)
    except ValueError as error:
        forms.refuse(inputs, "selection_error", error)
        return
    forms.show_markdown(inputs, "preview", _describe(selection))


def _check_name(asked: dict[str, Any], inputs: types.Object, dataset: fo.Dataset) -> None:
    """What is in the way of the name; an earlier pruned view may be replaced."""
    name = chosen_name(asked, dataset)
    try:
        check_names(dataset, name, overwrite=True)
        if name in dataset.list_brain_runs():
            inputs.bool(
                "overwrite",
                default=False,
                label=f"Replace the pruned view {name}",
                description="There is one of that name; its field and its saved view are replaced",
                view=types.CheckboxView(),
            )
            check_names(dataset, name, overwrite=bool(asked["overwrite"]))
    except ValueError as error:
        forms.refuse(inputs, "name_error", error)


def _describe(selection: Selection) -> str:
    before, after = selection.before, selection.after
    reasons = forms.describe_counts(selection.counts())
    rows = [
        ["images", before.images, after.images, _share(before.images, after.images)],
        ["instances", before.instances, after.instances, _share(before.instances, after.instances)],
    ]
    text = f"**This keeps** ({reasons}):\n\n" + forms.markdown_table(
        ["", "before", "kept", "share"], rows
    )
    lost = [[*loss, _share(loss.before, loss.after)] for loss in rank_class_losses(before, after)]
    if lost:
        text += f"\n\n**Classes that lose most**, of {len(lost)}:\n\n" + forms.markdown_table(
            ["class", "instances", "kept", "share"], lost[:MAX_CLASSES_SHOWN]
        )
    return text


def _share(before: int, after: int) -> str:
    return f"{after / before:.0%}" if before else "-"
