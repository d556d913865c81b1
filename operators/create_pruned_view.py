"""The operator that chooses which samples of a view to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.fields import SCORE_FIELDS, higher_first
from tfdp.io.view_candidates import list_score_fields
from tfdp.io.view_fields import score_of
from tfdp.io.view_labels import list_label_fields
from tfdp.shape_scores import PLAIN_SCORERS
from tfdp.view_pruning import (
    PruningParameters,
    check_names,
    find_scored_labels,
    keep_field_of,
    select_in_view,
    write_pruned_view,
)

from . import _forms as forms
from ._contents import remember_contents

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import ExecutionContext

    from tfdp.selection import Selection

MAX_CLASSES_SHOWN = 10

_PLAIN = {
    "count": ("Number of instances", "most first"),
    "inverse_frequency": ("Inverse class frequency", "CB-SCS with the shape taken out"),
    "random": ("Random", "seeded"),
    "instance_matched_random": (
        "Random, instance-matched",
        "as many instances, image by image, as the top by CB-SCS",
    ),
}
_POLICIES = {
    "top": ("Top", "the best scores: the paper's way"),
    "stratified": ("Stratified", "drawn from all strata of the scores (CCS)"),
    "random": ("Random", "drawn at random, whatever the score"),
}
_BUDGETS = {
    "pruning_rate": ("Pruning rate", "the fraction of the scored samples to remove"),
    "keep": ("Number to keep", "of the scored samples"),
    "threshold": ("Score threshold", "keep the samples that score this or better"),
}
_DIRECTIONS = {"highest": "highest values first", "lowest": "lowest values first"}
_UNANNOTATED = {"prune": "remove them (the paper's way)", "keep": "keep them"}


class CreatePrunedView(foo.Operator):
    """Form and execution of ``tfdp.prune_view``."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="create_pruned_view",
            label="Create pruned view",
            description="Choose the samples to keep by a score, and save them as a view",
            icon=forms.ICON,
            dynamic=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            default_choice_to_delegated=False,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_run_name(self, ctx: ExecutionContext) -> str:
        return f"Pruned view {ctx.params.get('brain_key', '')}"

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        inputs = types.Object()
        view = forms.choose_view(ctx, inputs, "Prune")
        if view is not None:
            _ask_scorer(ctx, inputs, view)
            _ask_budget(ctx, inputs)
            _ask_policy(ctx, inputs)
            _ask_exceptions(inputs, view)
            _ask_name(inputs)
            _preview(ctx, inputs, view)
        return forms.form(inputs, "Create pruned view", "Create")

    def execute(self, ctx: ExecutionContext) -> dict[str, Any]:
        view = ctx.target_view(require_flat=True)
        parameters = _parameters(ctx, view)
        brain_key = _brain_key(ctx)
        write_pruned_view(
            view,
            parameters,
            brain_key,
            overwrite=ctx.params.get("overwrite", False),
            progress=forms.progress_to(ctx, "Marking samples"),
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


def _scorer(ctx: ExecutionContext, view: SampleCollection) -> str:
    fields = list_score_fields(view)
    best = next((name for name in fields if score_of(ctx.dataset, name) == "cb_scs"), None)
    return ctx.params.get("scorer") or best or PLAIN_SCORERS[0]


def _brain_key(ctx: ExecutionContext) -> str:
    return ctx.params.get("brain_key") or "pruned"


def _parameters(ctx: ExecutionContext, view: SampleCollection) -> PruningParameters:
    """What the form asks of ``prune_view``; values of the parts that are not shown don't count."""
    params = ctx.params
    scorer = _scorer(ctx, view)
    policy = params.get("policy") or "top"
    budget = params.get("budget") or next(
        (b for b in _BUDGETS if params.get(b) is not None), "pruning_rate"
    )
    value = params.get(budget, 0.5 if budget == "pruning_rate" else None)
    direction = params.get("direction")
    return PruningParameters(
        **{budget: value},
        scorer=scorer,
        higher_first=None if direction is None else direction == "highest",
        label_field=params.get("label_field") or find_scored_labels(view, scorer),
        policy=policy,
        min_per_class=params.get("min_per_class") or 0,
        unannotated=params.get("unannotated") or "prune",
        pinned_tags=tuple(params.get("pinned_tags") or ()),
        excluded_tags=tuple(params.get("excluded_tags") or ()),
        beta=(params.get("beta") or 0.0) if policy == "stratified" else 0.0,
        seed=params.get("seed") or 0,
    )


def _ask_scorer(ctx: ExecutionContext, inputs: types.Object, view: SampleCollection) -> None:
    scorers = {}
    for name in list_score_fields(view):
        known = SCORE_FIELDS.get(score_of(ctx.dataset, name))
        scorers[name] = f"{name} ({known.label})" if known is not None else name
    scorers |= {name: text for name, text in _PLAIN.items() if name not in scorers}
    scorer = _scorer(ctx, view)
    forms.choose(
        inputs,
        "scorer",
        scorers,
        default=scorer,
        required=False,
        label="Scorer",
        description="A numeric field of samples, or a plain scorer to compare it with",
    )
    known = score_of(ctx.dataset, scorer)
    if known not in SCORE_FIELDS and scorer not in _PLAIN:
        forms.choose(
            inputs,
            "direction",
            _DIRECTIONS,
            default="highest",
            required=False,
            label="Keep first",
            description="Which end of this field is worth most; tfdp does not know it",
        )
    elif not higher_first(known):
        forms.tell(inputs, "direction_of", "the lowest values of this score are kept first")
    labels = {field.name: field.name for field in list_label_fields(view)}
    if labels:
        forms.choose(
            inputs,
            "label_field",
            labels,
            default=find_scored_labels(view, scorer),
            required=False,
            label="Label field",
            description="Whose instances and classes are counted",
        )


def _ask_budget(ctx: ExecutionContext, inputs: types.Object) -> None:
    forms.choose(inputs, "budget", _BUDGETS, default="pruning_rate", required=False, label="Budget")
    budget = ctx.params.get("budget") or "pruning_rate"
    if budget == "pruning_rate":
        inputs.float(
            "pruning_rate",
            default=0.5,
            label="Pruning rate",
            description="0.3 removes 30 % of the scored samples",
        )
    elif budget == "keep":
        inputs.int("keep", required=True, label="Samples to keep")
    else:
        inputs.float("threshold", required=True, label="Score threshold")


def _ask_policy(ctx: ExecutionContext, inputs: types.Object) -> None:
    forms.choose(inputs, "policy", _POLICIES, default="top", required=False, label="Policy")
    policy = ctx.params.get("policy") or "top"
    if policy == "stratified":
        inputs.float(
            "beta",
            default=0.0,
            required=False,
            label="Hardest to leave out (beta)",
            description="Fraction of the samples that score best, which may be mislabelled",
        )
    if policy != "top" or "random" in (ctx.params.get("scorer") or ""):
        inputs.int("seed", default=0, required=False, label="Seed")


def _ask_exceptions(inputs: types.Object, view: SampleCollection) -> None:
    inputs.int(
        "min_per_class",
        default=0,
        required=False,
        label="Instances of each class, at least",
        description="Met first, the rest goes by score; 0 for no floor",
    )
    forms.choose(
        inputs,
        "unannotated",
        _UNANNOTATED,
        default="prune",
        required=False,
        label="Samples without a score",
    )
    tags = view.distinct("tags")
    if tags:
        for name, label in (("pinned_tags", "Always keep"), ("excluded_tags", "Always remove")):
            inputs.list(
                name,
                types.String(),
                required=False,
                label=label,
                description="Samples with one of these tags",
                view=types.DropdownView(
                    multiple=True, choices=[types.Choice(tag, label=tag) for tag in tags]
                ),
            )


def _ask_name(inputs: types.Object) -> None:
    inputs.str(
        "brain_key",
        default="pruned",
        required=False,
        label="Name",
        description="Of the saved view and of the run that remembers all of this",
    )


def _preview(ctx: ExecutionContext, inputs: types.Object, view: SampleCollection) -> None:
    """What would be kept, or what is in the way."""
    try:
        check_names(ctx.dataset, _brain_key(ctx), overwrite=True)
        if _brain_key(ctx) in ctx.dataset.list_brain_runs():
            inputs.bool(
                "overwrite",
                default=False,
                label=f"Replace the pruned view {_brain_key(ctx)}",
                description="There is one of that name; its field and its saved view are replaced",
                view=types.CheckboxView(),
            )
            check_names(ctx.dataset, _brain_key(ctx), overwrite=ctx.params.get("overwrite", False))
        parameters = _parameters(ctx, view)
        held = remember_contents(view, parameters.label_field)
        selection = select_in_view(view, held, parameters)
    except (TypeError, ValueError) as error:
        forms.refuse(inputs, "selection_error", str(error))
        return
    forms.show_markdown(inputs, "preview", _describe(selection))


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
    lost = [
        [
            name,
            count,
            after.instances_per_class[name],
            _share(count, after.instances_per_class[name]),
        ]
        for name, count in before.instances_per_class.items()
    ]
    lost.sort(key=lambda row: (row[2] / row[1], -row[1]))
    if lost:
        text += f"\n\n**Classes that lose most**, of {len(lost)}:\n\n" + forms.markdown_table(
            ["class", "instances", "kept", "share"], lost[:MAX_CLASSES_SHOWN]
        )
    return text


def _share(before: int, after: int) -> str:
    return f"{after / before:.0%}" if before else "-"
