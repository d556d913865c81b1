"""The operator that sets the scorers of a view side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.files.comparison_file import check_comparison_output, write_comparison
from tfdp.options import options_of
from tfdp.selection.select import SelectionOptions
from tfdp.values import check_flag, check_text, check_texts
from tfdp.views.comparison import (
    compare_scores,
    default_reference,
    default_scorers,
    list_scorers,
)
from tfdp.views.database import database_errors
from tfdp.views.labels import list_class_fields, list_label_fields
from tfdp.views.pruning_plan import find_scored_labels

from . import _forms as forms
from ._comparison import report_comparison, show_comparison
from ._options import ask, checks_of
from ._params import check_path, read_form, read_parameters

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import ExecutionContext

    from ._params import Checks

_CHECKS: Checks = {
    "label_field": check_text,
    "scorers": check_texts,
    "reference": check_text,
    "aggregation": checks_of(SelectionOptions)["aggregation"],
    "seed": checks_of(SelectionOptions)["seed"],
    "output_path": check_path,
    "overwrite": check_flag,
}


class CompareScores(foo.Operator):
    """Form and execution of ``tfdp.compare_scores``."""

    @property
    def config(self) -> foo.OperatorConfig:
        return forms.operator_config(
            "compare_scores",
            "Compare scores",
            "Set scores side by side: how alike they rank, what they keep and cost",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_run_name(self, ctx: ExecutionContext) -> str:
        return "Compare scores"

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        inputs = types.Object()
        asked = read_form(ctx, inputs, _CHECKS)
        view = forms.choose_view(ctx, inputs, "Compare")
        if view is not None:
            _ask(asked, inputs, view)
        return forms.form(inputs, "Compare scores", "Compare")

    @database_errors()
    def execute(self, ctx: ExecutionContext) -> dict[str, Any]:
        asked = read_parameters(ctx, _CHECKS)
        view = ctx.target_view(require_flat=True)
        output, overwrite = asked["output_path"], bool(asked["overwrite"])
        if output is not None:
            check_comparison_output(output, overwrite=overwrite)
        comparison = compare_scores(view, **_arguments(asked))
        if output is not None:
            write_comparison(comparison, output, overwrite=overwrite)
        return {**report_comparison(comparison), "output_path": output and str(output)}

    def resolve_output(self, ctx: ExecutionContext) -> types.Property:
        outputs = types.Object()
        results = ctx.results or {}  # none where the operator failed
        show_comparison(outputs, results)
        if results.get("output_path"):
            outputs.str("output_path", label="Written to")
        return types.Property(outputs, view=types.View(label="Scores side by side"))


def _arguments(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "label_field": asked["label_field"],
        "scorers": asked["scorers"] or None,
        "reference": asked["reference"],
        "aggregation": asked["aggregation"],
        "seed": asked["seed"] or 0,
    }


def _ask(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    every, usual = list_scorers(view), default_scorers(view)
    inputs.list(
        "scorers",
        types.String(),
        default=usual,
        required=False,
        label="Scorers",
        description="Numeric fields of samples, and plain scorers",
        view=types.DropdownView(
            multiple=True, choices=[types.Choice(name, label=name) for name in every]
        ),
    )
    reference = default_reference(view, asked["scorers"] or usual)
    forms.choose(
        inputs,
        "reference",
        every,
        default=reference,
        given=asked["reference"],
        required=False,
        label="Compare with",
        description="The scorer that the others are set beside",
    )
    fields = [*(field.name for field in list_label_fields(view)), *list_class_fields(view)]
    if fields:
        forms.choose(
            inputs,
            "label_field",
            fields,
            default=find_scored_labels(view, reference),
            given=asked["label_field"],
            required=False,
            label="Label field",
            description="Whose instances and classes are counted",
        )
    for name in ("aggregation", "seed"):
        ask(inputs, options_of(SelectionOptions)[name])
    _ask_output(asked, inputs)
    unknown = [name for name in asked["scorers"] or () if name not in every]
    if unknown:
        forms.refuse(
            inputs,
            "unknown_scorers",
            f"these samples have no values of {', '.join(unknown)}; choose among "
            f"{', '.join(every)}",
        )


def _ask_output(asked: dict[str, Any], inputs: types.Object) -> None:
    inputs.str(
        "output_path",
        required=False,
        label="Write the table to a file",
        description="A name that ends in .json, .csv or .parquet; leave it empty for none",
    )
    path = asked["output_path"]
    if path is None:
        return
    try:
        if path.exists():
            inputs.bool(
                "overwrite",
                default=False,
                label=f"Replace {path.name}",
                view=types.CheckboxView(),
            )
        check_comparison_output(path, overwrite=bool(asked["overwrite"]))
    except (OSError, ValueError) as error:
        forms.refuse(inputs, "output_error", error)
